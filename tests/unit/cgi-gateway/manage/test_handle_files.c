#include "common/http/body.h"
#include "tests/unit/cgi-gateway/gateway.h"
#include "tests/unit/cgi-gateway/json_memory.h"

#include <sys/stat.h>

#define ID "0190b3a2-0000-7000-8000-0000000000ab"

static struct db *db;
static struct gateway g;
static struct file file;

static int open_db(void **state)
{
	(void)state;
	db = mariadb_pool(1);
	gateway_people(db);
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
	gateway_clear(db);
	gateway_open(&g, db);
	file = (struct file) { .id = ID,
			       .owner = GATEWAY_USER,
			       .name = "old.txt",
			       .type = "text/plain",
			       .size = 1,
			       .created_at = GATEWAY_NOW - 100 };
	assert_ok(store_writer_open(g.app.store, ID, &w, NULL));
	assert_ok(store_writer_write(w, SPAN("x"), NULL));
	assert_ok(store_writer_commit(w, NULL));
	assert_ok(gateway_add(&g, &file, 1));
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

	assert_ok(files_find(db, gateway_session(&g), 0, SPAN(ID), &now, NULL));
	return strcmp(now.name, "old.txt") == 0 &&
	       now.expires_at == FILES_NEVER;
}

/* --- DELETE --------------------------------------------------------------- */

static void a_deletion_removes_the_row_and_then_the_bytes(void **state)
{
	(void)state;
	assert_int_equal(ask("DELETE", handle_file_remove), 204);
	assert_int_equal(memory_answer(&g.memory).len, 0);
	assert_int_equal(file_table_rows(db), 0);
	assert_int_equal(gateway_objects(&g), 0);
	assert_int_equal(ask("DELETE", handle_file_remove), 404);
}

static void bytes_stay_if_the_row_cannot_be_deleted(void **state)
{
	struct db *away = gateway_no_database();

	(void)state;
	g.app.db = away;
	assert_int_equal(ask("DELETE", handle_file_remove), 503);
	assert_int_equal(gateway_objects(&g), 1);
	g.app.db = db;
	db_close(away);
	g.claims.user_id = GATEWAY_OTHER;
	assert_int_equal(ask("DELETE", handle_file_remove), 404);
	assert_int_equal(gateway_objects(&g), 1);
	assert_int_equal(file_table_rows(db), 1);
}

static void bytes_that_cannot_be_removed_are_left_to_gc(void **state)
{
	(void)state;
	assert_ok(store_remove(g.app.store, ID, NULL));
	/* the file is deleted for its owner; the log has the error */
	assert_int_equal(ask("DELETE", handle_file_remove), 204);
	assert_contains(g.rs.why.text, ID);
	assert_int_equal(file_table_rows(db), 0);
}

/* --- PATCH ---------------------------------------------------------------- */

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

static void members_that_a_patch_does_not_name_stay(void **state)
{
	(void)state;
	assert_int_equal(patch(JSON, SPAN("{}")), 200);
	assert_true(is_unchanged());
	assert_int_equal(patch("application/merge-patch+json; charset=utf-8",
			       SPAN("{}")),
			 200);
	assert_true(is_unchanged());
	assert_true(gateway_said(&g, "\"size\":1"));
}

static void a_malformed_patch_changes_nothing(void **state)
{
	static char large[BODY_MAX + 1];
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
	assert_int_equal(patch(JSON, (struct span) { large, BODY_MAX + 1 }),
			 413);
	assert_true(is_unchanged());
	assert_int_equal(patch(JSON, (struct span) { large, BODY_MAX }), 200);
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

/* --- GET ------------------------------------------------------------------ */

static void a_file_of_another_user_is_not_found(void **state)
{
	(void)state;
	assert_int_equal(ask("GET", handle_file), 200);
	assert_true(gateway_said(&g, "\"id\":\"" ID "\",\"name\":\"old.txt\""));
	g.claims.user_id = GATEWAY_OTHER;
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
		assert_ok(gateway_add(&g, &f, 1));
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

static void a_page_links_to_the_next_with_the_same_query(void **state)
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

static void a_list_with_an_invalid_parameter_is_refused(void **state)
{
	static const char *const queries[] = {
		"limit=0", "limit=1001",    "limit=",
		"limit=x", "limit=-1",	    "after=x",
		"after=",  "after=" ID "0", "q=%ff",
		"q=%c3",   "owner=x",	    "limit=99999999999999999999",
	};

	(void)state;
	g.claims.admin = true;
	(void)snprintf(g.claims.scope, sizeof(g.claims.scope),
		       "files:read admin");
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

static void a_page_may_have_a_thousand_files(void **state)
{
	static struct file files[FILES_LIST_MAX];

	(void)state;
	for (int i = 0; i < FILES_LIST_MAX; i++) {
		files[i] = file;
		(void)snprintf(files[i].id, sizeof(files[i].id),
			       "0190b3a3-0000-7000-8000-%012x", (unsigned)i);
		memset(files[i].name, '"', FILE_NAME_MAX);
	}
	assert_ok(gateway_add(&g, files, FILES_LIST_MAX));
	assert_int_equal(list("limit=1000"), 200);
	assert_true(memory_answer(&g.memory).len > 500 * FILES_LIST_MAX);
	assert_true(gateway_said(
		&g, "\"next\":\"0190b3a3-0000-7000-8000-000000000000\""));
}

static int list_all(void)
{
	return list("");
}

static int list_page(void)
{
	return list("limit=1");
}

static int show_file(void)
{
	return ask("GET", handle_file);
}

static void a_list_without_memory_is_an_error_not_a_shorter_list(void **state)
{
	(void)state;
	add_files(2);
	assert_survives_no_memory(list_all, 200);
	assert_survives_no_memory(list_page, 200);
}

static void a_file_without_memory_is_an_error(void **state)
{
	(void)state;
	assert_survives_no_memory(show_file, 200);
}

static void a_list_without_a_database_is_unavailable(void **state)
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

/* --- ended sessions, and API tokens --------------------------------------- */

#define API "api-token-of-user-0042"
#define ROOT_API "api-token-of-user-0007"
#define SECRET "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

/* An API token from now on */
static void by_api(const char *session, const char *secret)
{
	g.api = session;
	g.secret = secret;
}

static void api_token(uint64_t user, const char *scope)
{
	sessions_put(db, &(struct session) {
				 .user = user,
				 .id = user == GATEWAY_USER ? API : ROOT_API,
				 .secret = SECRET,
				 .scope = scope });
	by_api(user == GATEWAY_USER ? API : ROOT_API, SECRET);
}

static void assert_all_say(int status, const char *slug)
{
	static const char *const queries[] = { "", "q=old", "q=nothing" };

	for (size_t i = 0; i < COUNT(queries); i++) {
		assert_int_equal(list(queries[i]), status);
		assert_true(gateway_said(&g, slug));
	}
	assert_int_equal(ask("GET", handle_file), status);
	assert_true(gateway_said(&g, slug));
	assert_int_equal(patch(JSON, SPAN("{\"name\":\"mine\"}")), status);
	assert_true(gateway_said(&g, slug));
	assert_int_equal(ask("DELETE", handle_file_remove), status);
	assert_true(gateway_said(&g, slug));
	assert_int_equal(gateway_objects(&g), 1);
	gateway_request(&g, "DELETE", "/files/x", "");
	assert_int_equal(gateway_answer(&g, handle_file_remove, SPAN("x")),
			 status);
	assert_int_equal(file_table_rows(db), 1);
}

static void a_session_that_has_ended_is_an_invalid_token(void **state)
{
	(void)state;
	sessions_revoke(db, session_of(GATEWAY_USER));
	assert_all_say(401, "urn:gatehouse:invalid-token");
	assert_span(memory_header(&g.memory, "WWW-Authenticate"),
		    "Bearer realm=\"gatehouse\", error=\"invalid_token\"");
}

static void the_token_of_a_disabled_user_is_invalid(void **state)
{
	(void)state;
	sessions_disable(db, GATEWAY_USER, true);
	assert_all_say(401, "urn:gatehouse:invalid-token");
	sessions_disable(db, GATEWAY_USER, false);
	assert_int_equal(ask("GET", handle_file), 200);
}

static void a_session_shows_only_its_own_user_s_files(void **state)
{
	(void)state;
	/* a token of user 42 with the session of user 7: there is no such
	 * token, and it shows nothing of user 42 */
	sessions_put(db, &(struct session) { .user = GATEWAY_OTHER,
					     .id = session_of(GATEWAY_USER) });
	assert_int_equal(ask("GET", handle_file), 404);
	assert_int_equal(ask("DELETE", handle_file_remove), 401);
	assert_int_equal(list(""), 401);
	assert_int_equal(file_table_rows(db), 1);
}

static void an_empty_list_differs_from_an_ended_session(void **state)
{
	(void)state;
	assert_int_equal(list("q=nothing"), 200);
	assert_true(gateway_said(&g, "{\"files\":[],\"next\":null}"));
	assert_int_equal(ask("DELETE", handle_file_remove), 204);
	assert_int_equal(list(""), 200);
	assert_true(gateway_said(&g, "{\"files\":[],\"next\":null}"));
	sessions_revoke(db, session_of(GATEWAY_USER));
	assert_int_equal(list(""), 401);
	assert_int_equal(list("q=nothing"), 401);
}

static void an_api_token_does_all_that_an_access_token_does(void **state)
{
	(void)state;
	api_token(GATEWAY_USER, "files:read files:write");
	assert_int_equal(list(""), 200);
	assert_true(gateway_said(&g, "old.txt"));
	assert_int_equal(list("q=nothing"), 200);
	assert_int_equal(ask("GET", handle_file), 200);
	assert_int_equal(patch(JSON, SPAN("{\"name\":\"new\"}")), 200);
	assert_int_equal(ask("DELETE", handle_file_remove), 204);
	assert_int_equal(ask("DELETE", handle_file_remove), 404);
	assert_int_equal(ask("GET", handle_file), 404);
}

static void the_log_has_the_user_of_an_api_token(void **state)
{
	(void)state;
	api_token(GATEWAY_USER, NULL);
	for (int i = 0; i < 4; i++) {
		if (i == 0)
			(void)list("");
		else if (i == 1)
			(void)ask("GET", handle_file);
		else if (i == 2)
			(void)ask("DELETE", handle_file_remove);
		else
			(void)ask("GET", handle_file); /* 404 by now */
		assert_true(g.asked.authenticated);
		assert_int_equal(g.asked.claims.user_id, GATEWAY_USER);
		assert_string_equal(g.asked.claims.email, "ann@example.org");
	}
	by_api(API, "wrong");
	assert_int_equal(ask("GET", handle_file), 401);
	assert_false(g.asked.authenticated);
}

static void a_wrong_secret_is_an_invalid_token(void **state)
{
	(void)state;
	api_token(GATEWAY_USER, NULL);
	by_api(API, "wrong");
	assert_all_say(401, "urn:gatehouse:invalid-token");
	/* nor is a login's session one of an API token, or the other way */
	by_api(session_of(GATEWAY_USER), SECRET);
	assert_all_say(401, "urn:gatehouse:invalid-token");
	by_api("no-such-session-000000", SECRET);
	assert_all_say(401, "urn:gatehouse:invalid-token");
	by_api(API, SECRET);
	sessions_revoke(db, API);
	assert_all_say(401, "urn:gatehouse:invalid-token");
}

static void an_api_token_without_the_scope_is_refused(void **state)
{
	(void)state;
	api_token(GATEWAY_USER, "files:write");
	assert_int_equal(list(""), 403);
	assert_true(gateway_said(&g, "urn:gatehouse:insufficient-scope"));
	assert_int_equal(list("q=nothing"), 403);
	assert_int_equal(ask("GET", handle_file), 403);
	assert_int_equal(patch(JSON, SPAN("{\"name\":\"new\"}")), 200);
	assert_int_equal(patch(JSON, SPAN("{\"name\":\"old.txt\"}")), 200);
	api_token(GATEWAY_USER, "files:read");
	assert_int_equal(ask("GET", handle_file), 200);
	assert_int_equal(patch(JSON, SPAN("{\"name\":\"new\"}")), 403);
	assert_int_equal(ask("DELETE", handle_file_remove), 403);
	assert_true(gateway_said(&g, "urn:gatehouse:insufficient-scope"));
	/* also where there is nothing to remove */
	gateway_request(&g, "DELETE", "/files/x", "");
	assert_int_equal(gateway_answer(&g, handle_file_remove, SPAN("x")),
			 403);
	assert_true(is_unchanged());
}

static int of_ann(const char *method, handler_fn *handle)
{
	gateway_request(&g, method, "/files/" ID, "owner=42");
	return gateway_answer(&g, handle, SPAN(ID));
}

static void an_admin_s_api_token_may_name_an_owner(void **state)
{
	(void)state;
	api_token(GATEWAY_OTHER, "files:read files:write admin");
	assert_int_equal(ask("GET", handle_file), 404);
	assert_int_equal(of_ann("GET", handle_file), 200);
	assert_int_equal(list("owner=42"), 200);
	assert_true(gateway_said(&g, "old.txt"));
	assert_int_equal(of_ann("DELETE", handle_file_remove), 204);
	assert_int_equal(file_table_rows(db), 0);
}

static void another_api_token_may_not_name_an_owner(void **state)
{
	static const struct {
		uint64_t user;
		const char *scope;
	} others[] = {
		{ GATEWAY_OTHER, "files:read files:write" },
		{ GATEWAY_OTHER, "administrator files:read files:write" },
		{ GATEWAY_USER, "files:read files:write admin" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		api_token(others[i].user, others[i].scope);
		assert_int_equal(list("owner=42"), 403);
		assert_int_equal(of_ann("GET", handle_file), 403);
		assert_int_equal(of_ann("DELETE", handle_file_remove), 403);
		assert_true(gateway_said(&g, "insufficient-scope"));
	}
	/* the scope of the route is needed too */
	api_token(GATEWAY_OTHER, "admin");
	assert_int_equal(list("owner=42"), 403);
	assert_int_equal(of_ann("GET", handle_file), 403);
	assert_int_equal(of_ann("DELETE", handle_file_remove), 403);
	by_api(ROOT_API, "wrong");
	assert_int_equal(list("owner=42"), 401);
	assert_int_equal(of_ann("GET", handle_file), 401);
	assert_int_equal(of_ann("DELETE", handle_file_remove), 401);
	assert_true(is_unchanged());
}

static int use_by(int how)
{
	switch (how) {
	case 0:
		return list("");
	case 1:
		return list("q=nothing");
	case 2:
		return ask("GET", handle_file);
	case 3:
		return patch(JSON, SPAN("{}"));
	default:
		gateway_request(&g, "DELETE", "/files/x", "");
		return gateway_answer(&g, handle_file_remove, SPAN("x"));
	}
}

static void the_use_of_an_api_token_is_recorded_every_five_minutes(void **state)
{
	(void)state;
	for (int how = 0; how < 5; how++) {
		api_token(GATEWAY_USER, NULL);
		assert_int_equal(session_last_used(db, API), 0);
		g.now = GATEWAY_NOW;
		(void)use_by(how);
		assert_int_equal(session_last_used(db, API), GATEWAY_NOW);
		g.now = GATEWAY_NOW + 299;
		(void)use_by(how);
		assert_int_equal(session_last_used(db, API), GATEWAY_NOW);
		g.now = GATEWAY_NOW + 300;
		(void)use_by(how);
		assert_int_equal(session_last_used(db, API), GATEWAY_NOW + 300);
	}
	g.now = GATEWAY_NOW;
}

static void a_refused_request_is_not_recorded_as_use(void **state)
{
	(void)state;
	api_token(GATEWAY_USER, NULL);
	by_api(API, "wrong");
	for (int how = 0; how < 5; how++)
		assert_int_equal(use_by(how), 401);
	assert_int_equal(session_last_used(db, API), 0);
	/* the use of a login is recorded by its refreshes */
	by_api(NULL, NULL);
	for (int how = 0; how < 5; how++)
		(void)use_by(how);
	assert_int_equal(session_last_used(db, session_of(GATEWAY_USER)), 0);
}

/* --- GET /readyz ---------------------------------------------------------- */

static void the_gateway_is_ready_with_a_store_and_a_database(void **state)
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
		FILES(a_deletion_removes_the_row_and_then_the_bytes),
		FILES(bytes_stay_if_the_row_cannot_be_deleted),
		FILES(bytes_that_cannot_be_removed_are_left_to_gc),
		FILES(name_and_expiry_change_together_or_not_at_all),
		FILES(members_that_a_patch_does_not_name_stay),
		FILES(a_malformed_patch_changes_nothing),
		FILES(a_patch_that_ends_early_changes_nothing),
		FILES(a_file_of_another_user_is_not_found),
		FILES(the_last_page_has_no_next),
		FILES(a_page_links_to_the_next_with_the_same_query),
		FILES(a_list_with_an_invalid_parameter_is_refused),
		FILES(a_page_may_have_a_thousand_files),
		FILES(a_list_without_memory_is_an_error_not_a_shorter_list),
		FILES(a_file_without_memory_is_an_error),
		FILES(a_list_without_a_database_is_unavailable),
		FILES(a_session_that_has_ended_is_an_invalid_token),
		FILES(the_token_of_a_disabled_user_is_invalid),
		FILES(a_session_shows_only_its_own_user_s_files),
		FILES(an_empty_list_differs_from_an_ended_session),
		FILES(an_api_token_does_all_that_an_access_token_does),
		FILES(the_log_has_the_user_of_an_api_token),
		FILES(a_wrong_secret_is_an_invalid_token),
		FILES(an_api_token_without_the_scope_is_refused),
		FILES(an_admin_s_api_token_may_name_an_owner),
		FILES(another_api_token_may_not_name_an_owner),
		FILES(the_use_of_an_api_token_is_recorded_every_five_minutes),
		FILES(a_refused_request_is_not_recorded_as_use),
		FILES(the_gateway_is_ready_with_a_store_and_a_database),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, open_db, close_db);
}
