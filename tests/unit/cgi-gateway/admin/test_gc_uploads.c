#include "cgi-gateway/admin/gc_uploads.h"

#include "cgi-gateway/store/resumable.h"
#include "cgi-gateway/store/resumable_commit.h"
#include "cgi-gateway/tables/tus_uploads.h"
#include "tests/unit/cgi-gateway/gateway.h"

#include <fcntl.h>

enum { NOW = GATEWAY_NOW, LIFE = GATEWAY_UPLOAD_LIFE };

static struct db *db;
static struct gateway g;
static struct errmsg why;
static int64_t removed, bytes;

static void check_report(void *arg, enum gc_event event, const char *id,
			 const char *reason)
{
	(void)arg;
	(void)id;
	assert_int_equal(event, GC_UPLOAD);
	assert_string_equal(reason, "");
}

static int open_db(void **state)
{
	(void)state;
	db = mariadb_pool(2);
	gateway_people(db);
	return 0;
}

static int close_db(void **state)
{
	(void)state;
	db_close(db);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	gateway_clear(db);
	gateway_open(&g, db);
	removed = bytes = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	gateway_close(&g);
	return 0;
}

/* The id of the upload number `n`; valid until the call after the next */
static const char *id_of(int n)
{
	static char ids[2][UUID_LEN + 1];
	static int which;

	which ^= 1;
	(void)snprintf(ids[which], sizeof(ids[0]),
		       "0190b3a2-0000-7000-8000-%012x", (unsigned)n);
	return ids[which];
}

static struct tus_upload row(int n, int64_t expires_at)
{
	struct tus_upload u = { .owner = GATEWAY_USER,
				.name = "a",
				.type = "text/plain",
				.length = 100,
				.created_at = NOW - 10 * LIFE,
				.expires_at = expires_at };

	memcpy(u.id, id_of(n), sizeof(u.id));
	assert_ok(tus_uploads_add(db, gateway_session(&g), 0, &g.app.quota,
				  GATEWAY_MAX_UNFINISHED, &u, &why));
	return u;
}

/* Its bytes were written at that time */
static void written(const char *folder, int n, int64_t at)
{
	const struct timespec times[2] = { { at, 0 }, { at, 0 } };
	char path[FOLDER_PATH_MAX + 64];

	(void)snprintf(path, sizeof(path), "%s/%s/%s", g.dir, folder, id_of(n));
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* An upload of 100 bytes that has `count` of them */
static struct tus_upload begun(int n, int64_t count, int64_t expires_at,
			       int64_t written_at)
{
	struct resumable *p = NULL;
	int64_t from = 0;
	char some[100] = { 0 };

	assert_ok(resumable_create(g.app.store, id_of(n), &why));
	assert_ok(
		resumable_open(g.app.store, id_of(n), &from, false, &p, &why));
	assert_ok(resumable_write(p, (struct span) { some, (size_t)count },
				  &why));
	assert_ok(resumable_sync(p, &why));
	resumable_close(p);
	written("incoming", n, written_at);
	return row(n, expires_at);
}

static enum err gc_with(struct db *with, int64_t now, bool dry)
{
	struct gc s = { .db = with,
			.store = g.app.store,
			.now = now,
			.dry = dry,
			.report = check_report };
	enum err e = gc_uploads(&s, LIFE, &why);

	removed += s.count[GC_UPLOAD];
	bytes += s.bytes;
	return e;
}

static void collect(int64_t now, bool dry)
{
	assert_ok(gc_with(db, now, dry));
}

static int64_t rows(void)
{
	int64_t n = -1;

	assert_ok(db_row(db, "SELECT COUNT(*) FROM upload", DB_NONE,
			 DB_OUT(db_to_int(&n)), &why));
	return n;
}

static int64_t expires_at(int n)
{
	int64_t at = -1;

	assert_ok(db_row(db, "SELECT expires_at FROM upload WHERE id = ?",
			 DB_IN(db_text(span_of(id_of(n)))),
			 DB_OUT(db_to_int(&at)), &why));
	return at;
}

static void assert_held(int64_t held_bytes, int64_t files)
{
	struct usage u;

	assert_ok(quota_show(db, GATEWAY_USER, &g.app.quota, &u, &why));
	assert_int_equal(u.bytes, held_bytes);
	assert_int_equal(u.files, files);
}

/* --- removed uploads ------------------------------------------------------ */

static void an_abandoned_upload_is_removed_with_its_quota(void **state)
{
	(void)state;
	(void)begun(1, 30, NOW, NOW - LIFE);
	assert_held(100, 1);
	collect(NOW, false);
	assert_int_equal(removed, 1);
	assert_int_equal(bytes, 30);
	assert_int_equal(rows(), 0);
	assert_int_equal(folder_files(g.dir), 0);
	assert_held(0, 0);
	collect(NOW, false);
	assert_int_equal(removed, 1);
}

static void the_writer_of_a_removed_upload_gets_a_conflict(void **state)
{
	struct resumable *p = NULL;
	int64_t from = 30;

	(void)state;
	(void)begun(1, 30, NOW, NOW);
	assert_ok(
		resumable_open(g.app.store, id_of(1), &from, false, &p, &why));
	written("incoming", 1, NOW - LIFE);
	collect(NOW, false);
	assert_int_equal(removed, 1);
	assert_ok(resumable_write(p, SPAN("x"), &why));
	assert_err(resumable_flush(p, &why), ERR_CONFLICT);
	resumable_close(p);
	assert_int_equal(folder_files(g.dir), 0);
}

static void a_row_without_bytes_is_removed(void **state)
{
	(void)state;
	(void)row(1, NOW);
	collect(NOW, false);
	assert_int_equal(removed, 1);
	assert_int_equal(bytes, 0);
	assert_int_equal(rows(), 0);
	assert_held(0, 0);
}

static void a_finished_upload_loses_only_its_row(void **state)
{
	struct tus_upload u = begun(1, 100, NOW - 1, NOW - LIFE);
	struct file f = { .owner = u.owner,
			  .name = "a",
			  .type = "text/plain",
			  .size = 100,
			  .created_at = NOW };

	(void)state;
	memcpy(f.id, u.id, sizeof(f.id));
	u.expires_at = NOW;
	assert_ok(tus_uploads_finish(db, gateway_session(&g), &u, &f, NULL,
				     &why));
	collect(NOW - 1, false);
	assert_int_equal(rows(), 1);
	collect(NOW, false);
	assert_int_equal(rows(), 0);
	assert_int_equal(removed, 0);
	assert_int_equal(file_table_rows(db), 1);
	assert_held(100, 1);
}

static void more_uploads_than_a_page_are_removed(void **state)
{
	(void)state;
	for (int n = 0; n < FILES_LIST_MAX + 3; n++)
		(void)row(n, NOW);
	(void)begun(FILES_LIST_MAX + 3, 5, NOW, NOW - LIFE);
	collect(NOW, false);
	assert_int_equal(removed, FILES_LIST_MAX + 4);
	assert_int_equal(bytes, 5);
	assert_int_equal(rows(), 0);
	assert_held(0, 0);
}

/* --- kept uploads --------------------------------------------------------- */

static void an_upload_lives_for_its_time_after_its_last_bytes(void **state)
{
	(void)state;
	(void)begun(1, 30, NOW - 2 * LIFE, NOW - LIFE + 1);
	collect(NOW, false);
	assert_int_equal(removed, 0);
	assert_int_equal(expires_at(1), NOW + 1);
	assert_int_equal(gateway_unfinished(&g), 2);
	assert_held(100, 1);
	collect(NOW + 1, false);
	assert_int_equal(removed, 1);
	assert_int_equal(folder_files(g.dir), 0);
}

static void an_upload_that_has_not_expired_stays(void **state)
{
	(void)state;
	(void)begun(1, 30, NOW + 1, NOW - 2 * LIFE);
	collect(NOW, false);
	assert_int_equal(removed, 0);
	assert_int_equal(rows(), 1);
}

/* All of its bytes have come, and its row is about to be written */
static void an_upload_that_is_being_committed_stays(void **state)
{
	unsigned char sum[SHA256_LEN];
	struct resumable_commit *f = NULL;
	struct tus_upload u = begun(1, 100, NOW - LIFE, NOW - 1);
	struct file file = { .owner = u.owner,
			     .name = "a",
			     .type = "text/plain",
			     .size = 100,
			     .created_at = NOW };

	(void)state;
	memcpy(file.id, u.id, sizeof(file.id));
	assert_ok(
		resumable_commit_begin(g.app.store, u.id, 100, &f, sum, &why));
	assert_ok(resumable_commit_place(f, &why));
	collect(NOW, false);
	assert_int_equal(removed, 0);
	assert_ok(tus_uploads_finish(db, gateway_session(&g), &u, &file, NULL,
				     &why));
	resumable_commit_end(f);
	assert_int_equal(gateway_objects(&g), 1);
	assert_int_equal(gateway_unfinished(&g), 0);
	assert_held(100, 1);
}

/* All of its bytes have come, but no request has written its row */
static void an_upload_whose_commit_was_abandoned_is_removed(void **state)
{
	unsigned char sum[SHA256_LEN];
	struct resumable_commit *f = NULL;
	struct tus_upload u = begun(1, 100, NOW, NOW);

	(void)state;
	assert_ok(
		resumable_commit_begin(g.app.store, u.id, 100, &f, sum, &why));
	assert_ok(resumable_commit_place(f, &why));
	resumable_commit_leave(f);
	written("objects/01", 1, NOW - LIFE);
	collect(NOW, false);
	assert_int_equal(removed, 1);
	assert_int_equal(rows(), 0);
	assert_held(0, 0);
	assert_int_equal(folder_files(g.dir), 0);
	assert_int_equal(bytes, 100);
}

static void an_upload_with_a_damaged_checkpoint_does_not_stop_the_pass(
	void **state)
{
	char path[FOLDER_PATH_MAX + 64];

	(void)state;
	(void)begun(1, 30, NOW, NOW - LIFE);
	(void)begun(2, 30, NOW, NOW - LIFE);
	(void)begun(3, 30, NOW, NOW);
	for (int n = 1; n <= 3; n += 2) {
		(void)snprintf(path, sizeof(path), "%s/incoming/%s.mark", g.dir,
			       id_of(n));
		assert_int_equal(truncate(path, 0), 0);
	}
	collect(NOW, false);
	assert_int_equal(removed, 2);
	assert_int_equal(rows(), 1);
	assert_int_equal(expires_at(3), NOW + LIFE);
	assert_int_equal(gateway_unfinished(&g), 2);
}

/* --- a dry run ------------------------------------------------------------ */

static void a_dry_run_counts_and_changes_nothing(void **state)
{
	(void)state;
	(void)begun(1, 30, NOW, NOW - LIFE);
	(void)begun(2, 40, NOW, NOW - LIFE - 1);
	(void)begun(3, 50, NOW, NOW);
	collect(NOW, true);
	assert_int_equal(removed, 2);
	assert_int_equal(bytes, 70);
	assert_int_equal(rows(), 3);
	assert_int_equal(gateway_unfinished(&g), 6);
	assert_int_equal(expires_at(3), NOW);
	assert_held(300, 3);
}

static void no_upload_is_removed_without_a_database(void **state)
{
	struct db *unavailable = gateway_no_database();

	(void)state;
	(void)begun(1, 30, NOW, NOW - LIFE);
	assert_err(gc_with(unavailable, NOW, false), ERR_UNAVAILABLE);
	db_close(unavailable);
	assert_int_equal(removed, 0);
	assert_int_equal(gateway_unfinished(&g), 2);
}

#define GC(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		GC(an_abandoned_upload_is_removed_with_its_quota),
		GC(the_writer_of_a_removed_upload_gets_a_conflict),
		GC(a_row_without_bytes_is_removed),
		GC(a_finished_upload_loses_only_its_row),
		GC(more_uploads_than_a_page_are_removed),
		GC(an_upload_lives_for_its_time_after_its_last_bytes),
		GC(an_upload_that_has_not_expired_stays),
		GC(an_upload_that_is_being_committed_stays),
		GC(an_upload_whose_commit_was_abandoned_is_removed),
		GC(an_upload_with_a_damaged_checkpoint_does_not_stop_the_pass),
		GC(a_dry_run_counts_and_changes_nothing),
		GC(no_upload_is_removed_without_a_database),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, open_db, close_db);
}
