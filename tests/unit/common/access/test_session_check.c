#include "common/access/session_check.h"
#include "tests/unit/live_sessions.h"

enum { NOW = 1767225600, ANN = 42, ROOT = 7 };

#define API "api-token-of-user-0042"
#define SECRET "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define OTHER_SECRET "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8"

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
	return session_check_alone(db, rq, scope, &why);
}

static enum err check_of(const char *session, const char *secret)
{
	struct request rq = shown(session, secret);

	return check(&rq, "");
}

/* --- access tokens
 * ----------------------------------------------------------- */

static void who_is_logged_in_may_ask(void **state)
{
	struct request rq = shown(session_of(ANN), NULL);

	(void)state;
	assert_ok(check(&rq, "files:read"));
	/* what the token says stays: its scope may be less than the session's
	 */
	assert_string_equal(rq.claims.scope, "files:read");
	assert_err(check(&rq, "files:write"), ERR_OK);
}

static void who_was_logged_out_may_not(void **state)
{
	(void)state;
	sessions_revoke(db, session_of(ANN));
	assert_err(check_of(session_of(ANN), NULL), ERR_BAD_TOKEN);
	assert_err(check_of("no-such-session-000000", NULL), ERR_BAD_TOKEN);
	assert_err(check_of("", NULL), ERR_BAD_TOKEN);
}

static void a_disabled_user_may_not(void **state)
{
	(void)state;
	sessions_disable(db, ANN, true);
	assert_err(check_of(session_of(ANN), NULL), ERR_BAD_TOKEN);
	assert_err(check_of(API, SECRET), ERR_BAD_TOKEN);
	sessions_disable(db, ANN, false);
	assert_ok(check_of(session_of(ANN), NULL));
	assert_ok(check_of(API, SECRET));
}

static void a_user_who_is_no_more_may_not(void **state)
{
	const struct session orphan = { .user = 99 };

	(void)state;
	sessions_put(db, &orphan);
	assert_err(check_of(session_of(99), NULL), ERR_BAD_TOKEN);
}

static void the_second_of_its_end_is_too_late(void **state)
{
	struct session ends = { .user = ANN, .expires_at = NOW + 1 };

	(void)state;
	sessions_put(db, &ends);
	assert_ok(check_of(session_of(ANN), NULL));
	ends.expires_at = NOW;
	sessions_put(db, &ends);
	assert_err(check_of(session_of(ANN), NULL), ERR_BAD_TOKEN);
}

static void another_user_s_session_is_not_this_one_s(void **state)
{
	(void)state;
	/* claims that say Ann, and a session of root */
	assert_err(check_of(session_of(ROOT), NULL), ERR_BAD_TOKEN);
}

/* --- API tokens
 * -------------------------------------------------------------- */

static void an_api_token_becomes_a_caller_like_any_other(void **state)
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

static void its_secret_must_be_right(void **state)
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

static void neither_kind_of_token_stands_for_the_other(void **state)
{
	(void)state;
	assert_err(check_of(API, NULL), ERR_BAD_TOKEN);
	assert_err(check_of(session_of(ANN), SECRET), ERR_BAD_TOKEN);
	/* not by a secret of zeros either, as NULL would read */
	{
		struct request rq = shown(session_of(ANN), SECRET);

		memset(rq.bearer_id.secret, 0, SHA256_LEN);
		assert_err(check(&rq, ""), ERR_BAD_TOKEN);
	}
}

static void a_scope_is_a_whole_word_of_its_list(void **state)
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
		/* who it was may stand in the log in any case */
		assert_int_equal(rq.claims.user_id, ANN);
	}
}

static void only_an_api_token_is_asked_for_beforehand(void **state)
{
	struct request rq = shown(session_of(ANN), NULL);

	(void)state;
	sessions_revoke(db, session_of(ANN));
	assert_ok(session_check_api(db, &rq, "files:read", &why));
	rq = shown(API, SECRET);
	assert_ok(session_check_api(db, &rq, "files:read", &why));
	assert_true(rq.authenticated);
	/* once: the second time nobody is asked, but the scope counts */
	sessions_revoke(db, API);
	assert_ok(session_check_api(db, &rq, "files:write", &why));
	assert_err(session_check_api(db, &rq, "admin", &why), ERR_SCOPE);
	rq = shown(API, SECRET);
	assert_err(session_check_api(db, &rq, "files:read", &why),
		   ERR_BAD_TOKEN);
}

/* --- the last use
 * ------------------------------------------------------------ */

static void a_use_is_noted_at_most_every_five_minutes(void **state)
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
	/* a clock that was set back takes nothing back */
	rq.now = NOW;
	assert_ok(check(&rq, ""));
	assert_int_equal(session_last_used(db, API),
			 NOW + SESSION_CHECK_USED_EVERY);
}

static void a_login_s_use_is_not_noted(void **state)
{
	(void)state;
	assert_ok(check_of(session_of(ANN), NULL));
	assert_int_equal(session_last_used(db, session_of(ANN)), 0);
}

static void a_use_in_vain_is_noted_only_of_who_it_was(void **state)
{
	struct request rq = shown(API, SECRET);

	(void)state;
	assert_err(check_of(API, OTHER_SECRET), ERR_BAD_TOKEN);
	assert_int_equal(session_last_used(db, API), 0);
	assert_err(check(&rq, "admin"), ERR_SCOPE);
	assert_int_equal(session_last_used(db, API), NOW);
}

static void a_note_that_cannot_be_written_refuses_nobody(void **state)
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

static void a_statement_tells_who_it_was(void **state)
{
	struct request rq = shown(API, SECRET), login;
	struct session_check c;

	(void)state;
	session_check_init(&c, &rq, "files:read");
	session_check_used(db, &c, &rq); /* it found nobody */
	assert_false(rq.authenticated);
	assert_int_equal(session_last_used(db, API), 0);
	c.user_id = ANN;
	(void)snprintf(c.email, sizeof(c.email), "ann@example.org");
	session_check_used(db, &c, &rq);
	assert_true(rq.authenticated);
	assert_int_equal(rq.claims.user_id, ANN);
	assert_string_equal(rq.claims.email, "ann@example.org");
	assert_int_equal(session_last_used(db, API), NOW);
	/* an access token has said so itself */
	login = shown(session_of(ANN), NULL);
	c.user_id = ROOT;
	session_check_used(db, &c, &login);
	assert_int_equal(login.claims.user_id, ANN);
	assert_int_equal(session_last_used(db, session_of(ANN)), 0);
}

/* --- why a statement found no row
 * -------------------------------------------- */

static enum err refused(const char *session, const char *secret,
			const char *scope, enum err e)
{
	struct request rq = shown(session, secret);

	return session_check_refused(db, &rq, scope, e, &why);
}

static void it_is_told_why_there_was_no_row(void **state)
{
	(void)state;
	/* the file is missing, or the session */
	assert_err(refused(session_of(ANN), NULL, "files:read", ERR_NOT_FOUND),
		   ERR_NOT_FOUND);
	assert_err(refused(API, SECRET, "files:read", ERR_NOT_FOUND),
		   ERR_NOT_FOUND);
	assert_err(refused(API, OTHER_SECRET, "files:read", ERR_NOT_FOUND),
		   ERR_BAD_TOKEN);
	assert_err(refused("no-such-session-000000", NULL, "", ERR_NOT_FOUND),
		   ERR_BAD_TOKEN);
	/* the session, or the scope */
	assert_err(refused(API, SECRET, "admin", ERR_BAD_TOKEN), ERR_SCOPE);
	assert_err(refused(API, OTHER_SECRET, "admin", ERR_BAD_TOKEN),
		   ERR_BAD_TOKEN);
	assert_err(refused(session_of(ANN), NULL, "admin", ERR_BAD_TOKEN),
		   ERR_BAD_TOKEN);
	/* what has nothing to do with it stays what it is */
	assert_err(refused(API, SECRET, "admin", ERR_UNAVAILABLE),
		   ERR_UNAVAILABLE);
	assert_err(refused(API, OTHER_SECRET, "", ERR_INVALID), ERR_INVALID);
}

static void without_a_database_nobody_is_refused_but_all_must_wait(void **state)
{
	const struct db_config nowhere = { .socket = "/nowhere/sock",
					   .user = "root",
					   .name = "test",
					   .pool = 1,
					   .timeout = 1 };
	struct request rq = shown(session_of(ANN), NULL);
	struct db *away = NULL;

	(void)state;
	assert_ok(db_open(&nowhere, &away, NULL));
	assert_err(session_check_alone(away, &rq, "", &why), ERR_UNAVAILABLE);
	assert_err(session_check_refused(away, &rq, "", ERR_NOT_FOUND, &why),
		   ERR_UNAVAILABLE);
	rq = shown(API, SECRET);
	assert_err(session_check_alone(away, &rq, "", &why), ERR_UNAVAILABLE);
	assert_err(session_check_api(away, &rq, "", &why), ERR_UNAVAILABLE);
	assert_false(rq.authenticated);
	db_close(away);
}

#define CALLER(name) cmocka_unit_test_setup(name, set_up)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CALLER(who_is_logged_in_may_ask),
		CALLER(who_was_logged_out_may_not),
		CALLER(a_disabled_user_may_not),
		CALLER(a_user_who_is_no_more_may_not),
		CALLER(the_second_of_its_end_is_too_late),
		CALLER(another_user_s_session_is_not_this_one_s),
		CALLER(an_api_token_becomes_a_caller_like_any_other),
		CALLER(its_secret_must_be_right),
		CALLER(neither_kind_of_token_stands_for_the_other),
		CALLER(a_scope_is_a_whole_word_of_its_list),
		CALLER(only_an_api_token_is_asked_for_beforehand),
		CALLER(a_use_is_noted_at_most_every_five_minutes),
		CALLER(a_login_s_use_is_not_noted),
		CALLER(a_use_in_vain_is_noted_only_of_who_it_was),
		CALLER(a_note_that_cannot_be_written_refuses_nobody),
		CALLER(a_statement_tells_who_it_was),
		CALLER(it_is_told_why_there_was_no_row),
		CALLER(without_a_database_nobody_is_refused_but_all_must_wait),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, open_db, close_db);
}
