#include "tests/unit/schema.h"

#include "cgi-auth/tables/audit.h"

#include <sodium.h>

enum { T0 = 1700000000, DAY = 86400 };

static struct db *db;

static int set_up_all(void **state)
{
	(void)state;
	schema_auth("014-audit");
	db = mariadb_pool(2);
	return sodium_init() < 0;
}

static int tear_down_all(void **state)
{
	(void)state;
	db_close(db);
	return 0;
}

static int set_up(void **state)
{
	enum err e = db_change(db, "DELETE FROM audit", DB_NONE, NULL);

	(void)state;
	return e != ERR_OK && e != ERR_NOT_FOUND;
}

static void add(const char *event, const char *email, int64_t now)
{
	const struct audit_entry entry = {
		event, 7, email, "::1", "req-1", "ok"
	};
	struct errmsg why = { "" };
	enum err e = audit_add(db, &entry, now, 90, &why);

	assert_string_equal(why.text, "");
	assert_ok(e);
}

struct seen {
	size_t count;
	struct audit_row rows[4];
};

static enum err store_row(const struct audit_row *row, void *arg)
{
	struct seen *s = arg;

	assert_true(s->count < COUNT(s->rows));
	s->rows[s->count++] = *row;
	return ERR_OK;
}

static void last(const char *email, int64_t n, struct seen *s)
{
	s->count = 0;
	assert_ok(audit_last(db, email, n, store_row, s, NULL));
}

static void the_last_rows_are_returned_oldest_first(void **state)
{
	struct seen s;

	(void)state;
	add("login", "ann@x", T0);
	add("logout", "bob@x", T0 + 1);
	add("password", "ANN@x", T0 + 2);
	last("", 2, &s);
	assert_int_equal(s.count, 2);
	assert_string_equal(s.rows[0].event, "logout");
	assert_string_equal(s.rows[1].event, "password");
	assert_int_equal(s.rows[1].at, T0 + 2);
	assert_int_equal(s.rows[1].user_id, 7);
	assert_string_equal(s.rows[1].email, "ANN@x");
	assert_string_equal(s.rows[1].address, "::1");
	assert_string_equal(s.rows[1].request_id, "req-1");
	assert_string_equal(s.rows[1].detail, "ok");
	last("ann@x", 9, &s);
	assert_int_equal(s.count, 2);
	assert_string_equal(s.rows[0].event, "login");
}

static void the_rows_of_an_email_are_not_those_of_one_with_an_accent(
	void **state)
{
	struct seen s;

	(void)state;
	add("login", "m\xc3\xbcller@x", T0);
	add("login", "MULLER@x", T0);
	add("login", "Mu\xcc\x88LLER@x", T0);
	last("muller@x", 4, &s);
	assert_int_equal(s.count, 1);
	assert_string_equal(s.rows[0].email, "MULLER@x");
	last("M\xc3\x9cller@x", 4, &s);
	assert_int_equal(s.count, 2);
	assert_string_equal(s.rows[0].email, "m\xc3\xbcller@x");
	last("", 4, &s);
	assert_int_equal(s.count, 3);
	last("\xff", 4, &s);
	assert_int_equal(s.count, 0);
}

static void a_long_text_is_cut_between_characters(void **state)
{
	char email[2 * 200 + 1] = "";
	struct seen s;

	(void)state;
	for (int i = 0; i < 200; i++)
		memcpy(email + 2 * i, "\303\251", 3);
	add("login-of-a-name-that-is-far-too-long", email, T0);
	last("", 1, &s);
	assert_int_equal(strlen(s.rows[0].event), AUDIT_EVENT_MAX);
	assert_int_equal(strlen(s.rows[0].email), 254);
}

static void a_row_of_an_unknown_user_has_no_user_id(void **state)
{
	const struct audit_entry entry = { "login", 0,	     "who@x",
					   "",	    "req-1", "unknown-user" };
	struct seen s;

	(void)state;
	assert_ok(audit_add(db, &entry, T0, 90, NULL));
	last("", 1, &s);
	assert_int_equal(s.rows[0].user_id, 0);
}

static void old_rows_are_deleted(void **state)
{
	int64_t n = 0;

	(void)state;
	for (int i = 0; i < 200; i++)
		add("login", "old@x", T0);
	/* On average every 16th of these deletes 64 */
	for (int i = 0; i < 400; i++)
		add("login", "new@x", T0 + (int64_t)91 * DAY);
	assert_ok(db_row(db, "SELECT COUNT(*) FROM audit WHERE at = ?",
			 DB_IN(db_int(T0)), DB_OUT(db_to_int(&n)), NULL));
	assert_int_equal(n, 0);
	assert_ok(db_row(db, "SELECT COUNT(*) FROM audit", DB_NONE,
			 DB_OUT(db_to_int(&n)), NULL));
	assert_int_equal(n, 400);
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup(name, set_up)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(the_last_rows_are_returned_oldest_first),
		FIXTURE_TEST(
			the_rows_of_an_email_are_not_those_of_one_with_an_accent),
		FIXTURE_TEST(a_long_text_is_cut_between_characters),
		FIXTURE_TEST(a_row_of_an_unknown_user_has_no_user_id),
		FIXTURE_TEST(old_rows_are_deleted),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
