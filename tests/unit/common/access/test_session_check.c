#include "common/access/session_check.h"
#include "tests/unit/live_sessions.h"

enum { NOW = 1767225600, ANN = 42, ROOT = 7 };

#define API "api-token-of-user-0042"
#define SECRET "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define OTHER_SECRET "OMCgS-4cPMe5sVUUJhl1Bc44xjXEAbth1rN-fFuGD_I"

static struct db *db;
static struct errmsg why;

static int open_db(void **state)
{
	(void)state;
	db = mariadb_pool(2);
	sessions_make();
	sessions_user(db, ANN, "ann@example.org", false);
	sessions_user(db, ROOT, "root@example.org", true);
	return 0;
}

static int close_db(void **state)
{
	(void)state;
	db_close(db);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	sessions_disable(db, ANN, false);
	sessions_put(db, &(struct session) { .user = ANN });
	sessions_put(db, &(struct session) { .user = ROOT });
	sessions_put(db, &(struct session) {
				 .user = ANN, .id = API, .secret = SECRET });
	return 0;
}

/* A request after bearer_check(), with Ann's access token or an API token */
static struct request shown(const char *session, const char *secret)
{
	struct request rq = { .now = NOW };

	session_show(&rq, session, secret);
	if (secret == NULL) {
		rq.authenticated = true;
		rq.claims = (struct claims) { .user_id = ANN,
					      .email = "ann@example.org",
					      .scope = "files:read" };
	}
	return rq;
}

static enum err check(struct request *rq, const char *scope)
{
	struct session_check c;

	session_check_init(&c, rq, scope);
	return session_check_now(db, &c, &why);
}

static enum err identify(struct request *rq, const char *scope)
{
	struct session_check c;

	session_check_init(&c, rq, scope);
	return session_check_identify(db, &c, &why);
}

static enum err check_of(const char *session, const char *secret)
{
	struct request rq = shown(session, secret);

	return check(&rq, "");
}

/* --- access tokens ------------------------------------------------------- */

static void a_session_that_has_not_ended_is_valid(void **state)
{
	struct request rq = shown(session_of(ANN), NULL);

	(void)state;
	assert_ok(check(&rq, "files:read"));
	/* the claims stay: the token's scope may be less than its session's */
	assert_string_equal(rq.claims.scope, "files:read");
	assert_err(check(&rq, "files:write"), ERR_OK);
}

static void a_session_that_was_ended_is_refused(void **state)
{
	(void)state;
	sessions_revoke(db, session_of(ANN));
	assert_err(check_of(session_of(ANN), NULL), ERR_BAD_TOKEN);
	assert_err(check_of("no-such-session-000000", NULL), ERR_BAD_TOKEN);
	assert_err(check_of("", NULL), ERR_BAD_TOKEN);
}

static void a_session_of_a_disabled_user_is_refused(void **state)
{
	(void)state;
	sessions_disable(db, ANN, true);
	assert_err(check_of(session_of(ANN), NULL), ERR_BAD_TOKEN);
	assert_err(check_of(API, SECRET), ERR_BAD_TOKEN);
	sessions_disable(db, ANN, false);
	assert_ok(check_of(session_of(ANN), NULL));
	assert_ok(check_of(API, SECRET));
}

static void a_session_of_a_deleted_user_is_refused(void **state)
{
	const struct session orphan = { .user = 99 };

	(void)state;
	sessions_put(db, &orphan);
	assert_err(check_of(session_of(99), NULL), ERR_BAD_TOKEN);
}

static void a_session_is_expired_in_the_second_of_expires_at(void **state)
{
	struct session ends = { .user = ANN, .expires_at = NOW + 1 };

	(void)state;
	sessions_put(db, &ends);
	assert_ok(check_of(session_of(ANN), NULL));
	ends.expires_at = NOW;
	sessions_put(db, &ends);
	assert_err(check_of(session_of(ANN), NULL), ERR_BAD_TOKEN);
}

static void a_session_of_another_user_is_refused(void **state)
{
	(void)state;
	/* the claims of Ann with a session of root */
	assert_err(check_of(session_of(ROOT), NULL), ERR_BAD_TOKEN);
}

/* --- API tokens ---------------------------------------------------------- */

static void an_api_token_fills_the_claims_from_its_row(void **state)
{
	const struct session api = { .user = ROOT,
				     .id = API,
				     .secret = SECRET,
				     .scope = "files:read admin",
				     .expires_at = NOW + 100 };
	struct request rq = shown(API, SECRET);

	(void)state;
	sessions_put(db, &api);
	assert_ok(check(&rq, "files:read"));
	assert_true(rq.authenticated);
	assert_int_equal(rq.claims.user_id, ROOT);
	assert_string_equal(rq.claims.email, "root@example.org");
	assert_string_equal(rq.claims.scope, "files:read admin");
	assert_string_equal(rq.claims.session, API);
	assert_true(rq.claims.admin);
	assert_int_equal(rq.claims.issued_at, 1000);
	assert_int_equal(rq.claims.not_before, 1000);
	assert_int_equal(rq.claims.expires_at, NOW + 100);
}

static void an_api_token_with_a_wrong_secret_is_refused(void **state)
{
	struct request rq = shown(API, OTHER_SECRET);

	(void)state;
	assert_err(check(&rq, ""), ERR_BAD_TOKEN);
	assert_false(rq.authenticated);
	assert_int_equal(rq.claims.user_id, 0);
	assert_err(check_of(API, ""), ERR_BAD_TOKEN);
	sessions_revoke(db, API);
	assert_err(check_of(API, SECRET), ERR_BAD_TOKEN);
}

static void an_access_token_and_an_api_token_are_not_interchangeable(
	void **state)
{
	(void)state;
	assert_err(check_of(API, NULL), ERR_BAD_TOKEN);
	assert_err(check_of(session_of(ANN), SECRET), ERR_BAD_TOKEN);
	/* nor by a secret of zeros, as which NULL is read */
	{
		struct request rq = shown(session_of(ANN), SECRET);

		memset(rq.bearer_id.secret, 0, SHA256_LEN);
		assert_err(check(&rq, ""), ERR_BAD_TOKEN);
	}
}

static void a_scope_matches_only_a_whole_word_of_the_list(void **state)
{
	static const struct {
		const char *scope, *want;
		enum err e;
	} cases[] = {
		{ "files:read", "files:read", ERR_OK },
		{ "a files:read b", "files:read", ERR_OK },
		{ "files:write", "files:read", ERR_SCOPE },
		{ "files:readx", "files:read", ERR_SCOPE },
		{ "xfiles:read", "files:read", ERR_SCOPE },
		{ "", "files:read", ERR_SCOPE },
		{ "", "", ERR_OK },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct request rq = shown(API, SECRET);

		sessions_put(db, &(struct session) { .user = ANN,
						     .id = API,
						     .secret = SECRET,
						     .scope = cases[i].scope });
		assert_err(check(&rq, cases[i].want), cases[i].e);
		/* the user is known for the log in any case */
		assert_int_equal(rq.claims.user_id, ANN);
	}
}

static void identify_asks_the_database_for_api_tokens_only(void **state)
{
	struct request rq = shown(session_of(ANN), NULL);

	(void)state;
	sessions_revoke(db, session_of(ANN));
	assert_ok(identify(&rq, "files:read"));
	rq = shown(API, SECRET);
	assert_ok(identify(&rq, "files:read"));
	assert_true(rq.authenticated);
	/* the second time there is no statement, but the scope is checked */
	sessions_revoke(db, API);
	assert_ok(identify(&rq, "files:write"));
	assert_err(identify(&rq, "admin"), ERR_SCOPE);
	rq = shown(API, SECRET);
	assert_err(identify(&rq, "files:read"), ERR_BAD_TOKEN);
}

/* --- the last use -------------------------------------------------------- */

static void the_use_of_an_api_token_is_recorded_at_most_every_five_minutes(
	void **state)
{
	struct request rq = shown(API, SECRET);

	(void)state;
	assert_ok(check(&rq, ""));
	assert_int_equal(session_last_used(db, API), NOW);
	for (int s = 1; s < SESSION_CHECK_USED_EVERY; s += 23) {
		rq.now = NOW + s;
		assert_ok(check(&rq, ""));
		assert_int_equal(session_last_used(db, API), NOW);
	}
	rq.now = NOW + SESSION_CHECK_USED_EVERY;
	assert_ok(check(&rq, ""));
	assert_int_equal(session_last_used(db, API),
			 NOW + SESSION_CHECK_USED_EVERY);
	/* a clock that was set back does not change it */
	rq.now = NOW;
	assert_ok(check(&rq, ""));
	assert_int_equal(session_last_used(db, API),
			 NOW + SESSION_CHECK_USED_EVERY);
}

static void the_use_of_a_login_is_not_recorded(void **state)
{
	(void)state;
	assert_ok(check_of(session_of(ANN), NULL));
	assert_int_equal(session_last_used(db, session_of(ANN)), 0);
}

static void the_use_of_an_api_token_with_a_wrong_secret_is_not_recorded(
	void **state)
{
	struct request rq = shown(API, SECRET);

	(void)state;
	assert_err(check_of(API, OTHER_SECRET), ERR_BAD_TOKEN);
	assert_int_equal(session_last_used(db, API), 0);
	assert_err(check(&rq, "admin"), ERR_SCOPE);
	assert_int_equal(session_last_used(db, API), NOW);
}

static void a_use_that_cannot_be_recorded_refuses_no_request(void **state)
{
	(void)state;
	assert_err(db_change(db, "RENAME TABLE session_use TO elsewhere",
			     DB_NONE, NULL),
		   ERR_NOT_FOUND);
	assert_ok(check_of(API, SECRET));
	assert_err(db_change(db, "RENAME TABLE elsewhere TO session_use",
			     DB_NONE, NULL),
		   ERR_NOT_FOUND);
	assert_int_equal(session_last_used(db, API), 0);
}

static void a_statement_identifies_the_user_of_an_api_token(void **state)
{
	struct request rq = shown(API, SECRET), login;
	struct session_check c;

	(void)state;
	session_check_init(&c, &rq, "files:read");
	session_check_found(db, &c); /* the statement returned no row */
	assert_false(rq.authenticated);
	assert_int_equal(session_last_used(db, API), 0);
	c.user_id = ANN;
	(void)snprintf(c.email, sizeof(c.email), "ann@example.org");
	session_check_found(db, &c);
	assert_true(rq.authenticated);
	assert_int_equal(rq.claims.user_id, ANN);
	assert_string_equal(rq.claims.email, "ann@example.org");
	assert_int_equal(session_last_used(db, API), NOW);
	/* the claims of an access token are known already */
	login = shown(session_of(ANN), NULL);
	session_check_init(&c, &login, "files:read");
	c.user_id = ROOT;
	session_check_found(db, &c);
	assert_int_equal(login.claims.user_id, ANN);
	assert_int_equal(session_last_used(db, session_of(ANN)), 0);
}

/* --- why a statement found no row ---------------------------------------- */

static enum err no_row(const char *session, const char *secret,
		       const char *scope, enum err e)
{
	struct request rq = shown(session, secret);
	struct session_check c;

	session_check_init(&c, &rq, scope);
	return session_check_no_row(db, &c, e, &why);
}

static void a_missing_row_is_explained_by_the_session(void **state)
{
	(void)state;
	/* the file is missing, or the session */
	assert_err(no_row(session_of(ANN), NULL, "files:read", ERR_NOT_FOUND),
		   ERR_NOT_FOUND);
	assert_err(no_row(API, SECRET, "files:read", ERR_NOT_FOUND),
		   ERR_NOT_FOUND);
	assert_err(no_row(API, OTHER_SECRET, "files:read", ERR_NOT_FOUND),
		   ERR_BAD_TOKEN);
	assert_err(no_row("no-such-session-000000", NULL, "", ERR_NOT_FOUND),
		   ERR_BAD_TOKEN);
	/* the session, or the scope */
	assert_err(no_row(API, SECRET, "admin", ERR_BAD_TOKEN), ERR_SCOPE);
	assert_err(no_row(API, OTHER_SECRET, "admin", ERR_BAD_TOKEN),
		   ERR_BAD_TOKEN);
	assert_err(no_row(session_of(ANN), NULL, "admin", ERR_BAD_TOKEN),
		   ERR_BAD_TOKEN);
}

static void a_database_that_is_unavailable_refuses_no_token(void **state)
{
	const struct db_config nowhere = { .socket = "/nowhere/sock",
					   .user = "root",
					   .name = "test",
					   .pool = 1,
					   .timeout = 1 };
	struct request rq = shown(session_of(ANN), NULL);
	struct session_check c;
	struct db *away = NULL;

	(void)state;
	assert_ok(db_open(&nowhere, &away, NULL));
	session_check_init(&c, &rq, "");
	assert_err(session_check_now(away, &c, &why), ERR_UNAVAILABLE);
	assert_err(session_check_no_row(away, &c, ERR_NOT_FOUND, &why),
		   ERR_UNAVAILABLE);
	rq = shown(API, SECRET);
	session_check_init(&c, &rq, "");
	assert_err(session_check_now(away, &c, &why), ERR_UNAVAILABLE);
	assert_err(session_check_identify(away, &c, &why), ERR_UNAVAILABLE);
	assert_false(rq.authenticated);
	db_close(away);
}

/* --- a check as it is made ----------------------------------------------- */

static void a_check_has_the_session_of_the_token(void **state)
{
	struct request rq = shown(session_of(ANN), NULL);
	struct session_check c;

	(void)state;
	session_check_init(&c, &rq, "files:read");
	assert_string_equal(c.session, session_of(ANN));
	assert_true(c.now == NOW);
	assert_true(c.secret.kind == DB_NULL);
	/* bearer_check() has compared the scope of an access token */
	assert_string_equal(c.pattern, "%");
	rq = shown(API, SECRET);
	session_check_init(&c, &rq, "files:read");
	assert_true(c.secret.kind == DB_BYTES);
	assert_int_equal(c.secret.s.len, SHA256_LEN);
	assert_memory_equal(c.secret.s.p, rq.bearer_id.secret, SHA256_LEN);
	assert_string_equal(c.pattern, "% files:read %");
}

static enum err pass_row(void *arg)
{
	++*(int *)arg;
	return ERR_OK;
}

static void a_list_without_rows_is_explained_by_the_session(void **state)
{
	int count = 0;
	struct session_rows rows = { pass_row, &count, false };

	(void)state;
	assert_err(no_row(session_of(ANN), NULL, "", ERR_OK), ERR_OK);
	assert_err(no_row(API, OTHER_SECRET, "", ERR_OK), ERR_BAD_TOKEN);
	assert_ok(session_rows_each(&rows));
	assert_true(rows.any);
	assert_int_equal(count, 1);
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup(name, set_up)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(a_session_that_has_not_ended_is_valid),
		FIXTURE_TEST(a_session_that_was_ended_is_refused),
		FIXTURE_TEST(a_session_of_a_disabled_user_is_refused),
		FIXTURE_TEST(a_session_of_a_deleted_user_is_refused),
		FIXTURE_TEST(a_session_is_expired_in_the_second_of_expires_at),
		FIXTURE_TEST(a_session_of_another_user_is_refused),
		FIXTURE_TEST(an_api_token_fills_the_claims_from_its_row),
		FIXTURE_TEST(an_api_token_with_a_wrong_secret_is_refused),
		FIXTURE_TEST(
			an_access_token_and_an_api_token_are_not_interchangeable),
		FIXTURE_TEST(a_scope_matches_only_a_whole_word_of_the_list),
		FIXTURE_TEST(identify_asks_the_database_for_api_tokens_only),
		FIXTURE_TEST(
			the_use_of_an_api_token_is_recorded_at_most_every_five_minutes),
		FIXTURE_TEST(the_use_of_a_login_is_not_recorded),
		FIXTURE_TEST(
			the_use_of_an_api_token_with_a_wrong_secret_is_not_recorded),
		FIXTURE_TEST(a_use_that_cannot_be_recorded_refuses_no_request),
		FIXTURE_TEST(a_statement_identifies_the_user_of_an_api_token),
		FIXTURE_TEST(a_missing_row_is_explained_by_the_session),
		FIXTURE_TEST(a_check_has_the_session_of_the_token),
		FIXTURE_TEST(a_list_without_rows_is_explained_by_the_session),
		FIXTURE_TEST(a_database_that_is_unavailable_refuses_no_token),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, open_db, close_db);
}
