/* Sessions against real tables */
#include "tests/unit/schema.h"

#include "cgi-auth/tables/sessions.h"
#include "cgi-auth/tables/users.h"

#include <sodium.h>

enum { T0 = 1700000000, ANN = 1, BOB = 2 };

static struct db *db;

#define sql(statement)                                                      \
	do {                                                                \
		struct errmsg sql_m = { "" };                               \
		enum err sql_e = db_change(db, statement, DB_NONE, &sql_m); \
		assert_string_equal(sql_m.text, "");                        \
		assert_true(sql_e == ERR_OK || sql_e == ERR_NOT_FOUND);     \
	} while (0)

/* A transaction: within(f(begun(), ...)) ends it */
static struct db_conn *transaction;

static struct db_conn *begun(void)
{
	assert_ok(db_begin(db, &transaction, NULL));
	return transaction;
}

static enum err within(enum err e)
{
	if (e == ERR_OK)
		return db_commit(transaction, NULL);
	db_rollback(transaction);
	return e;
}

static int set_up_all(void **state)
{
	(void)state;
	schema_auth("001-user");
	schema_auth("002-user-account");
	schema_auth("004-session");
	schema_auth("005-refresh");
	schema_auth("012-otp");
	db = mariadb_pool(2);
	return 0;
}

static int tear_down_all(void **state)
{
	(void)state;
	db_close(db);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	sql("DELETE FROM refresh");
	sql("DELETE FROM session");
	sql("DELETE FROM user");
	sql("INSERT INTO user (id, email, password, password_changed_at, scope)"
	    " VALUES (1, 'ann@x', 'old', 5, 'files:read'),"
	    "        (2, 'bob@x', 'old', 5, 'files:read')");
	/* of nobody's list, and never swept */
	sql("INSERT INTO session (id, user_id, kind, scope, created_at)"
	    " VALUES ('00000000000000000000A1', 1001, 'login', '', 1),"
	    "        ('00000000000000000000B1', 1002, 'login', '', 1)");
	return 0;
}

static struct session new_session(uint64_t user, int64_t at, bool api)
{
	struct session s = {
		.user_id = user,
		.api = api,
		.name = "n\xc3\xa4me",
		.scope = "files:read",
		.address = "192.0.2.7",
		.created_at = at,
		.expires_at = api ? SESSION_NEVER : at + 1000,
	};

	ident_random(s.id);
	return s;
}

/* As read when the user's password was checked */
static enum err add_login(const struct session *s, int64_t password_changed_at)
{
	const struct session_basis as_read = {
		.password_changed_at = password_changed_at,
		.email = s->user_id == ANN ? "ann@x" : "bob@x",
		.admin = false,
	};

	return within(sessions_add_login(begun(), s, &as_read, NULL));
}

/* Whose login creates API tokens */
static const char *creator(uint64_t user)
{
	return user == ANN ? "00000000000000000000A1"
			   : "00000000000000000000B1";
}

static struct session login(uint64_t user, int64_t at)
{
	struct session s = new_session(user, at, false);

	assert_ok(add_login(&s, 5));
	return s;
}

static struct session token(uint64_t user, int64_t at)
{
	struct session s = new_session(user, at, true);

	assert_ok(sessions_add_token(db, &s, creator(user),
				     SPAN("0123456789abcdef0123456789abcdef"),
				     NULL));
	return s;
}

struct seen {
	int count;
	struct session last;
};

static enum err see(const struct session *s, void *arg)
{
	struct seen *seen = arg;

	seen->count++;
	seen->last = *s;
	return ERR_OK;
}

static int count(uint64_t user, bool api, int64_t now)
{
	struct seen seen = { .count = 0 };

	assert_ok(sessions_each(db, user, api, now, see, &seen, NULL));
	return seen.count;
}

static void a_login_is_listed_as_it_was_added(void **state)
{
	struct session s = login(ANN, T0);
	struct seen seen = { .count = 0 };

	(void)state;
	assert_ok(sessions_each(db, ANN, false, T0, see, &seen, NULL));
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.last.id, s.id);
	assert_string_equal(seen.last.scope, "files:read");
	assert_string_equal(seen.last.address, "192.0.2.7");
	assert_int_equal(seen.last.created_at, T0);
	assert_int_equal(seen.last.expires_at, T0 + 1000);
	assert_int_equal(seen.last.last_used_at, SESSION_NEVER);
	assert_int_equal(count(ANN, true, T0), 0);
	assert_int_equal(count(BOB, false, T0), 0);
	assert_int_equal(count(ANN, false, T0 + 1000), 0);
}

static void a_token_is_listed_as_it_was_added_even_after_it_expired(
	void **state)
{
	struct session s = token(ANN, T0);
	struct seen seen = { .count = 0 };

	(void)state;
	sql("UPDATE session SET expires_at = 1700000001");
	assert_ok(sessions_each(db, ANN, true, T0 + 99, see, &seen, NULL));
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.last.id, s.id);
	assert_string_equal(seen.last.name, "n\xc3\xa4me");
	assert_true(seen.last.api);
}

static void a_login_is_not_added_after_the_password_has_changed(void **state)
{
	struct session s = new_session(ANN, T0, false);

	(void)state;
	assert_err(add_login(&s, 4), ERR_NOT_FOUND);
	sql("UPDATE user SET disabled_at = 6");
	assert_err(add_login(&s, 5), ERR_NOT_FOUND);
	s.user_id = 3;
	assert_err(add_login(&s, 5), ERR_NOT_FOUND);
	assert_int_equal(count(ANN, false, T0), 0);
}

static void a_login_is_not_added_after_the_rights_or_email_have_changed(
	void **state)
{
	struct session s = new_session(ANN, T0, false);

	(void)state;
	sql("UPDATE user SET scope = 'files:write'");
	assert_err(add_login(&s, 5), ERR_NOT_FOUND);
	sql("UPDATE user SET scope = 'files:read', admin = 1");
	assert_err(add_login(&s, 5), ERR_NOT_FOUND);
	sql("UPDATE user SET admin = 0");
	sql("UPDATE user SET email = 'Ann@x' WHERE id = 1");
	assert_err(add_login(&s, 5), ERR_NOT_FOUND);
	sql("UPDATE user SET email = 'ann@x' WHERE id = 1");
	assert_ok(add_login(&s, 5));
}

static void a_token_is_not_added_after_its_login_has_ended(void **state)
{
	struct session s = new_session(ANN, T0, true);

	(void)state;
	sql("UPDATE session SET revoked_at = 1");
	assert_err(sessions_add_token(db, &s, creator(ANN),
				      SPAN("0123456789abcdef0123456789abcdef"),
				      NULL),
		   ERR_NOT_FOUND);
	assert_int_equal(count(ANN, true, T0), 0);
}

/* A user who was added within this second */
static void a_login_without_a_code_is_not_added_once_a_factor_is_confirmed(
	void **state)
{
	struct session s = new_session(ANN, T0, false);

	(void)state;
	sql("INSERT INTO otp (user_id, secret, created_at) VALUES (1, '', 1)");
	assert_ok(add_login(&s, 5));
	sql("UPDATE otp SET confirmed_at = 2");
	s = new_session(ANN, T0, false);
	assert_err(add_login(&s, 5), ERR_NOT_FOUND);
	s = new_session(BOB, T0, false);
	assert_ok(add_login(&s, 5));
}

static void a_login_is_not_added_after_a_change_within_the_same_second(
	void **state)
{
	struct session s = new_session(ANN, 5, false);

	(void)state;
	assert_ok(users_set_password(db, ANN, "new", 5, NULL));
	assert_err(add_login(&s, 5), ERR_NOT_FOUND);
	assert_ok(users_set_password(db, ANN, "newer", 5, NULL));
	assert_err(add_login(&s, 6), ERR_NOT_FOUND);
}

static void a_session_is_ended_by_its_user_and_once_only(void **state)
{
	struct session s = login(ANN, T0);

	(void)state;
	assert_err(within(sessions_end(begun(), BOB, false, s.id, T0, NULL)),
		   ERR_NOT_FOUND);
	assert_err(within(sessions_end(begun(), ANN, true, s.id, T0, NULL)),
		   ERR_NOT_FOUND);
	assert_int_equal(count(ANN, false, T0), 1);
	assert_ok(within(sessions_end(begun(), ANN, false, s.id, T0, NULL)));
	assert_int_equal(count(ANN, false, T0), 0);
	assert_err(within(sessions_end(begun(), ANN, false, s.id, T0, NULL)),
		   ERR_NOT_FOUND);
}

static void only_the_chosen_sessions_end(void **state)
{
	struct session keep = login(ANN, T0);
	struct sessions_chosen others = { .tokens = false, .but = keep.id };
	struct sessions_chosen all = { .tokens = true, .but = "" };

	(void)state;
	(void)login(ANN, T0);
	(void)login(ANN, T0);
	(void)token(ANN, T0);
	(void)login(BOB, T0);
	assert_ok(sessions_end_chosen(db, ANN, others, T0, NULL));
	assert_int_equal(count(ANN, false, T0), 1);
	assert_int_equal(count(ANN, true, T0), 1);
	assert_ok(sessions_end_chosen(db, ANN, all, T0, NULL));
	assert_ok(sessions_end_chosen(db, ANN, all, T0, NULL));
	assert_int_equal(count(ANN, false, T0), 0);
	assert_int_equal(count(ANN, true, T0), 0);
	assert_int_equal(count(BOB, false, T0), 1);
}

static void the_oldest_logins_over_the_limit_end(void **state)
{
	struct session newest;

	(void)state;
	for (int64_t i = 0; i < SESSION_LOGINS_MAX + 2; i++)
		newest = login(ANN, T0 + i / 3);
	assert_ok(within(
		sessions_trim_logins(begun(), ANN, newest.id, T0, NULL)));
	assert_int_equal(count(ANN, false, T0), SESSION_LOGINS_MAX);
	assert_ok(within(
		sessions_trim_logins(begun(), ANN, newest.id, T0, NULL)));
	assert_int_equal(count(ANN, false, T0), SESSION_LOGINS_MAX);
	assert_ok(
		within(sessions_end(begun(), ANN, false, newest.id, T0, NULL)));
}

static void the_newest_login_stays_even_if_all_are_of_one_second(void **state)
{
	(void)state;
	for (int round = 0; round < 5; round++) {
		struct session s;

		set_up(NULL);
		for (int i = 0; i <= SESSION_LOGINS_MAX; i++)
			s = login(ANN, T0);
		assert_ok(within(
			sessions_trim_logins(begun(), ANN, s.id, T0, NULL)));
		assert_int_equal(count(ANN, false, T0), SESSION_LOGINS_MAX);
		assert_ok(within(
			sessions_end(begun(), ANN, false, s.id, T0, NULL)));
	}
}

static void api_tokens_over_the_limit_are_refused(void **state)
{
	struct session s;

	(void)state;
	for (int i = 0; i < SESSION_TOKENS_MAX; i++)
		s = token(ANN, T0);
	s = new_session(ANN, T0, true);
	assert_err(sessions_add_token(db, &s, creator(ANN),
				      SPAN("0123456789abcdef0123456789abcdef"),
				      NULL),
		   ERR_TOO_MANY);
	(void)token(BOB, T0);
}

static void a_sweep_deletes_sessions_that_ended_long_ago(void **state)
{
	struct sessions_swept swept;
	int64_t later = T0 + 1000 + SESSION_KEPT;

	(void)state;
	(void)login(ANN, T0);	  /* expires at T0 + 1000 */
	(void)login(ANN, T0 + 1); /* a second later */
	(void)token(ANN, T0);
	sql("INSERT INTO refresh (hash, session_id, created_at, expires_at) "
	    "VALUES (REPEAT('a', 32), 'x', 1, 1700000999), "
	    "(REPEAT('b', 32), 'x', 1, 1700001000)");
	assert_ok(sessions_sweep(db, later, &swept, NULL));
	assert_int_equal(swept.sessions, 0);
	assert_int_equal(swept.refreshes, 1);
	assert_ok(sessions_sweep(db, later + 1, &swept, NULL));
	assert_int_equal(swept.sessions, 1);
	assert_int_equal(swept.refreshes, 1);
	assert_int_equal(count(ANN, true, T0), 1);
	assert_ok(sessions_sweep(db, later + 1, &swept, NULL));
	assert_int_equal(swept.sessions, 0);
}

static void a_changed_password_ends_the_other_logins(void **state)
{
	struct session keep = login(ANN, T0);
	struct user u;

	(void)state;
	(void)login(ANN, T0);
	(void)token(ANN, T0);
	assert_ok(users_by_id(db, ANN, &u, NULL));
	assert_ok(users_change_password(db, &u, "new", keep.id, T0, NULL));
	assert_int_equal(count(ANN, false, T0), 1);
	assert_int_equal(count(ANN, true, T0), 1);
	/* `u` is as it was read before */
	assert_err(users_change_password(db, &u, "newer", keep.id, T0, NULL),
		   ERR_NOT_FOUND);
	assert_ok(users_by_id(db, ANN, &u, NULL));
	assert_string_equal(u.password, "new");
	assert_int_equal(u.password_changed_at, T0);
}

static void an_operators_change_of_a_user_ends_every_session(void **state)
{
	(void)state;
	(void)login(ANN, T0);
	(void)token(ANN, T0);
	assert_ok(users_set_password(db, ANN, "new", 6, NULL));
	assert_int_equal(count(ANN, false, T0) + count(ANN, true, T0), 0);
	sql("UPDATE user SET password_changed_at = 5");
	(void)login(ANN, T0);
	(void)token(ANN, T0);
	assert_ok(users_disable(db, ANN, T0, NULL));
	assert_ok(users_enable(db, ANN, NULL));
	assert_int_equal(count(ANN, false, T0) + count(ANN, true, T0), 0);
	(void)login(ANN, T0);
	assert_ok(users_delete(db, ANN, NULL));
	assert_int_equal(count(ANN, false, T0), 0);
	assert_err(users_delete(db, ANN, NULL), ERR_NOT_FOUND);
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup(name, set_up)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(a_login_is_listed_as_it_was_added),
		FIXTURE_TEST(
			a_token_is_listed_as_it_was_added_even_after_it_expired),
		FIXTURE_TEST(
			a_login_is_not_added_after_the_password_has_changed),
		FIXTURE_TEST(
			a_login_without_a_code_is_not_added_once_a_factor_is_confirmed),
		FIXTURE_TEST(
			a_login_is_not_added_after_a_change_within_the_same_second),
		FIXTURE_TEST(
			a_login_is_not_added_after_the_rights_or_email_have_changed),
		FIXTURE_TEST(a_token_is_not_added_after_its_login_has_ended),
		FIXTURE_TEST(a_session_is_ended_by_its_user_and_once_only),
		FIXTURE_TEST(only_the_chosen_sessions_end),
		FIXTURE_TEST(the_oldest_logins_over_the_limit_end),
		FIXTURE_TEST(
			the_newest_login_stays_even_if_all_are_of_one_second),
		FIXTURE_TEST(api_tokens_over_the_limit_are_refused),
		FIXTURE_TEST(a_sweep_deletes_sessions_that_ended_long_ago),
		FIXTURE_TEST(a_changed_password_ends_the_other_logins),
		FIXTURE_TEST(an_operators_change_of_a_user_ends_every_session),
	};

	(void)argc;
	mariadb_needed(argv);
	return sodium_init() < 0 ||
	       cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
