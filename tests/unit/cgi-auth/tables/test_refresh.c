/* Refresh tokens against real tables, with the clock and keys of the test */
#include "tests/unit/schema.h"

#include "cgi-auth/tables/refresh.h"
#include "cgi-auth/tables/sessions.h"

#include <pthread.h>
#include <sodium.h>

enum { T0 = 1700000000, LIFE = 1000, GRACE = 10, END = T0 + 5000, RACERS = 50 };

static const struct refresh_rules rules = { LIFE, GRACE };
static const char session[] = "AAAAAAAAAAAAAAAAAAAAAA";
static struct keyring ring;
static struct db *db;

/* The last key signs */
#define KEY_A "a 1 - XqGggRCc5v34qWbQysnu1oacb2UKWmKPabU-3pZI2KM\n"
#define KEY_B "b 2 - 4vNaIvFgAPNISa3aN3PnKyGO9tuf2WLzjZzxCSarg7k\n"

static void use_keys(const char *text)
{
	struct errmsg why = { "" };

	keyring_release(&ring);
	assert_ok(keyring_from_text(span_of(text), &ring, &why));
}

static int set_up_all(void **state)
{
	(void)state;
	schema_auth("001-user");
	schema_auth("002-user-account");
	schema_auth("004-session");
	schema_auth("005-refresh");
	schema_auth("012-otp");
	db = mariadb_pool(16);
	return 0;
}

static int tear_down_all(void **state)
{
	(void)state;
	keyring_release(&ring);
	db_close(db);
	return 0;
}

#define sql(statement)                                                      \
	do {                                                                \
		struct errmsg sql_m = { "" };                               \
		enum err sql_e = db_change(db, statement, DB_NONE, &sql_m); \
		assert_string_equal(sql_m.text, "");                        \
		assert_true(sql_e == ERR_OK || sql_e == ERR_NOT_FOUND);     \
	} while (0)

static int set_up(void **state)
{
	const struct session s = { .user_id = 7,
				   .id = "AAAAAAAAAAAAAAAAAAAAAA",
				   .scope = "files:read admin",
				   .created_at = T0,
				   .expires_at = END };

	const struct session_basis as_read = { .email = "ann@x",
					       .admin = true };
	struct db_conn *c;

	(void)state;
	use_keys(KEY_A);
	sql("DELETE FROM refresh");
	sql("DELETE FROM session");
	sql("DELETE FROM user");
	sql("INSERT INTO user (id, email, password, admin, scope) VALUES "
	    "(7, 'ann@x', '', 1, 'files:read admin')");
	assert_ok(db_begin(db, &c, NULL));
	assert_ok(sessions_add_login(c, &s, &as_read, NULL));
	assert_ok(db_commit(c, NULL));
	return 0;
}

static void first(char out[static REFRESH_LEN + 1])
{
	struct db_conn *c;
	int64_t until = 0;

	assert_ok(db_begin(db, &c, NULL));
	assert_ok(
		refresh_first(c, &rules, session, END, T0, out, &until, NULL));
	assert_ok(db_commit(c, NULL));
	assert_int_equal(until, T0 + LIFE);
}

static enum err rotate(const char *text, int64_t now,
		       struct refresh_rotation *t)
{
	struct errmsg why = { "" };
	enum err e =
		refresh_rotate(db, &ring, &rules, span_of(text), now, t, &why);

	assert_string_equal(why.text, "");
	return e;
}

static int64_t count_rows(void)
{
	int64_t n = -1;

	assert_ok(db_row(db, "SELECT COUNT(*) FROM refresh", DB_NONE,
			 DB_OUT(db_to_int(&n)), NULL));
	return n;
}

static int64_t ended_at(void)
{
	int64_t t = 0;

	assert_ok(db_row(db, "SELECT revoked_at FROM session", DB_NONE,
			 DB_OUT(db_to_int_or(&t, -1)), NULL));
	return t;
}

static void a_rotation_returns_the_user_the_session_and_a_successor(
	void **state)
{
	char one[REFRESH_LEN + 1];
	struct refresh_rotation t, next;

	(void)state;
	first(one);
	assert_int_equal(strlen(one), REFRESH_LEN);
	assert_memory_equal(one, "ghr_", 4);
	assert_ok(rotate(one, T0 + 500, &t));
	assert_int_equal(t.outcome, REFRESH_ROTATED);
	assert_string_equal(t.session, session);
	assert_int_equal(t.session_ends, END);
	assert_int_equal(t.user.id, 7);
	assert_string_equal(t.user.email, "ann@x");
	assert_string_equal(t.user.scope, "files:read admin");
	assert_true(t.user.admin);
	assert_int_equal(t.expires_at, T0 + 500 + LIFE);
	assert_int_equal(strlen(t.text), REFRESH_LEN);
	assert_string_not_equal(t.text, one);
	assert_ok(rotate(t.text, T0 + 1400, &next));
}

static void the_first_tokens_are_random(void **state)
{
	char one[REFRESH_LEN + 1], two[REFRESH_LEN + 1];

	(void)state;
	first(one);
	first(two);
	assert_string_not_equal(one, two);
}

static void the_successor_cannot_be_computed_without_the_key(void **state)
{
	char one[REFRESH_LEN + 1], under_a[REFRESH_LEN + 1];
	struct refresh_rotation t;

	(void)state;
	first(one);
	assert_ok(rotate(one, T0, &t));
	memcpy(under_a, t.text, sizeof(under_a));
	sql("DELETE FROM refresh WHERE spent_at IS NULL");
	sql("UPDATE refresh SET spent_at = NULL, next_hash = NULL");
	use_keys(KEY_B);
	assert_ok(rotate(one, T0, &t));
	assert_string_not_equal(t.text, under_a);
}

static void the_successor_is_the_same_within_the_grace_time(void **state)
{
	char one[REFRESH_LEN + 1], next[REFRESH_LEN + 1];
	struct refresh_rotation t;

	(void)state;
	first(one);
	assert_ok(rotate(one, T0, &t));
	memcpy(next, t.text, sizeof(next));
	for (int64_t later = 0; later < GRACE; later++) {
		assert_ok(rotate(one, T0 + later, &t));
		assert_int_equal(t.outcome, REFRESH_REPEATED);
		assert_string_equal(t.text, next);
		assert_int_equal(t.expires_at, T0 + LIFE);
	}
	assert_int_equal(count_rows(), 2);
	assert_int_equal(ended_at(), -1);
}

static void a_token_is_reused_in_the_second_the_grace_time_ends(void **state)
{
	char one[REFRESH_LEN + 1], next[REFRESH_LEN + 1];
	struct refresh_rotation t;

	(void)state;
	first(one);
	assert_ok(rotate(one, T0, &t));
	memcpy(next, t.text, sizeof(next));
	assert_err(rotate(one, T0 + GRACE, &t), ERR_BAD_TOKEN);
	assert_int_equal(t.outcome, REFRESH_REUSED);
	assert_string_equal(t.session, session);
	assert_string_equal(t.user.email, "ann@x");
	assert_string_equal(t.text, "");
	assert_int_equal(ended_at(), T0 + GRACE);
	assert_err(rotate(next, T0 + GRACE, &t), ERR_BAD_TOKEN);
	assert_int_equal(t.outcome, REFRESH_ENDED);
}

static void a_clock_that_is_behind_ends_no_session(void **state)
{
	char one[REFRESH_LEN + 1];
	struct refresh_rotation t;

	(void)state;
	first(one);
	assert_ok(rotate(one, T0 + 5, &t));
	assert_ok(rotate(one, T0, &t));
	assert_int_equal(t.outcome, REFRESH_REPEATED);
}

static void a_successor_is_found_under_the_key_that_made_it(void **state)
{
	char one[REFRESH_LEN + 1], next[REFRESH_LEN + 1];
	struct refresh_rotation t;

	(void)state;
	first(one);
	assert_ok(rotate(one, T0, &t));
	memcpy(next, t.text, sizeof(next));
	use_keys(KEY_A KEY_B);
	assert_ok(rotate(one, T0 + 1, &t));
	assert_string_equal(t.text, next);
	use_keys(
		KEY_B); /* without the key: no successor, and no session ends */
	assert_err(rotate(one, T0 + 2, &t), ERR_BAD_TOKEN);
	assert_int_equal(ended_at(), -1);
	assert_ok(rotate(next, T0 + 3, &t));
}

static void a_rotation_that_is_refused_returns_no_successor(void **state)
{
	char one[REFRESH_LEN + 1];
	struct refresh_rotation t;

	(void)state;
	first(one);
	assert_ok(rotate(one, T0, &t));
	use_keys(KEY_B);
	assert_err(rotate(one, T0 + 1, &t), ERR_BAD_TOKEN);
	assert_int_equal(t.outcome, REFRESH_UNKNOWN);
	assert_string_equal(t.text, "");
	assert_int_equal(t.expires_at, 0);
}

static void an_interrupted_rotation_is_completed(void **state)
{
	char one[REFRESH_LEN + 1], next[REFRESH_LEN + 1];
	struct refresh_rotation t;

	(void)state;
	first(one);
	assert_ok(rotate(one, T0, &t));
	memcpy(next, t.text, sizeof(next));
	/* as if the program had ended between its two statements */
	sql("UPDATE refresh SET spent_at = NULL, next_hash = NULL");
	assert_ok(rotate(one, T0 + 1, &t));
	assert_int_equal(t.outcome, REFRESH_ROTATED);
	assert_string_equal(t.text, next);
	assert_int_equal(count_rows(), 2);
}

static void a_token_is_expired_in_the_second_of_expires_at(void **state)
{
	char one[REFRESH_LEN + 1];
	struct refresh_rotation t;

	(void)state;
	first(one);
	assert_err(rotate(one, T0 + LIFE, &t), ERR_EXPIRED);
	assert_int_equal(t.outcome, REFRESH_EXPIRED);
	assert_ok(rotate(one, T0 + LIFE - 1, &t));
}

static void no_token_outlives_its_session(void **state)
{
	char one[REFRESH_LEN + 1];
	struct refresh_rotation t, next;

	(void)state;
	first(one);
	sql("UPDATE refresh SET expires_at = 1700009999");
	assert_ok(rotate(one, END - 1, &t));
	assert_int_equal(t.expires_at, END);
	assert_err(rotate(t.text, END, &next), ERR_EXPIRED);
}

static void a_malformed_token_costs_no_statement(void **state)
{
	static const char *const texts[] = {
		"",
		"x",
		"ghr_",
		"ghr_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"ghr_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"ghr_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",
		"ghr_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"GHR_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	};
	struct refresh_rotation t;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_err(refresh_rotate(NULL, &ring, &rules,
					  span_of(texts[i]), T0, &t, NULL),
			   ERR_BAD_TOKEN);
		assert_int_equal(t.outcome, REFRESH_MALFORMED);
	}
	assert_err(rotate("ghr_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", T0,
			  &t),
		   ERR_BAD_TOKEN);
	assert_int_equal(t.outcome, REFRESH_UNKNOWN);
}

static void an_ended_session_or_a_disabled_user_gets_no_successor(void **state)
{
	char one[REFRESH_LEN + 1];
	struct refresh_rotation t;

	(void)state;
	first(one);
	sql("UPDATE user SET disabled_at = 1");
	assert_err(rotate(one, T0, &t), ERR_BAD_TOKEN);
	assert_int_equal(t.outcome, REFRESH_ENDED);
	sql("UPDATE user SET disabled_at = NULL");
	assert_ok(sessions_end_id(db, session, T0, NULL));
	assert_err(rotate(one, T0, &t), ERR_BAD_TOKEN);
	assert_int_equal(t.outcome, REFRESH_ENDED);
	assert_int_equal(count_rows(), 1);
}

struct racer {
	pthread_t thread;
	const char *text;
	enum err e;
	struct refresh_rotation turn;
};

static void *race(void *arg)
{
	struct racer *r = arg;

	r->e = refresh_rotate(db, &ring, &rules, span_of(r->text), T0, &r->turn,
			      NULL);
	db_thread_end();
	return NULL;
}

static void fifty_simultaneous_rotations_return_one_successor(void **state)
{
	static struct racer racers[RACERS];
	char one[REFRESH_LEN + 1];
	int turned = 0;

	(void)state;
	for (int round = 0; round < 5; round++) {
		set_up(NULL);
		first(one);
		turned = 0;
		for (size_t i = 0; i < RACERS; i++) {
			racers[i].text = one;
			assert_int_equal(pthread_create(&racers[i].thread, NULL,
							race, &racers[i]),
					 0);
		}
		for (size_t i = 0; i < RACERS; i++) {
			assert_int_equal(pthread_join(racers[i].thread, NULL),
					 0);
			assert_ok(racers[i].e);
			assert_string_equal(racers[i].turn.text,
					    racers[0].turn.text);
			turned += racers[i].turn.outcome == REFRESH_ROTATED;
		}
		assert_int_equal(turned, 1);
		assert_int_equal(count_rows(), 2);
		assert_int_equal(ended_at(), -1);
	}
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup(name, set_up)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(
			a_rotation_returns_the_user_the_session_and_a_successor),
		FIXTURE_TEST(the_first_tokens_are_random),
		FIXTURE_TEST(the_successor_cannot_be_computed_without_the_key),
		FIXTURE_TEST(the_successor_is_the_same_within_the_grace_time),
		FIXTURE_TEST(
			a_token_is_reused_in_the_second_the_grace_time_ends),
		FIXTURE_TEST(a_clock_that_is_behind_ends_no_session),
		FIXTURE_TEST(a_successor_is_found_under_the_key_that_made_it),
		FIXTURE_TEST(a_rotation_that_is_refused_returns_no_successor),
		FIXTURE_TEST(an_interrupted_rotation_is_completed),
		FIXTURE_TEST(a_token_is_expired_in_the_second_of_expires_at),
		FIXTURE_TEST(no_token_outlives_its_session),
		FIXTURE_TEST(a_malformed_token_costs_no_statement),
		FIXTURE_TEST(
			an_ended_session_or_a_disabled_user_gets_no_successor),
		FIXTURE_TEST(fifty_simultaneous_rotations_return_one_successor),
	};

	(void)argc;
	mariadb_needed(argv);
	return sodium_init() < 0 ||
	       cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
