/* Emails in the table `user`, of which some rows are older than
 * schema/auth/045: see set_up_all(). */
#include "tests/unit/schema.h"

#include "cgi-auth/tables/throttle.h"
#include "cgi-auth/tables/users.h"

#include <sodium.h>

#define MUELLER_NFC "m\xc3\xbcller@x.org"
#define MUELLER_NFD "mu\xcc\x88ller@x.org"

enum { T0 = 1700000000, OLD_MULLER = 1, OLD_MOELLER, OLD_NFD, OLD_HANGUL };

static const struct throttle_rules rules = {
	.failures = 5, .address = 30, .window = 600, .max = 900
};
static struct db *db;

static void add_row(int id, const char *email)
{
	assert_ok(db_change(db,
			    "INSERT INTO user (id, email, password)"
			    " VALUES (?, ?, '!')",
			    DB_IN(db_int(id), db_text(span_of(email))), NULL));
}

/* What a program of before 045 has stored for an account */
static void add_old_counts(const char *email)
{
	/* clang-format off */
	assert_ok(db_change(db,
		"INSERT INTO known_address (account, address, last_seen)"
		" VALUES (UNHEX(SHA2(WEIGHT_STRING("
		"           CAST(? AS CHAR CHARACTER SET utf8mb4)"
		"           COLLATE utf8mb4_unicode_ci AS CHAR(255)), 256)),"
		"         '192.0.2.7', ?)",
		DB_IN(db_text(span_of(email)), db_int(T0)), NULL));
	assert_ok(db_change(db,
		"INSERT INTO throttle"
		" VALUES (CONCAT('a', UNHEX(SHA2(WEIGHT_STRING("
		"           CAST(? AS CHAR CHARACTER SET utf8mb4)"
		"           COLLATE utf8mb4_unicode_ci AS CHAR(255)), 256))),"
		"         5, 0, ?, ?, ?)",
		DB_IN(db_text(span_of(email)), db_int(T0), db_int(T0 + 50),
		      db_int(T0)), NULL));
	/* clang-format on */
}

static int set_up_all(void **state)
{
	(void)state;
	schema_auth("001-user");
	schema_auth("002-user-account");
	schema_auth("003-user-email-unique");
	schema_auth("010-throttle");
	schema_auth("011-known-address");
	db = mariadb_pool(2);
	add_row(OLD_MULLER, "Muller@x.org");
	add_row(OLD_MOELLER, "M\xc3\xb6ller@x.org");
	add_row(OLD_NFD, "Be\xcc\x81"
			 "a@x.org");
	add_row(OLD_HANGUL, "\xe1\x84\x90\xe1\x85\xa6@x.org");
	add_old_counts("Muller@x.org");
	add_old_counts("M\xc3\xb6ller@x.org");
	schema_auth("045-user-email-key");
	schema_auth("046-account-key");
	schema_auth("047-throttle-slot");
	return sodium_init() < 0;
}

static int tear_down_all(void **state)
{
	(void)state;
	db_close(db);
	return 0;
}

static int64_t id_of(const char *email)
{
	struct user u;
	enum err e = users_by_email(db, span_of(email), &u, NULL);

	if (e == ERR_NOT_FOUND)
		return 0;
	assert_ok(e);
	return (int64_t)u.id;
}

static enum err add(const char *email)
{
	struct user u = { .password = "!", .scope = "" };

	(void)snprintf(u.email, sizeof(u.email), "%s", email);
	return users_add(db, &u, NULL);
}

static void old_rows_are_found_whatever_their_case_and_composition(void **state)
{
	(void)state;
	assert_int_equal(id_of("muller@x.org"), OLD_MULLER);
	assert_int_equal(id_of("MULLER@X.ORG"), OLD_MULLER);
	assert_int_equal(id_of("muller@x.org  "), OLD_MULLER);
	assert_int_equal(id_of("m\xc3\xb6ller@x.org"), OLD_MOELLER);
	assert_int_equal(id_of("M\xc3\x96LLER@x.org"), OLD_MOELLER);
	assert_int_equal(id_of("mo\xcc\x88ller@x.org"), OLD_MOELLER);
	assert_int_equal(id_of("b\xc3\xa9"
			       "a@x.org"),
			 OLD_NFD);
	assert_int_equal(id_of("BE\xcc\x81"
			       "A@x.org"),
			 OLD_NFD);
	assert_int_equal(id_of("\xed\x85\x8c@x.org"), OLD_HANGUL);
}

static void accents_make_two_people(void **state)
{
	(void)state;
	assert_int_equal(id_of(MUELLER_NFC), 0);
	assert_ok(add(MUELLER_NFC));
	assert_err(add("M\xc3\x9cLLER@x.org"), ERR_CONFLICT);
	assert_err(add("MULLER@x.org"), ERR_CONFLICT);
	assert_int_equal(id_of("muller@x.org"), OLD_MULLER);
	assert_true(id_of(MUELLER_NFC) > OLD_HANGUL);
	assert_int_equal(id_of(MUELLER_NFC), id_of(MUELLER_NFD));
	assert_int_equal(id_of("bea@x.org"), 0);
	assert_int_equal(id_of("moller@x.org"), 0);
	assert_int_equal(id_of("mu\xcc\x88"
			       "ller@x.or"),
			 0);
}

static void case_is_that_of_every_script(void **state)
{
	(void)state;
	/* ΣΟΦΟΣ, σοφος with a final sigma; Жанна */
	assert_ok(add("\xce\xa3\xce\x9f\xce\xa6\xce\x9f\xce\xa3@x.org"));
	assert_true(id_of("\xcf\x83\xce\xbf\xcf\x86\xce\xbf\xcf\x82@x.org") >
		    0);
	assert_ok(add("\xd0\x96\xd0\xb0@x.org"));
	assert_true(id_of("\xd0\xb6\xd0\x90@X.org") > 0);
	/* and Χρίστος, stored with the final sigma */
	assert_ok(add("\xce\xa7\xcf\x81\xce\xaf\xcf\x83\xcf\x84\xce\xbf"
		      "\xcf\x82@x.org"));
	assert_true(id_of("\xce\xa7\xcf\x81\xce\xaf\xcf\x83\xcf\x84\xce\xbf"
			  "\xcf\x82@x.org") > 0);
	assert_true(id_of("\xce\xa7\xce\xa1\xce\x8a\xce\xa3\xce\xa4\xce\x9f"
			  "\xce\xa3@X.org") > 0);
	/* ß and ss, dotless and dotted i are different letters */
	assert_ok(add("stra\xc3\x9f@x.org"));
	assert_int_equal(id_of("strass@x.org"), 0);
	assert_ok(add("k\xc4\xb1r@x.org"));
	assert_int_equal(id_of("kir@x.org"), 0);
}

static void a_row_that_is_inserted_without_a_key_is_found(void **state)
{
	(void)state;
	add_row(1000, "\xc3\x84nne@x.org");
	assert_int_equal(id_of("\xc3\xa4NNE@x.org"), 1000);
	assert_int_equal(id_of("anne@x.org"), 0);
}

static void an_email_that_is_not_utf8_is_nobodys(void **state)
{
	(void)state;
	assert_int_equal(id_of("m\xfcller@x.org"), 0);
	assert_int_equal(id_of("\xff"), 0);
}

static int64_t wait_of(const char *email, const char *address,
		       struct throttle_ticket *t)
{
	struct client c;
	int64_t wait = 0;

	client_parse(span_of(address), SPAN(""), SPAN(""), &c);
	if (throttle_enter(db, &rules, span_of(email), &c, T0 + 1, t, &wait,
			   NULL) == ERR_LIMITED)
		return wait;
	assert_ok(throttle_leave(db, &rules, t, ERR_UNAVAILABLE, T0 + 1, NULL));
	return 0;
}

static void counts_and_known_addresses_of_before_stay_in_force(void **state)
{
	static const char *const emails[] = { "muller@x.org",
					      "m\xc3\xb6ller@x.org",
					      "MO\xcc\x88LLER@x.org" };
	struct throttle_ticket t;

	(void)state;
	for (size_t i = 0; i < COUNT(emails); i++) {
		assert_int_equal(wait_of(emails[i], "192.0.2.8", &t), 49);
		assert_int_equal(wait_of(emails[i], "192.0.2.7", &t), 0);
		assert_int_equal(t.last_seen, T0);
	}
	/* and are not those of somebody with an accent more or less */
	assert_int_equal(wait_of(MUELLER_NFC, "192.0.2.8", &t), 0);
	assert_int_equal(wait_of(MUELLER_NFC, "192.0.2.7", &t), 0);
	assert_int_equal(t.last_seen, 0);
}

/* The statements of a program of before 045 */
static void a_program_of_before_finds_and_adds_rows(void **state)
{
	uint64_t id = 0;

	(void)state;
	assert_ok(db_row(db, "SELECT id FROM user WHERE email = ?",
			 DB_IN(db_text(SPAN("M\xc3\x96LLER@x.org"))),
			 DB_OUT(db_to_uint(&id)), NULL));
	assert_int_equal(id, OLD_MOELLER);
	/* clang-format off */
	assert_ok(db_change(db,
		"INSERT INTO user"
		" (email, password, admin, scope, created_at,"
		"  password_changed_at)"
		" VALUES ('old@x.org', '!', 0, '', 0, 0)",
		DB_NONE, NULL));
	/* clang-format on */
	assert_true(id_of("OLD@x.org") > 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(old_rows_are_found_whatever_their_case_and_composition),
		TEST(accents_make_two_people),
		TEST(case_is_that_of_every_script),
		TEST(a_row_that_is_inserted_without_a_key_is_found),
		TEST(an_email_that_is_not_utf8_is_nobodys),
		TEST(counts_and_known_addresses_of_before_stay_in_force),
		TEST(a_program_of_before_finds_and_adds_rows),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
