#include "cgi-gateway/admin/gc.h"
#include "tests/unit/cgi-gateway/gateway.h"

#include <fcntl.h>

/* Ids whose last digits are all the same, so that they share a folder */
#define ID(n) "0190b3a2-0000-7000-8000-00000000" n "ab"

static struct db *db;
static struct gateway g;
static struct gc sweep;
static struct errmsg why;
static char told[512]; /* "orphan ID, failed ID: WHY" */

static void hear(void *arg, enum sweep_event what, const char *id,
		 const char *reason)
{
	static const char *const words[GC_EVENTS] = {
		[GC_EXPIRED] = "expired",	[GC_ORPHAN] = "orphan",
		[GC_UNFINISHED] = "unfinished", [GC_HELD] = "held",
		[GC_YOUNG] = "young",		[GC_FOREIGN] = "foreign",
		[GC_FAILED] = "failed",
	};
	size_t n = strlen(told);

	assert_ptr_equal(arg, &g);
	(void)snprintf(told + n, sizeof(told) - n, "%s%s %s%s%s",
		       n > 0 ? ", " : "", words[what], id,
		       reason[0] != '\0' ? ": " : "", reason);
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

/* A sweep some time after all that the test has made */
static void again(void)
{
	told[0] = '\0';
	sweep = (struct gc) {
		.db = db,
		.store = g.app.store,
		.now = (int64_t)time(NULL) + 1000,
		.tell = hear,
		.arg = &g,
	};
}

static int set_up(void **state)
{
	(void)state;
	gateway_clear(db);
	gateway_open(&g, db);
	again();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	gateway_close(&g);
	return 0;
}

/* The file's bytes, and its row where it has an owner */
static void keep(const char *id, int64_t expires_at, bool row)
{
	struct file f = { .owner = GATEWAY_USER,
			  .name = "a",
			  .type = "text/plain",
			  .size = 5,
			  .created_at = 1,
			  .expires_at = expires_at };
	struct store_writer *w = NULL;

	(void)snprintf(f.id, sizeof(f.id), "%s", id);
	assert_ok(store_writer_open(g.app.store, id, &w, &why));
	assert_ok(store_writer_write(w, SPAN("hello"), &why));
	assert_ok(store_writer_commit(w, &why));
	store_unlock(g.app.store, id);
	if (row)
		assert_ok(gateway_add(&g, &f, 1));
}

static const char *at(const char *name)
{
	static char path[FOLDER_PATH_MAX + 128];

	(void)snprintf(path, sizeof(path), "%s/%s", g.dir, name);
	return path;
}

static void put_there(const char *name)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_EXCL, 0640);

	assert_true(fd >= 0);
	(void)close(fd);
}

static void what_has_expired_goes_and_nothing_else(void **state)
{
	(void)state;
	keep(ID("01"), sweep.now, true);
	keep(ID("02"), sweep.now + 1, true);
	keep(ID("03"), FILES_NEVER, true);
	keep(ID("04"), 1, true);
	assert_ok(gc_expired(&sweep, &why));
	assert_string_equal(told, "expired " ID("04") ", expired " ID("01"));
	assert_int_equal(sweep.count[GC_EXPIRED], 2);
	assert_int_equal(sweep.bytes, 10);
	assert_int_equal(file_table_rows(db), 2);
	assert_int_equal(gateway_objects(&g), 2);
}

static void what_no_row_names_goes_when_its_grace_is_over(void **state)
{
	(void)state;
	keep(ID("01"), FILES_NEVER, true);
	keep(ID("02"), FILES_NEVER, false);
	put_there("incoming/" ID("03"));
	sweep.grace = 100000;
	assert_ok(gc_store(&sweep, &why));
	assert_int_equal(sweep.count[GC_YOUNG], 2);
	assert_int_equal(folder_files(g.dir), 3);
	again();
	sweep.grace = 100000;
	sweep.now += 100000;
	assert_ok(gc_store(&sweep, &why));
	assert_string_equal(told, "unfinished " ID("03") ", orphan " ID("02"));
	assert_int_equal(sweep.bytes, 5);
	assert_int_equal(folder_files(g.dir), 1);
}

static void what_is_held_stays(void **state)
{
	struct store *uploader = NULL;
	struct store_writer *w = NULL;

	(void)state;
	assert_ok(store_disk_open(g.dir, &uploader, &why));
	assert_ok(store_writer_open(uploader, ID("01"), &w, &why));
	assert_ok(gc_store(&sweep, &why));
	assert_string_equal(told, "held " ID("01"));
	assert_ok(store_writer_commit(w, &why));
	again();
	assert_ok(gc_store(&sweep, &why));
	assert_string_equal(told, "held " ID("01"));
	store_unlock(uploader, ID("01"));
	again();
	assert_ok(gc_store(&sweep, &why));
	assert_string_equal(told, "orphan " ID("01"));
	store_close(uploader);
}

static void a_dry_one_tells_the_same_and_removes_nothing(void **state)
{
	(void)state;
	keep(ID("01"), 1, true);
	keep(ID("02"), FILES_NEVER, false);
	put_there("incoming/" ID("03"));
	sweep.dry = true;
	for (int i = 0; i < 2; i++) {
		assert_ok(gc_expired(&sweep, &why));
		assert_ok(gc_store(&sweep, &why));
	}
	assert_int_equal(sweep.count[GC_EXPIRED], 2);
	assert_int_equal(sweep.count[GC_ORPHAN], 2);
	assert_int_equal(sweep.count[GC_UNFINISHED], 2);
	assert_int_equal(sweep.bytes, 20);
	assert_int_equal(file_table_rows(db), 1);
	assert_int_equal(folder_files(g.dir), 3);
}

static void what_goes_wrong_with_one_does_not_keep_it_from_the_rest(
	void **state)
{
	(void)state;
	keep(ID("01"), 1, true);
	keep(ID("02"), 2, true);
	/* a folder in the place of the bytes cannot be removed as they are */
	assert_int_equal(unlink(at("objects/ab/" ID("01"))), 0);
	assert_int_equal(mkdir(at("objects/ab/" ID("01")), 0700), 0);
	put_there("objects/00");
	assert_ok(gc_expired(&sweep, &why));
	assert_contains(told, "expired " ID("01") ", failed " ID("01") ": ");
	assert_contains(told, ", expired " ID("02"));
	assert_int_equal(sweep.bytes, 5);
	again();
	assert_ok(gc_store(&sweep, &why));
	assert_contains(told, "failed objects/00: Not a directory");
	assert_contains(told, "foreign objects/ab/" ID("01"));
}

static void without_a_database_nothing_is_judged(void **state)
{
	struct db *away = gateway_no_database();

	(void)state;
	keep(ID("01"), FILES_NEVER, false);
	sweep.db = away;
	assert_err(gc_expired(&sweep, &why), ERR_UNAVAILABLE);
	assert_err(gc_store(&sweep, &why), ERR_UNAVAILABLE);
	assert_string_equal(told, "");
	assert_int_equal(gateway_objects(&g), 1);
	db_close(away);
}

#define SWEEP(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		SWEEP(what_has_expired_goes_and_nothing_else),
		SWEEP(what_no_row_names_goes_when_its_grace_is_over),
		SWEEP(what_is_held_stays),
		SWEEP(a_dry_one_tells_the_same_and_removes_nothing),
		SWEEP(what_goes_wrong_with_one_does_not_keep_it_from_the_rest),
		SWEEP(without_a_database_nothing_is_judged),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, open_db, close_db);
}
