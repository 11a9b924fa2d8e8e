#include "tests/unit/schema.h"

#include "cgi-auth/tables/user_change.h"

#include <sodium.h>

enum { T0 = 1700000000, ANN = 1, BOB };

#define BOTH "files:read files:write"

static struct db *db;

static int set_up_all(void **state)
{
	(void)state;
	schema_auth("001-user");
	schema_auth("002-user-account");
	schema_auth("045-user-email-key");
	schema_auth("004-session");
	db = mariadb_pool(2);
	return sodium_init() < 0;
}

static int tear_down_all(void **state)
{
	(void)state;
	db_close(db);
	return 0;
}

#define sql(text) (void)!db_change(db, text, DB_NONE, NULL)

static int set_up(void **state)
{
	(void)state;
	sql("DELETE FROM session");
	sql("DELETE FROM user");
	sql("INSERT INTO user (id, email, password, admin, scope)"
	    " VALUES (1, 'ann@x', '!', 1, '" BOTH " admin'),"
	    "        (2, 'bob@x', '!', 0, '" BOTH "')");
	sql("INSERT INTO session (id, user_id, kind, scope, created_at)"
	    " VALUES ('login', 1, 'login', '" BOTH " admin', 1),"
	    "        ('read', 1, 'api', 'files:read', 1),"
	    "        ('both', 1, 'api', '" BOTH "', 1),"
	    "        ('admin', 1, 'api', 'admin', 1),"
	    "        ('bobs', 2, 'login', '" BOTH "', 1),"
	    "        ('bobs api', 2, 'api', '" BOTH "', 1)");
	return 0;
}

static struct user ann(void)
{
	struct user u;

	assert_ok(users_by_id(db, ANN, &u, NULL));
	return u;
}

static struct user_change_result change(const char *email, const char *scope,
					bool admin)
{
	struct user_change_result r;
	struct user was = ann(), to = was;

	to.admin = admin;
	(void)snprintf(to.email, sizeof(to.email), "%s", email);
	(void)snprintf(to.scope, sizeof(to.scope), "%s", scope);
	assert_ok(user_change(db, &was, &to, T0, &r, NULL));
	was = ann();
	assert_string_equal(was.email, email);
	assert_string_equal(was.scope, scope);
	assert_int_equal(was.admin, admin);
	return r;
}

/* The scope of a session, or "" if it has ended */
static const char *scope_of(const char *id)
{
	static char scope[CLAIMS_SCOPE_MAX + 1];
	enum err e = db_row(db,
			    "SELECT scope FROM session"
			    " WHERE id = ? AND revoked_at IS NULL",
			    DB_IN(db_text(span_of(id))),
			    DB_OUT(db_to_text(scope, sizeof(scope))), NULL);

	return e == ERR_OK ? scope : "";
}

static void more_rights_end_nothing(void **state)
{
	struct user_change_result r =
		change("ann@x", BOTH " admin other", true);

	(void)state;
	assert_false(r.logins_ended);
	assert_string_equal(scope_of("login"), BOTH " admin");
	assert_string_equal(scope_of("both"), BOTH);
	assert_int_equal(r.tokens_narrowed + r.tokens_ended, 0);
}

static void fewer_rights_end_the_logins_and_narrow_the_tokens(void **state)
{
	struct user_change_result r = change("ann@x", "files:read", false);

	(void)state;
	assert_true(r.logins_ended);
	assert_int_equal(r.tokens_narrowed, 1);
	assert_int_equal(r.tokens_ended, 1);
	assert_string_equal(scope_of("login"), "");
	assert_string_equal(scope_of("read"), "files:read");
	assert_string_equal(scope_of("both"), "files:read");
	assert_string_equal(scope_of("admin"), "");
	assert_string_equal(scope_of("bobs"), BOTH);
	assert_string_equal(scope_of("bobs api"), BOTH);
}

static void another_email_ends_the_logins_and_no_token(void **state)
{
	struct user_change_result r = change("anna@x", BOTH " admin", true);

	(void)state;
	assert_true(r.logins_ended);
	assert_string_equal(scope_of("login"), "");
	assert_string_equal(scope_of("both"), BOTH);
	assert_string_equal(scope_of("admin"), "admin");
}

static void an_admin_without_the_word_can_lose_it_too(void **state)
{
	(void)state;
	sql("UPDATE user SET scope = '" BOTH "' WHERE id = 1");
	assert_true(change("ann@x", BOTH, false).logins_ended);
}

static void the_email_of_another_user_is_a_conflict(void **state)
{
	struct user_change_result r;
	struct user was = ann(), to = was;

	(void)state;
	(void)snprintf(to.email, sizeof(to.email), "%s", "BOB@x");
	to.admin = false;
	assert_err(user_change(db, &was, &to, T0, &r, NULL), ERR_CONFLICT);
	assert_true(ann().admin);
	assert_string_equal(scope_of("login"), BOTH " admin");
	was.id = 77;
	assert_err(user_change(db, &was, &was, T0, &r, NULL), ERR_NOT_FOUND);
}

static void a_narrowed_scope_has_the_words_that_are_allowed(void **state)
{
	static const struct {
		const char *scope, *allowed, *kept;
	} cases[] = {
		{ BOTH, BOTH, BOTH },
		{ BOTH, "files:write", "files:write" },
		{ "a b c", "c a", "a c" },
		{ "files:read", "files:readx files", "" },
		{ "", "a", "" },
		{ "a", "", "" },
	};
	char kept[CLAIMS_SCOPE_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		user_change_narrow(cases[i].scope, cases[i].allowed, kept);
		assert_string_equal(kept, cases[i].kept);
	}
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup(name, set_up)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(more_rights_end_nothing),
		FIXTURE_TEST(fewer_rights_end_the_logins_and_narrow_the_tokens),
		FIXTURE_TEST(another_email_ends_the_logins_and_no_token),
		FIXTURE_TEST(an_admin_without_the_word_can_lose_it_too),
		FIXTURE_TEST(the_email_of_another_user_is_a_conflict),
		TEST(a_narrowed_scope_has_the_words_that_are_allowed),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
