#include "file_table.h"
#include "gateway.h"

#include <sys/stat.h>

#define ID "0190b3a2-0000-7000-8000-0000000000ab"

static struct db *db;
static struct gateway g;
static struct file file;

static int open_db(void **state)
{
	(void)state;
	db = mariadb_pool(1);
	file_table_make(db);
	return 0;
}

static int close_db(void **state)
{
	(void)state;
	db_close(db);
	return 0;
}

/* One file of the user, in the store and in the table */
static int set_up(void **state)
{
	struct store_writer *w = NULL;

	(void)state;
	file_table_clear(db);
	gateway_open(&g, db);
	file = (struct file) { .id = ID,
			       .owner = GATEWAY_USER,
			       .name = "old.txt",
			       .type = "text/plain",
			       .size = 1,
			       .created_at = GATEWAY_NOW - 100 };
	assert_ok(store_begin(g.app.store, ID, &w, NULL));
	assert_ok(store_write(w, SPAN("x"), NULL));
	assert_ok(store_finish(w, NULL));
	assert_ok(files_add(db, &file, 1, NULL));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	gateway_close(&g);
	return 0;
}

static int ask(const char *method, handler_fn *handle)
{
	gateway_request(&g, method, "/files/" ID, "");
	return gateway_answer(&g, handle, SPAN(ID));
}

static int list(const char *query)
{
	gateway_request(&g, "GET", "/files", query);
	return gateway_answer(&g, handle_files, SPAN(""));
}

static int patch(const char *type, struct span body)
{
	gateway_request(&g, "PATCH", "/files/" ID, "");
	memory_set(&g.memory, "CONTENT_TYPE", type);
	memory_body(&g.memory, body, 3);
	return gateway_answer(&g, handle_file_change, SPAN(ID));
}

#define JSON "application/json"

static bool is_unchanged(void)
{
	struct file now;

	assert_ok(files_find(db, SPAN(ID), GATEWAY_USER, GATEWAY_NOW, &now,
			     NULL));
	return strcmp(now.name, "old.txt") == 0 &&
	       now.expires_at == FILES_NEVER;
}

/* --- DELETE
 * ------------------------------------------------------------------------- */

static void the_row_goes_and_then_the_bytes(void **state)
{
	(void)state;
	assert_int_equal(ask("DELETE", handle_file_remove), 204);
	assert_int_equal(memory_answer(&g.memory).len, 0);
	assert_int_equal(file_table_rows(db), 0);
	assert_int_equal(gateway_objects(&g), 0);
	assert_int_equal(ask("DELETE", handle_file_remove), 404);
}

static void while_the_row_stays_the_bytes_do(void **state)
{
	struct db *away = gateway_no_database();

	(void)state;
	g.app.db = away;
	assert_int_equal(ask("DELETE", handle_file_remove), 503);
	assert_int_equal(gateway_objects(&g), 1);
	g.app.db = db;
	db_close(away);
	g.who.user_id = 7;
	assert_int_equal(ask("DELETE", handle_file_remove), 404);
	assert_int_equal(gateway_objects(&g), 1);
	assert_int_equal(file_table_rows(db), 1);
}

static void bytes_that_cannot_go_are_left_to_gc(void **state)
{
	(void)state;
	assert_ok(store_remove(g.app.store, ID, NULL));
	/* the file is gone for its owner; the operator is told */
	assert_int_equal(ask("DELETE", handle_file_remove), 204);
	assert_contains(g.rs.why.text, ID);
	assert_int_equal(file_table_rows(db), 0);
}

/* --- PATCH
 * -------------------------------------------------------------------------- */

static void name_and_expiry_change_together_or_not_at_all(void **state)
{
	(void)state;
	assert_int_equal(patch(JSON, SPAN("{\"name\":\"new.txt\","
					  "\"expires_in\":0}")),
			 422);
	assert_true(is_unchanged());
	assert_int_equal(patch(JSON, SPAN("{\"name\":\"..\","
					  "\"expires_in\":60}")),
			 422);
	assert_true(is_unchanged());
	assert_int_equal(patch(JSON, SPAN("{\"name\":\"new.txt\","
					  "\"expires_in\":60}")),
			 200);
	assert_true(gateway_said(&g, "\"name\":\"new.txt\""));
	assert_true(
		gateway_said(&g, "\"expires_at\":\"2026-01-01T00:01:00Z\""));
	assert_false(is_unchanged());
	assert_int_equal(patch(JSON, SPAN("{\"name\":\"old.txt\","
					  "\"expires_in\":null}")),
			 200);
	assert_true(is_unchanged());
}

static void what_is_not_named_stays(void **state)
{
	(void)state;
	assert_int_equal(patch(JSON, SPAN("{}")), 200);
	assert_true(is_unchanged());
	assert_int_equal(patch("application/merge-patch+json; charset=utf-8",
			       SPAN("{\"size\":9,\"owner\":7,\"id\":\"x\"}")),
			 200);
	assert_true(is_unchanged());
	assert_true(gateway_said(&g, "\"size\":1"));
}

static void what_is_no_patch_changes_nothing(void **state)
{
	static char large[9000];
	static const struct {
		const char *body;
		int status;
	} cases[] = {
		{ "", 400 },
		{ "{", 400 },
		{ "[]", 400 },
		{ "null", 400 },
		{ "{\"name\":\"a\",\"name\":\"b\"}", 400 },
		{ "{\"name\":null}", 422 },
		{ "{\"name\":7}", 422 },
		{ "{\"name\":\"\"}", 422 },
		{ "{\"name\":\"a\\u0000b\"}", 400 },
		{ "{\"name\":\"a\\nb\"}", 422 },
		{ "{\"expires_in\":\"60\"}", 422 },
		{ "{\"expires_in\":1.5}", 422 },
		{ "{\"expires_in\":-1}", 422 },
		{ "{\"expires_in\":true}", 422 },
		{ "{\"expires_in\":99999999999999999999}", 422 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int got = patch(JSON, span_of(cases[i].body));

		if (got != cases[i].status)
			print_error("the patch %s\n", cases[i].body);
		assert_int_equal(got, cases[i].status);
		assert_true(is_unchanged());
	}
	assert_int_equal(patch("text/plain", SPAN("{\"name\":\"new\"}")), 415);
	assert_int_equal(patch(NULL, SPAN("{\"name\":\"new\"}")), 415);
	memset(large, ' ', sizeof(large));
	memcpy(large, "{\"name\":\"new\"}", 14);
	assert_int_equal(patch(JSON, (struct span) { large, 8193 }), 413);
	assert_true(is_unchanged());
	assert_int_equal(patch(JSON, (struct span) { large, 8192 }), 200);
}

static void a_patch_that_ends_early_changes_nothing(void **state)
{
	(void)state;
	gateway_request(&g, "PATCH", "/files/" ID, "");
	memory_set(&g.memory, "CONTENT_TYPE", JSON);
	memory_body(&g.memory, SPAN("{\"name\":\"new\"}"), 3);
	memory_set(&g.memory, "CONTENT_LENGTH", "15");
	assert_int_equal(gateway_answer(&g, handle_file_change, SPAN(ID)), 400);
	assert_true(gateway_said(&g, "incomplete-body"));
	assert_true(is_unchanged());
}

/* --- GET
 * ----------------------------------------------------------------------------
 */

static void another_s_record_is_not_found(void **state)
{
	(void)state;
	assert_int_equal(ask("GET", handle_file), 200);
	assert_true(gateway_said(&g, "\"id\":\"" ID "\",\"name\":\"old.txt\""));
	g.who.user_id = 7;
	assert_int_equal(ask("GET", handle_file), 404);
	assert_int_equal(patch(JSON, SPAN("{\"name\":\"mine\"}")), 404);
	assert_int_equal(list(""), 200);
	assert_true(gateway_said(&g, "{\"files\":[],\"next\":null}"));
	assert_true(is_unchanged());
}

/* Files 1 to n beside the one of set_up, which is older than all */
static void add_files(int n)
{
	for (int i = 1; i <= n; i++) {
		struct file f = file;

		(void)snprintf(f.id, sizeof(f.id),
			       "0190b3a3-0000-7000-8000-%012x", (unsigned)i);
		(void)snprintf(f.name, sizeof(f.name), "n%d", i);
		assert_ok(files_add(db, &f, 1, NULL));
	}
}

static void the_last_page_has_no_next(void **state)
{
	(void)state;
	add_files(2);
	assert_int_equal(list("limit=3"), 200);
	assert_true(gateway_said(&g, "\"next\":null"));
	assert_false(memory_has_header(&g.memory, "Link"));
	assert_true(gateway_find(&g, "n2") < gateway_find(&g, "n1"));
	assert_true(gateway_find(&g, "n1") < gateway_find(&g, "old.txt"));
}

static void a_page_tells_the_next_with_the_same_query(void **state)
{
	(void)state;
	add_files(2);
	assert_int_equal(
		list("q=&limit=2&after=0190b3a4-0000-7000-8000-000000000000"),
		200);
	assert_true(gateway_said(
		&g, "\"next\":\"0190b3a3-0000-7000-8000-000000000001\""));
	assert_span(memory_header(&g.memory, "Link"),
		    "</files?q=&limit=2&after="
		    "0190b3a3-0000-7000-8000-000000000001>; rel=\"next\"");
	assert_int_equal(
		list("q=&limit=2&after=0190b3a3-0000-7000-8000-000000000001"),
		200);
	assert_true(gateway_said(&g, "old.txt"));
	assert_true(gateway_said(&g, "\"next\":null"));
}

static void a_list_that_makes_no_sense_is_refused(void **state)
{
	static const char *const queries[] = {
		"limit=0", "limit=1001",    "limit=",
		"limit=x", "limit=-1",	    "after=x",
		"after=",  "after=" ID "0", "q=%ff",
		"q=%c3",   "owner=x",	    "limit=99999999999999999999",
	};

	(void)state;
	g.who.admin = true;
	(void)snprintf(g.who.scope, sizeof(g.who.scope), "files:read admin");
	for (size_t i = 0; i < COUNT(queries); i++) {
		int got = list(queries[i]);

		if (got != 422)
			print_error("the query %s\n", queries[i]);
		assert_int_equal(got, 422);
	}
	assert_int_equal(list("q=%zz"), 400);
	assert_int_equal(list("limit=1"), 200);
	assert_int_equal(list("limit=1000"), 200);
}

static void a_page_of_a_thousand_is_an_answer(void **state)
{
	static struct file files[FILES_LIST_MAX];

	(void)state;
	for (int i = 0; i < FILES_LIST_MAX; i++) {
		files[i] = file;
		(void)snprintf(files[i].id, sizeof(files[i].id),
			       "0190b3a3-0000-7000-8000-%012x", (unsigned)i);
		memset(files[i].name, '"', FILE_NAME_MAX);
	}
	assert_ok(files_add(db, files, FILES_LIST_MAX, NULL));
	assert_int_equal(list("limit=1000"), 200);
	assert_true(memory_answer(&g.memory).len > 500 * FILES_LIST_MAX);
	assert_true(gateway_said(
		&g, "\"next\":\"0190b3a3-0000-7000-8000-000000000000\""));
}

static void without_a_database_nothing_is_listed(void **state)
{
	struct db *away = gateway_no_database();

	(void)state;
	g.app.db = away;
	assert_int_equal(list(""), 503);
	assert_span(memory_header(&g.memory, "Retry-After"), "1");
	assert_int_equal(list("q=x"), 503);
	assert_int_equal(ask("GET", handle_file), 503);
	assert_int_equal(patch(JSON, SPAN("{}")), 503);
	db_close(away);
}

/* --- GET /readyz
 * ----------------------------------------------------------------------- */

static void it_is_ready_with_a_store_and_a_database(void **state)
{
	struct db *away = gateway_no_database();
	char incoming[FOLDER_PATH_MAX + 16];
	int status;

	(void)state;
	assert_int_equal(ask("GET", handle_ready), 200);
	assert_true(gateway_said(&g, "\"ready\""));
	g.app.db = away;
	assert_int_equal(ask("GET", handle_ready), 503);
	g.app.db = db;
	db_close(away);
	/* root may write everywhere: as someone else then */
	(void)snprintf(incoming, sizeof(incoming), "%s/incoming", g.dir);
	assert_int_equal(chmod(incoming, 0555), 0);
	if (getuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	status = ask("GET", handle_ready);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(chmod(incoming, 0750), 0);
	assert_int_equal(status, 503);
}

#define FILES(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		FILES(the_row_goes_and_then_the_bytes),
		FILES(while_the_row_stays_the_bytes_do),
		FILES(bytes_that_cannot_go_are_left_to_gc),
		FILES(name_and_expiry_change_together_or_not_at_all),
		FILES(what_is_not_named_stays),
		FILES(what_is_no_patch_changes_nothing),
		FILES(a_patch_that_ends_early_changes_nothing),
		FILES(another_s_record_is_not_found),
		FILES(the_last_page_has_no_next),
		FILES(a_page_tells_the_next_with_the_same_query),
		FILES(a_list_that_makes_no_sense_is_refused),
		FILES(a_page_of_a_thousand_is_an_answer),
		FILES(without_a_database_nothing_is_listed),
		FILES(it_is_ready_with_a_store_and_a_database),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, open_db, close_db);
}
