/* The handlers by the program's routes, without a database: what works without
 * it, and which problem is answered else. */
#include "tests/unit/unit.h"

#include "cgi-auth/app/auth.h"
#include "common/base/arena.h"
#include "common/log/log.h"
#include "common/server/dispatch.h"
#include "common/server/health.h"
#include "tests/unit/transport_memory.h"

#include <sodium.h>

static const struct route routes[] = {
	{ "POST", "/login", handle_login, NO_AUTH },
	{ "POST", "/refresh", handle_refresh, NO_AUTH },
	{ "POST", "/logout", handle_logout, ANY_SCOPE, SESSION_BEFORE },
	{ "POST", "/password", handle_password, ANY_SCOPE, SESSION_BEFORE },
	{ "GET", "/tokens", handle_tokens, ANY_SCOPE, SESSION_BEFORE },
	{ "DELETE", "/sessions/*", handle_session_end, ANY_SCOPE,
	  SESSION_BEFORE },
	{ "GET", "/me", handle_me, ANY_SCOPE, SESSION_BEFORE },
	{ "GET", "/validate", handle_validate, ANY_SCOPE, SESSION_BEFORE },
	{ "GET", "/healthz", health_alive, NO_AUTH },
	{ "GET", "/readyz", handle_ready, NO_AUTH },
};

static char none[] = "", info[] = "info";
static struct service service = {
	.settings = { .cors_origins = none,
		      .log_level = info,
		      .trusted_proxies = none },
	.rules = { "gatehouse", "" },
};
static struct auth auth = {
	.settings = { .token_life = 900,
		      .session_life = 9000,
		      .throttle = { 5, 30, 600, 900 } },
	.service = &service,
};
static const struct program program = {
	.name = "cgi-auth",
	.router = { routes, COUNT(routes) },
	.app = &auth,
};
static struct memory memory;
static struct arena arena;

static int set_up_all(void **state)
{
	const struct db_config nowhere = {
		.host = "",
		.socket = "/nonexistent/socket",
		.user = "nobody",
		.password = "",
		.name = "auth",
		.pool = 1,
		.timeout = 1,
	};
	struct errmsg why;

	(void)state;
	log_setup("test", (enum log_level)(LOG_ERROR + 1)); /* nothing */
	return sodium_init() < 0 ||
	       keyring_file_fixed(SPAN("Zx81kq0Rv7TnYw3Lp9Ub5HsJc2Md6Fe4"),
				  &service.keys, &why) != ERR_OK ||
	       db_open(&nowhere, &service.db, &why) != ERR_OK ||
	       passwords_init(&auth.passwords, PASSWORD_MEMORY_MIN,
			      PASSWORD_PASSES_MIN, 1, 100) != ERR_OK;
}

static int tear_down_all(void **state)
{
	(void)state;
	passwords_release(&auth.passwords);
	db_close(service.db);
	keyring_file_close(service.keys);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena);
	memory_init(&memory, "GET", "/");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	memory_release(&memory);
	arena_release(&arena);
	return 0;
}

static int request_status(const char *method, const char *path,
			  const char *authorization)
{
	memory_release(&memory);
	memory_init(&memory, method, path);
	memory_set(&memory, "HTTP_AUTHORIZATION", authorization);
	dispatch_run(&program, &service, &memory.base, &arena);
	return memory_status(&memory);
}

static void assert_problem(const char *slug)
{
	struct span answer = memory_answer(&memory);
	char text[1024];

	assert_true(span_to_cstr(answer, text, sizeof(text)));
	assert_contains(text, slug);
}

/* "Bearer" and a token for user 7 that is valid for a minute */
static void bearer(char *out, size_t cap)
{
	struct claims c = {
		.user_id = 7,
		.email = "j\xc3\xb6rg@example.org",
		.scope = "files:read",
		.issuer = "gatehouse",
		.token_id = "id",
		.session = "AAAAAAAAAAAAAAAAAAAAAA",
		.issued_at = time(NULL),
		.not_before = time(NULL),
		.expires_at = time(NULL) + 60,
	};
	const struct keyring *ring;
	struct buf token;

	buf_init(&token, JWT_TOKEN_MAX);
	ring = keyring_file_take(service.keys, c.issued_at);
	assert_ok(jwt_sign(&c, ring, &token));
	keyring_file_give(service.keys, ring);
	(void)snprintf(out, cap, "Bearer %.*s", SPAN_ARG(buf_span(&token)));
	buf_release(&token);
}

static void a_login_without_credentials_is_401_with_a_challenge(void **state)
{
	(void)state;
	assert_int_equal(request_status("POST", "/login", NULL), 401);
	assert_problem("urn:gatehouse:missing-credentials");
	assert_span(memory_header(&memory, "WWW-Authenticate"),
		    "Basic realm=\"gatehouse\", charset=\"UTF-8\"");
	assert_int_equal(request_status("POST", "/login", "Bearer abc"), 401);
	assert_problem("urn:gatehouse:missing-credentials");
}

static void malformed_credentials_are_answered_like_wrong_ones(void **state)
{
	(void)state;
	assert_int_equal(request_status("POST", "/login", "Basic !"), 401);
	assert_problem("urn:gatehouse:invalid-credentials");
	assert_true(memory_has_header(&memory, "WWW-Authenticate"));
}

static void login_accepts_post_only(void **state)
{
	(void)state;
	assert_int_equal(request_status("GET", "/login", NULL), 405);
	assert_span(memory_header(&memory, "Allow"), "POST");
}

static void a_login_without_the_database_is_not_a_wrong_password(void **state)
{
	(void)state;
	assert_int_equal(request_status("POST", "/login", "Basic YTpi"), 503);
	assert_problem("urn:gatehouse:unavailable");
	assert_span(memory_header(&memory, "Retry-After"), "1");
	assert_false(memory_has_header(&memory, "WWW-Authenticate"));
}

static void a_token_cannot_be_checked_without_the_database(void **state)
{
	char token[JWT_TOKEN_MAX];

	(void)state;
	bearer(token, sizeof(token));
	assert_int_equal(request_status("GET", "/validate", token), 503);
	assert_problem("urn:gatehouse:unavailable");
	assert_false(memory_has_header(&memory, "X-Auth-User"));
}

static void a_refused_token_gets_no_headers_of_a_user(void **state)
{
	(void)state;
	assert_int_equal(request_status("GET", "/validate", "Bearer a.b.c"),
			 401);
	assert_problem("urn:gatehouse:invalid-token");
	assert_false(memory_has_header(&memory, "X-Auth-User"));
	assert_int_equal(request_status("GET", "/validate", NULL), 401);
	assert_problem("urn:gatehouse:missing-token");
}

static void me_needs_the_database(void **state)
{
	char token[JWT_TOKEN_MAX];

	(void)state;
	bearer(token, sizeof(token));
	assert_int_equal(request_status("GET", "/me", token), 503);
}

static void an_account_cannot_be_changed_without_the_database(void **state)
{
	static const char *const routes_of[][2] = {
		{ "POST", "/logout" },
		{ "POST", "/password" },
		{ "GET", "/tokens" },
		{ "DELETE", "/sessions/x" },
	};
	char token[JWT_TOKEN_MAX];

	(void)state;
	bearer(token, sizeof(token));
	for (size_t i = 0; i < COUNT(routes_of); i++) {
		assert_int_equal(
			request_status(routes_of[i][0], routes_of[i][1], token),
			503);
		assert_int_equal(
			request_status(routes_of[i][0], routes_of[i][1], NULL),
			401);
	}
}

static void a_refresh_without_a_token_is_400(void **state)
{
	(void)state;
	assert_int_equal(request_status("POST", "/refresh", NULL), 400);
	assert_problem("urn:gatehouse:bad-request");
}

static void healthz_answers_without_the_database_and_readyz_does_not(
	void **state)
{
	(void)state;
	assert_int_equal(request_status("GET", "/healthz", NULL), 200);
	assert_span(memory_answer(&memory), "{\"status\":\"ok\"}\n");
	assert_int_equal(request_status("GET", "/readyz", NULL), 503);
	assert_problem("urn:gatehouse:unavailable");
}

#define FIXTURE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(
			a_login_without_credentials_is_401_with_a_challenge),
		FIXTURE_TEST(
			malformed_credentials_are_answered_like_wrong_ones),
		FIXTURE_TEST(login_accepts_post_only),
		FIXTURE_TEST(
			a_login_without_the_database_is_not_a_wrong_password),
		FIXTURE_TEST(a_token_cannot_be_checked_without_the_database),
		FIXTURE_TEST(a_refused_token_gets_no_headers_of_a_user),
		FIXTURE_TEST(me_needs_the_database),
		FIXTURE_TEST(an_account_cannot_be_changed_without_the_database),
		FIXTURE_TEST(a_refresh_without_a_token_is_400),
		FIXTURE_TEST(
			healthz_answers_without_the_database_and_readyz_does_not),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
