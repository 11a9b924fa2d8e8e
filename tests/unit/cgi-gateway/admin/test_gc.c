#include "cgi-gateway/admin/gc.h"
#include "tests/unit/cgi-gateway/gateway.h"

#include <fcntl.h>

/* Ids whose last digits are all the same, so that they share a folder */
#define ID(n) "0190b3a2-0000-7000-8000-00000000" n "ab"

static struct db *db;
static struct gateway g;
static struct gc gc;
static struct errmsg why;
static char reported[512]; /* "orphan ID, failed ID: WHY" */

static void record(void *arg, enum gc_event event, const char *id,
		   const char *reason)
{
	static const char *const words[GC_EVENTS] = {
		[GC_EXPIRED] = "expired",	[GC_ORPHAN] = "orphan",
		[GC_UNFINISHED] = "unfinished", [GC_HELD] = "held",
		[GC_YOUNG] = "young",		[GC_FOREIGN] = "foreign",
		[GC_FAILED] = "failed",
	};
	size_t n = strlen(reported);

	assert_ptr_equal(arg, &g);
	(void)snprintf(reported + n, sizeof(reported) - n, "%s%s %s%s%s",
		       n > 0 ? ", " : "", words[event], id,
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

/* A new pass, some time after everything that the test has created */
static void start_again(void)
{
	reported[0] = '\0';
	gc = (struct gc) {
		.db = db,
		.store = g.app.store,
		.now = (int64_t)time(NULL) + 1000,
		.report = record,
		.arg = &g,
	};
}

static int set_up(void **state)
{
	(void)state;
	gateway_clear(db);
	gateway_open(&g, db);
	start_again();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	gateway_close(&g);
	return 0;
}

/* Store a file, with a row or without */
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

static void gc_removes_expired_files_and_no_others(void **state)
{
	(void)state;
	keep(ID("01"), gc.now, true);
	keep(ID("02"), gc.now + 1, true);
	keep(ID("03"), FILES_NEVER, true);
	keep(ID("04"), 1, true);
	assert_ok(gc_expired(&gc, &why));
	assert_string_equal(reported,
			    "expired " ID("04") ", expired " ID("01"));
	assert_int_equal(gc.count[GC_EXPIRED], 2);
	assert_int_equal(gc.bytes, 10);
	assert_int_equal(file_table_rows(db), 2);
	assert_int_equal(gateway_objects(&g), 2);
}

static void gc_removes_objects_without_a_row_after_the_grace_time(void **state)
{
	(void)state;
	keep(ID("01"), FILES_NEVER, true);
	keep(ID("02"), FILES_NEVER, false);
	put_there("incoming/" ID("03"));
	gc.grace = 100000;
	assert_ok(gc_store(&gc, &why));
	assert_int_equal(gc.count[GC_YOUNG], 2);
	assert_int_equal(folder_files(g.dir), 3);
	start_again();
	gc.grace = 100000;
	gc.now += 100000;
	assert_ok(gc_store(&gc, &why));
	assert_string_equal(reported,
			    "unfinished " ID("03") ", orphan " ID("02"));
	assert_int_equal(gc.bytes, 5);
	assert_int_equal(folder_files(g.dir), 1);
}

static void gc_keeps_a_locked_object(void **state)
{
	static const char large[STORE_DISK_BUFFER] = "";
	struct store *uploader = NULL;
	struct store_writer *w = NULL;

	(void)state;
	assert_ok(store_disk_open(g.dir, &uploader, &why));
	assert_ok(store_writer_open(uploader, ID("01"), &w, &why));
	assert_ok(store_writer_write(w, (struct span) { large, sizeof(large) },
				     &why));
	assert_ok(gc_store(&gc, &why));
	assert_string_equal(reported, "held " ID("01"));
	assert_ok(store_writer_commit(w, &why));
	start_again();
	assert_ok(gc_store(&gc, &why));
	assert_string_equal(reported, "held " ID("01"));
	store_unlock(uploader, ID("01"));
	start_again();
	assert_ok(gc_store(&gc, &why));
	assert_string_equal(reported, "orphan " ID("01"));
	store_close(uploader);
}

static void a_dry_run_reports_the_same_and_removes_nothing(void **state)
{
	(void)state;
	keep(ID("01"), 1, true);
	keep(ID("02"), FILES_NEVER, false);
	put_there("incoming/" ID("03"));
	gc.dry = true;
	for (int i = 0; i < 2; i++) {
		assert_ok(gc_expired(&gc, &why));
		assert_ok(gc_store(&gc, &why));
	}
	assert_int_equal(gc.count[GC_EXPIRED], 2);
	assert_int_equal(gc.count[GC_ORPHAN], 2);
	assert_int_equal(gc.count[GC_UNFINISHED], 2);
	assert_int_equal(gc.bytes, 20);
	assert_int_equal(file_table_rows(db), 1);
	assert_int_equal(folder_files(g.dir), 3);
}

static void gc_continues_after_an_item_that_fails(void **state)
{
	(void)state;
	keep(ID("01"), 1, true);
	keep(ID("02"), 2, true);
	/* a folder in place of the bytes cannot be removed as a file */
	assert_int_equal(unlink(at("objects/ab/" ID("01"))), 0);
	assert_int_equal(mkdir(at("objects/ab/" ID("01")), 0700), 0);
	assert_int_equal(rmdir(at("objects/00")), 0);
	put_there("objects/00");
	assert_ok(gc_expired(&gc, &why));
	assert_contains(reported,
			"expired " ID("01") ", failed " ID("01") ": ");
	assert_contains(reported, ", expired " ID("02"));
	assert_int_equal(gc.bytes, 5);
	start_again();
	assert_ok(gc_store(&gc, &why));
	assert_contains(reported, "failed objects/00: Not a directory");
	assert_contains(reported, "foreign objects/ab/" ID("01"));
}

static void gc_removes_nothing_without_a_database(void **state)
{
	struct db *unavailable = gateway_no_database();

	(void)state;
	keep(ID("01"), FILES_NEVER, false);
	gc.db = unavailable;
	assert_err(gc_expired(&gc, &why), ERR_UNAVAILABLE);
	assert_err(gc_store(&gc, &why), ERR_UNAVAILABLE);
	assert_string_equal(reported, "");
	assert_int_equal(gateway_objects(&g), 1);
	db_close(unavailable);
}

#define GC(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		GC(gc_removes_expired_files_and_no_others),
		GC(gc_removes_objects_without_a_row_after_the_grace_time),
		GC(gc_keeps_a_locked_object),
		GC(a_dry_run_reports_the_same_and_removes_nothing),
		GC(gc_continues_after_an_item_that_fails),
		GC(gc_removes_nothing_without_a_database),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, open_db, close_db);
}
