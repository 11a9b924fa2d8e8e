/* POST /otp/confirm for user 1, with a database; the token is not checked */
#include "tests/unit/schema.h"

#include "cgi-auth/app/auth.h"
#include "cgi-auth/tables/otp.h"
#include "common/base/arena.h"
#include "common/log/log.h"
#include "common/server/dispatch.h"
#include "tests/unit/transport_memory.h"

enum { ANN = 1 };

/* json_object_new_string() returns NULL after so many calls; below 0: never */
static int strings_left;

struct json_object *__real_json_object_new_string(const char *s);
struct json_object *__wrap_json_object_new_string(const char *s);
struct json_object *__wrap_json_object_new_string(const char *s)
{
	if (strings_left >= 0 && strings_left-- == 0)
		return NULL;
	return __real_json_object_new_string(s);
}

static enum err confirm(void *app, struct request *rq, struct response *rs)
{
	rq->claims.user_id = ANN;
	return handle_otp_confirm(app, rq, rs);
}

static const struct route routes[] = {
	{ "POST", "/otp/confirm", confirm, NO_AUTH | TAKES_BODY },
};

static char none[] = "", info[] = "info";
static struct service service = {
	.settings = { .cors_origins = none,
		      .log_level = info,
		      .trusted_proxies = none },
};
static struct auth auth = { .service = &service };
static const struct program program = {
	.name = "cgi-auth",
	.router = { routes, COUNT(routes) },
	.app = &auth,
};
static struct memory memory;

static int set_up_all(void **state)
{
	(void)state;
	log_setup("test", (enum log_level)(LOG_ERROR + 1)); /* nothing */
	schema_auth("001-user");
	schema_auth("012-otp");
	schema_auth("013-otp-recovery");
	service.db = mariadb_pool(2);
	return 0;
}

static int tear_down_all(void **state)
{
	(void)state;
	db_close(service.db);
	return 0;
}

/* A new secret of Ann, and the status of the answer to its code */
static int confirm_code(void)
{
	unsigned char secret[OTP_SECRET];
	char code[OTP_DIGITS + 1], body[64];
	struct arena arena;
	struct otp_secret s;
	int64_t now = (int64_t)time(NULL);

	assert_ok(otp_enrol(service.db, ANN, now, &s, NULL));
	assert_ok(db_row(service.db, "SELECT secret FROM otp WHERE user_id = 1",
			 DB_NONE, DB_OUT(db_to_bytes(secret, sizeof(secret))),
			 NULL));
	assert_ok(otp_code(secret, now / OTP_STEP, code));
	(void)snprintf(body, sizeof(body), "{\"code\":\"%s\"}", code);
	memory_init(&memory, "POST", "/otp/confirm");
	memory_set(&memory, "CONTENT_TYPE", "application/json");
	memory_body(&memory, span_of(body), 0);
	arena_init(&arena);
	dispatch_run(&program, &service, &memory.base, &arena);
	arena_release(&arena);
	return memory_status(&memory);
}

static int set_up(void **state)
{
	enum err e = db_change(service.db, "DELETE FROM user", DB_NONE, NULL);

	(void)state;
	strings_left = -1;
	assert_true(e == ERR_OK || e == ERR_NOT_FOUND);
	assert_ok(db_change(service.db,
			    "INSERT INTO user (id, email, password)"
			    " VALUES (1, 'ann@x', '')",
			    DB_NONE, NULL));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	memory_release(&memory);
	return 0;
}

static size_t codes_in(struct span answer)
{
	size_t dashes = 0;

	for (size_t i = 0; i < answer.len; i++)
		dashes += answer.p[i] == '-';
	return dashes / 3;
}

static void a_confirmation_returns_every_recovery_code(void **state)
{
	(void)state;
	assert_int_equal(confirm_code(), 200);
	assert_int_equal(codes_in(memory_answer(&memory)), OTP_RECOVERY_CODES);
}

static void an_answer_without_memory_is_500_and_has_no_codes(void **state)
{
	(void)state;
	strings_left = 3;
	assert_int_equal(confirm_code(), 500);
	assert_int_equal(codes_in(memory_answer(&memory)), 0);
}

int main(int argc, char **argv)
{
#define FIXTURE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(a_confirmation_returns_every_recovery_code),
		FIXTURE_TEST(an_answer_without_memory_is_500_and_has_no_codes),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
