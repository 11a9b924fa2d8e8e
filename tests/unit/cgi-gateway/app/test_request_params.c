#include "cgi-gateway/app/request_params.h"
#include "tests/unit/transport_memory.h"
#include "tests/unit/unit.h"

enum {
	NOW = 1767225600, /* 2026-01-01T00:00:00Z */
	TEN_YEARS = 10 * 366 * 86400,
};

static struct app app;
static struct memory memory;
static struct arena arena;
static struct request rq;
static struct response rs;

static int set_up(void **state)
{
	(void)state;
	app = (struct app) { .public_url = "" };
	memory_init(&memory, "GET", "/files");
	arena_init(&arena);
	response_init(&rs, &memory.base, false);
	return request_init(&rq, &memory.base, &arena, "cgi-gateway",
			    NOW * INT64_C(1000)) == ERR_OK
		       ? 0
		       : -1;
}

static int tear_down(void **state)
{
	(void)state;
	response_release(&rs);
	memory_release(&memory);
	arena_release(&arena);
	return 0;
}

/* --- ?owner= -------------------------------------------------------------- */

static enum err owner(const char *query, bool admin, const char *scope,
		      uint64_t *out)
{
	static struct session_check session;

	rq.query = span_of(query);
	rq.claims = (struct claims) { .user_id = 42, .admin = admin };
	(void)snprintf(rq.claims.scope, sizeof(rq.claims.scope), "%s", scope);
	session_check_init(&session, &rq, "files:read");
	rq.session = &session;
	return request_owner(&app, &rq, &rs, out);
}

static void a_request_without_owner_is_for_one_s_own_files(void **state)
{
	uint64_t id = 77;

	(void)state;
	assert_ok(owner("", false, "files:read", &id));
	assert_int_equal(id, 0);
	id = 77;
	assert_ok(owner("owners=7&q=owner", false, "files:read", &id));
	assert_int_equal(id, 0);
	id = 77;
	assert_ok(owner("", true, "files:read admin", &id));
	assert_int_equal(id, 0);
}

static void an_admin_may_name_another_owner(void **state)
{
	uint64_t id = 0;

	(void)state;
	assert_ok(owner("owner=7", true, "files:read admin", &id));
	assert_int_equal(id, 7);
	assert_ok(owner("q=x&owner=9223372036854775807", true, "admin", &id));
	assert_true(id == INT64_MAX);
}

static void another_user_may_not_name_an_owner(void **state)
{
	uint64_t id = 77;

	(void)state;
	assert_err(owner("owner=7", false, "files:read files:write", &id),
		   ERR_SCOPE);
	/* neither alone is enough: a scope may be asked for less */
	assert_err(owner("owner=7", true, "files:read", &id), ERR_SCOPE);
	assert_err(owner("owner=7", false, "files:read admin", &id), ERR_SCOPE);
	assert_err(owner("owner=7", true, "administrator", &id), ERR_SCOPE);
	/* nor a parameter that was written otherwise */
	assert_err(owner("owner=", false, "files:read", &id), ERR_SCOPE);
	assert_err(owner("owner", false, "files:read", &id), ERR_SCOPE);
	assert_err(owner("owner=7&owner=42", false, "files:read", &id),
		   ERR_SCOPE);
	/* 0 is one's own: an error never leaves another user's id */
	assert_int_equal(id, 0);
}

static void an_owner_that_is_no_user_id_is_refused(void **state)
{
	static const char *const queries[] = {
		"owner=",
		"owner",
		"owner=0",
		"owner=00",
		"owner=-1",
		"owner=+1",
		"owner=1.0",
		"owner=abc",
		"owner=1%00",
		"owner=%207",
		"owner=9223372036854775808",
		"owner=18446744073709551658",
	};
	uint64_t id = 77;

	(void)state;
	for (size_t i = 0; i < COUNT(queries); i++)
		assert_err(owner(queries[i], true, "admin", &id), ERR_INVALID);
	assert_err(owner("owner=%zz", true, "admin", &id), ERR_FORMAT);
	assert_int_equal(id, 0);
}

/* --- expiry --------------------------------------------------------------- */

static void an_expiry_is_from_a_second_to_ten_years(void **state)
{
	int64_t at = -7;

	(void)state;
	assert_ok(request_expiry(&rq, &rs, 1, &at));
	assert_int_equal(at, NOW + 1);
	assert_ok(request_expiry(&rq, &rs, TEN_YEARS, &at));
	assert_int_equal(at, NOW + (int64_t)TEN_YEARS);
}

static void an_expiry_outside_these_limits_is_refused(void **state)
{
	static const int64_t wrong[] = { 0, -1, TEN_YEARS + 1, INT64_MAX,
					 INT64_MIN };
	int64_t at = -7;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		rs.detail[0] = '\0';
		assert_err(request_expiry(&rq, &rs, wrong[i], &at),
			   ERR_INVALID);
		assert_contains(rs.detail, "expires_in");
	}
	assert_int_equal(at, -7);
}

#define PARAMS_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PARAMS_TEST(a_request_without_owner_is_for_one_s_own_files),
		PARAMS_TEST(an_admin_may_name_another_owner),
		PARAMS_TEST(another_user_may_not_name_an_owner),
		PARAMS_TEST(an_owner_that_is_no_user_id_is_refused),
		PARAMS_TEST(an_expiry_is_from_a_second_to_ten_years),
		PARAMS_TEST(an_expiry_outside_these_limits_is_refused),
	};

	return RUN(tests);
}
