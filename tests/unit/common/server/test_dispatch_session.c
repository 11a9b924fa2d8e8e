/* The flags of a route: when dispatch checks the session of a token, and
 * whether the handler runs. */
#include "common/log/log.h"
#include "common/server/dispatch.h"
#include "tests/unit/live_sessions.h"
#include "tests/unit/transport_memory.h"

#include <sodium.h>
#include <time.h>

enum { ANN = 42 };

static struct service service;
static struct arena arena;
static char api_id[IDENT_LEN + 1], api_token[API_TOKEN_LEN + 1], header[2048];
static int handled; /* requests that reached the handler */

static enum err handle(void *app, struct request *rq, struct response *rs)
{
	(void)app;
	handled++;
	assert_non_null(rq->session);
	return response_empty(rs, 204);
}

/* A statement that joins the session, like those of tables/ */
static enum err handle_statement(void *app, struct request *rq,
				 struct response *rs)
{
	struct session_check *c = rq->session;
	enum err e;

	(void)app;
	handled++;
	e = db_row(service.db,
		   "SELECT l.user_id, l.email, l.last_used_at"
		   "  FROM live_session l WHERE " SESSION_VALID,
		   DB_IN(SESSION_VALUES(c)),
		   DB_OUT(db_to_uint(&c->user_id),
			  db_to_text(c->email, sizeof(c->email)),
			  db_to_int(&c->last_used)),
		   &rs->why);
	if (e == ERR_NOT_FOUND)
		return session_check_no_row(service.db, c, ERR_BAD_TOKEN,
					    &rs->why);
	session_check_found(service.db, c);
	assert_true(rq->authenticated);
	assert_string_equal(rq->claims.email, "ann@example.org");
	return e == ERR_OK ? response_empty(rs, 204) : e;
}

static const struct route routes[] = {
	{ "GET", "/before", handle, "files:read", SESSION_BEFORE },
	{ "GET", "/unset", handle, ANY_SCOPE, 0 },
	{ "GET", "/in", handle_statement, "files:read", SESSION_IN_STATEMENT },
	{ "GET", "/api", handle, "files:read", SESSION_API_BEFORE },
	{ "GET", "/login", handle, ANY_SCOPE, SESSION_BEFORE | LOGIN_ONLY },
	{ "GET", "/login-in", handle, ANY_SCOPE,
	  SESSION_IN_STATEMENT | LOGIN_ONLY },
	{ "GET", "/both", handle, "files:read files:write",
	  SESSION_IN_STATEMENT },
};
static const struct program program = {
	.name = "test-session",
	.router = { routes, COUNT(routes) },
};

static int request_status(const char *path, const char *token)
{
	struct memory m;
	int status;

	handled = 0;
	(void)snprintf(header, sizeof(header), "Bearer %s", token);
	memory_init(&m, "GET", path);
	memory_set(&m, "HTTP_AUTHORIZATION", header);
	dispatch_run(&program, &service, &m.base, &arena);
	status = memory_status(&m);
	memory_release(&m);
	return status;
}

static const char *access_token(void)
{
	static char text[JWT_TOKEN_MAX + 1];
	struct claims c = { .user_id = ANN,
			    .email = "ann@example.org",
			    .scope = "files:read",
			    .issuer = "gatehouse",
			    .issued_at = (int64_t)time(NULL) };
	const struct keyring *ring;
	struct buf out;

	c.not_before = c.issued_at;
	c.expires_at = c.issued_at + 60;
	ident_random(c.token_id);
	(void)snprintf(c.session, sizeof(c.session), "%s", session_of(ANN));
	ring = keyring_file_take(service.keys, c.issued_at);
	buf_init(&out, JWT_TOKEN_MAX);
	assert_ok(jwt_sign(&c, ring, &out));
	keyring_file_give(service.keys, ring);
	assert_true(span_to_cstr(buf_span(&out), text, sizeof(text)));
	buf_release(&out);
	return text;
}

static void put_sessions(const char *api_scope)
{
	sessions_put(service.db, &(struct session) { .user = ANN });
	sessions_put(service.db,
		     &(struct session) { .user = ANN,
					 .id = api_id,
					 .secret = api_token + API_TOKEN_LEN -
						   API_SECRET_LEN,
					 .scope = api_scope });
}

static void a_valid_session_reaches_every_handler(void **state)
{
	static const char *const paths[] = { "/before", "/unset", "/in",
					     "/api",	"/login", "/login-in" };

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		assert_int_equal(request_status(paths[i], access_token()), 204);
		assert_int_equal(handled, 1);
	}
}

static void an_ended_session_is_refused_before_the_handler(void **state)
{
	static const char *const paths[] = { "/before", "/unset", "/login" };

	(void)state;
	sessions_revoke(service.db, session_of(ANN));
	for (size_t i = 0; i < COUNT(paths); i++) {
		assert_int_equal(request_status(paths[i], access_token()), 401);
		assert_int_equal(handled, 0);
	}
}

static void an_ended_session_is_refused_by_the_statement_of_the_handler(
	void **state)
{
	(void)state;
	sessions_revoke(service.db, session_of(ANN));
	assert_int_equal(request_status("/in", access_token()), 401);
	assert_int_equal(handled, 1);
}

static void an_access_token_is_not_checked_where_only_api_tokens_are(
	void **state)
{
	(void)state;
	sessions_revoke(service.db, session_of(ANN));
	assert_int_equal(request_status("/api", access_token()), 204);
	assert_int_equal(handled, 1);
}

static void an_ended_api_token_is_refused_before_the_handler(void **state)
{
	static const struct {
		const char *path;
		int handled;
	} all[] = { { "/before", 0 }, { "/unset", 0 }, { "/in", 1 },
		    { "/api", 0 },    { "/login", 0 }, { "/login-in", 0 } };

	(void)state;
	sessions_revoke(service.db, api_id);
	for (size_t i = 0; i < COUNT(all); i++) {
		assert_int_equal(request_status(all[i].path, api_token), 401);
		assert_int_equal(handled, all[i].handled);
	}
}

static void an_api_token_without_the_scope_is_refused_by_every_kind_of_check(
	void **state)
{
	static const char *const paths[] = { "/before", "/in", "/api" };

	(void)state;
	put_sessions("files:write");
	for (size_t i = 0; i < COUNT(paths); i++)
		assert_int_equal(request_status(paths[i], api_token), 403);
	assert_int_equal(request_status("/unset", api_token), 204);
}

static void a_route_with_several_scopes_requires_them_all_in_any_order(
	void **state)
{
	static const struct {
		const char *scope;
		int status;
	} all[] = { { "files:write", 403 },
		    { "files:read", 403 },
		    { "files:write files:read", 204 },
		    { "files:read admin files:write", 204 } };

	(void)state;
	assert_int_equal(request_status("/both", access_token()), 403);
	for (size_t i = 0; i < COUNT(all); i++) {
		put_sessions(all[i].scope);
		assert_int_equal(request_status("/both", api_token),
				 all[i].status);
		assert_int_equal(handled, all[i].status == 204);
	}
}

static void an_api_token_is_refused_by_a_login_only_route(void **state)
{
	(void)state;
	assert_int_equal(request_status("/before", api_token), 204);
	assert_int_equal(request_status("/login", api_token), 403);
	assert_int_equal(handled, 0);
	assert_int_equal(request_status("/login-in", api_token), 403);
	assert_int_equal(handled, 0);
}

static int set_up(void **state)
{
	(void)state;
	put_sessions("files:read");
	return 0;
}

static int set_up_all(void **state)
{
	struct bearer_id id = { .api = true };
	struct errmsg why;

	(void)state;
	log_setup("test-session", LOG_ERROR);
	service.db = mariadb_pool(2);
	sessions_make();
	sessions_user(service.db, ANN, "ann@example.org", false);
	ident_random(api_id);
	(void)snprintf(id.session, sizeof(id.session), "%s", api_id);
	bearer_id_make_api(&id, api_token);
	service.rules = (struct jwt_rules) { "gatehouse", "" };
	arena_init(&arena);
	if (keyring_file_fixed(SPAN("Zt9!kQ2#vL7@xN4$bR8%mW1^pS6&cF3*"),
			       &service.keys, &why) != ERR_OK)
		return -1;
	return 0;
}

static int tear_down_all(void **state)
{
	(void)state;
	keyring_file_close(service.keys);
	arena_release(&arena);
	db_close(service.db);
	return 0;
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup(name, set_up)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(a_valid_session_reaches_every_handler),
		FIXTURE_TEST(an_ended_session_is_refused_before_the_handler),
		FIXTURE_TEST(
			an_ended_session_is_refused_by_the_statement_of_the_handler),
		FIXTURE_TEST(
			an_access_token_is_not_checked_where_only_api_tokens_are),
		FIXTURE_TEST(an_ended_api_token_is_refused_before_the_handler),
		FIXTURE_TEST(
			an_api_token_without_the_scope_is_refused_by_every_kind_of_check),
		FIXTURE_TEST(
			a_route_with_several_scopes_requires_them_all_in_any_order),
		FIXTURE_TEST(an_api_token_is_refused_by_a_login_only_route),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
