/* The second factor of a user, against real tables */
#include "tests/unit/schema.h"

#include "cgi-auth/tables/otp.h"

#include <liboath/oath.h>
#include <pthread.h>
#include <stdlib.h>

enum { T0 = 1700000010, ANN = 1, BOB = 2 };

static struct db *db;

/* Calls of oath_base32_encode() until one has no memory; below 0: none fails */
static int encodes_left;
/* Before the next code is computed, another enrolment replaces Ann's secret */
static bool replace_secret;

int __real_oath_base32_encode(const char *in, size_t len, char **out,
			      size_t *n);
int __wrap_oath_base32_encode(const char *in, size_t len, char **out,
			      size_t *n);
int __wrap_oath_base32_encode(const char *in, size_t len, char **out, size_t *n)
{
	if (encodes_left >= 0 && encodes_left-- == 0)
		return OATH_MALLOC_ERROR;
	return __real_oath_base32_encode(in, len, out, n);
}

int __real_oath_hotp_generate(const char *secret, size_t len, uint64_t step,
			      unsigned digits, bool checksum, size_t truncation,
			      char *out);
int __wrap_oath_hotp_generate(const char *secret, size_t len, uint64_t step,
			      unsigned digits, bool checksum, size_t truncation,
			      char *out);
int __wrap_oath_hotp_generate(const char *secret, size_t len, uint64_t step,
			      unsigned digits, bool checksum, size_t truncation,
			      char *out)
{
	struct otp_secret s;

	if (replace_secret) {
		replace_secret = false;
		assert_ok(otp_enrol(db, ANN, T0, &s, NULL));
	}
	return __real_oath_hotp_generate(secret, len, step, digits, checksum,
					 truncation, out);
}

static int set_up_all(void **state)
{
	(void)state;
	schema_auth("001-user");
	schema_auth("012-otp");
	schema_auth("013-otp-recovery");
	db = mariadb_pool(8);
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
	struct errmsg why = { "" };
	enum err e = db_change(db, "DELETE FROM user", DB_NONE, &why);

	(void)state;
	encodes_left = -1;
	replace_secret = false;
	assert_string_equal(why.text, "");
	assert_true(e == ERR_OK || e == ERR_NOT_FOUND);
	assert_ok(db_change(db,
			    "INSERT INTO user (id, email, password) VALUES "
			    "(1, 'ann@x', ''), (2, 'bob@x', '')",
			    DB_NONE, NULL));
	return 0;
}

/* The code of a user at a time, from the stored secret */
static struct span code_at(uint64_t user, int64_t now, char out[static 7])
{
	unsigned char secret[OTP_SECRET];

	assert_ok(db_row(db, "SELECT secret FROM otp WHERE user_id = ?",
			 DB_IN(db_uint(user)),
			 DB_OUT(db_to_bytes(secret, sizeof(secret))), NULL));
	assert_ok(otp_code(secret, now / OTP_STEP, out));
	return span_of(out);
}

static void enrol(uint64_t user, struct otp_recovery *codes)
{
	struct otp_secret s;
	char code[OTP_DIGITS + 1];

	assert_ok(otp_enrol(db, user, T0, &s, NULL));
	assert_ok(otp_confirm(db, user, code_at(user, T0 - 90, code), T0 - 90,
			      codes, NULL));
}

static enum err check(uint64_t user, const char *code, int64_t now)
{
	return otp_check(db, user, span_of(code), now, NULL);
}

static void a_user_without_a_second_factor_needs_no_code(void **state)
{
	struct otp_secret s;

	(void)state;
	assert_ok(check(ANN, "", T0));
	assert_ok(check(ANN, "123456", T0));
	assert_ok(otp_enrol(db, ANN, T0, &s, NULL)); /* not confirmed */
	assert_ok(check(ANN, "", T0));
	assert_err(otp_check_strict(db, ANN, SPAN("123456"), T0, NULL),
		   ERR_NOT_FOUND);
}

static void a_user_with_a_second_factor_needs_a_code(void **state)
{
	struct otp_recovery codes;
	char code[OTP_DIGITS + 1];

	(void)state;
	enrol(ANN, &codes);
	assert_err(check(ANN, "", T0), ERR_OTP_REQUIRED);
	assert_err(check(ANN, "  ", T0), ERR_OTP_REQUIRED);
	(void)code_at(ANN, T0, code);
	code[5] = code[5] == '9' ? '0' : (char)(code[5] + 1);
	assert_err(check(ANN, code, T0), ERR_OTP);
	assert_err(check(ANN, "12345", T0), ERR_OTP);
	assert_err(check(ANN, "1234567", T0), ERR_OTP);
	assert_err(check(ANN, "' OR 1=1", T0), ERR_OTP);
	(void)code_at(ANN, T0, code);
	assert_ok(check(ANN, code, T0));
	assert_ok(check(BOB, "", T0));
}

static void codes_of_the_step_before_and_after_are_accepted_and_no_others(
	void **state)
{
	static const struct {
		int64_t steps;
		enum err want;
	} cases[] = {
		{ -2, ERR_OTP }, { -1, ERR_OK }, { 0, ERR_OK },
		{ 1, ERR_OK },	 { 2, ERR_OTP },
	};
	struct otp_recovery codes;
	char code[OTP_DIGITS + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		(void)set_up(NULL);
		enrol(ANN, &codes);
		(void)code_at(ANN, T0 + cases[i].steps * OTP_STEP, code);
		assert_err(check(ANN, code, T0), cases[i].want);
	}
}

static void a_code_works_once(void **state)
{
	struct otp_recovery codes;
	char before[OTP_DIGITS + 1], code[OTP_DIGITS + 1];

	(void)state;
	enrol(ANN, &codes);
	(void)code_at(ANN, T0 - OTP_STEP, before);
	(void)code_at(ANN, T0, code);
	assert_ok(check(ANN, code, T0));
	assert_err(check(ANN, code, T0), ERR_OTP);
	assert_err(check(ANN, code, T0 + OTP_STEP), ERR_OTP);
	/* nor does the code of an earlier step */
	assert_err(check(ANN, before, T0), ERR_OTP);
}

static void the_code_that_confirmed_does_not_log_in(void **state)
{
	struct otp_recovery codes;
	struct otp_secret s;
	char code[OTP_DIGITS + 1];

	(void)state;
	assert_ok(otp_enrol(db, ANN, T0, &s, NULL));
	(void)code_at(ANN, T0, code);
	assert_ok(otp_confirm(db, ANN, span_of(code), T0, &codes, NULL));
	assert_err(check(ANN, code, T0), ERR_OTP);
}

struct race {
	pthread_mutex_t lock;
	const char *code;
	int ok;
};

static void *use(void *arg)
{
	struct race *r = arg;
	enum err e = check(ANN, r->code, T0);

	(void)pthread_mutex_lock(&r->lock);
	r->ok += e == ERR_OK;
	(void)pthread_mutex_unlock(&r->lock);
	db_thread_end();
	return NULL;
}

static int race(const char *code)
{
	struct race r = { PTHREAD_MUTEX_INITIALIZER, code, 0 };
	pthread_t threads[8];

	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use, &r), 0);
	for (size_t i = 0; i < COUNT(threads); i++)
		(void)pthread_join(threads[i], NULL);
	return r.ok;
}

static void a_code_sent_eight_times_at_once_passes_once(void **state)
{
	struct otp_recovery codes;
	char code[OTP_DIGITS + 1];

	(void)state;
	enrol(ANN, &codes);
	(void)code_at(ANN, T0, code);
	assert_int_equal(race(code), 1);
	assert_int_equal(race(codes.codes[0]), 1);
}

static void each_recovery_code_works_once_in_any_spelling(void **state)
{
	struct otp_recovery codes;
	char text[64];

	(void)state;
	enrol(ANN, &codes);
	for (int i = 0; i < OTP_RECOVERY_CODES; i++) {
		assert_int_equal(strlen(codes.codes[i]), OTP_RECOVERY_TEXT);
		assert_err(check(BOB, "", T0), ERR_OK);
		assert_ok(check(ANN, codes.codes[i], T0));
		assert_err(check(ANN, codes.codes[i], T0), ERR_OTP);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(codes.codes[i], codes.codes[j]);
	}
	(void)set_up(NULL);
	enrol(ANN, &codes);
	(void)snprintf(text, sizeof(text), " %.4s%.4s %.4s%.4s ",
		       codes.codes[0], codes.codes[0] + 5, codes.codes[0] + 10,
		       codes.codes[0] + 15);
	for (char *p = text; *p != '\0'; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	assert_ok(check(ANN, text, T0));
}

static void recovery_codes_of_another_user_are_wrong(void **state)
{
	struct otp_recovery anns, bobs;

	(void)state;
	enrol(ANN, &anns);
	enrol(BOB, &bobs);
	assert_err(check(BOB, anns.codes[0], T0), ERR_OTP);
	assert_err(check(ANN, bobs.codes[0], T0), ERR_OTP);
	assert_ok(check(ANN, anns.codes[0], T0));
}

static void recovery_codes_are_stored_as_hashes(void **state)
{
	struct otp_recovery codes;
	int64_t n = -1;

	(void)state;
	enrol(ANN, &codes);
	assert_ok(db_row(db,
			 "SELECT COUNT(*) FROM otp_recovery "
			 "WHERE LENGTH(hash) = 32 AND hash NOT LIKE ?",
			 DB_IN(db_text(span_of(codes.codes[0]))),
			 DB_OUT(db_to_int(&n)), NULL));
	assert_int_equal(n, OTP_RECOVERY_CODES);
}

static void a_secret_in_force_is_not_replaced(void **state)
{
	struct otp_recovery codes;
	struct otp_secret s, more;

	(void)state;
	assert_ok(otp_enrol(db, ANN, T0, &s, NULL));
	assert_ok(otp_enrol(db, ANN, T0, &more, NULL));
	assert_string_not_equal(s.text, more.text);
	assert_int_equal(strlen(s.text), OTP_SECRET_TEXT);
	enrol(ANN, &codes);
	assert_err(otp_enrol(db, ANN, T0, &s, NULL), ERR_CONFLICT);
	assert_err(otp_confirm(db, ANN, SPAN("000000"), T0, &codes, NULL),
		   ERR_NOT_FOUND);
}

static void a_wrong_code_does_not_confirm(void **state)
{
	struct otp_recovery codes;
	struct otp_secret s;
	char code[OTP_DIGITS + 1];

	(void)state;
	assert_ok(otp_enrol(db, ANN, T0, &s, NULL));
	(void)code_at(ANN, T0 + (int64_t)10 * OTP_STEP, code);
	assert_err(otp_confirm(db, ANN, span_of(code), T0, &codes, NULL),
		   ERR_OTP);
	assert_err(otp_confirm(db, ANN, SPAN(""), T0, &codes, NULL), ERR_OTP);
	assert_ok(check(ANN, "", T0));
}

static void a_removed_second_factor_has_no_recovery_codes(void **state)
{
	struct otp_recovery codes;
	int64_t n = -1;

	(void)state;
	enrol(ANN, &codes);
	assert_ok(otp_remove(db, ANN, NULL));
	assert_err(otp_remove(db, ANN, NULL), ERR_NOT_FOUND);
	assert_ok(check(ANN, "", T0));
	assert_ok(db_row(db, "SELECT COUNT(*) FROM otp_recovery", DB_NONE,
			 DB_OUT(db_to_int(&n)), NULL));
	assert_int_equal(n, 0);
}

static void a_secret_is_shown_in_base32_without_padding(void **state)
{
	unsigned char stored[OTP_SECRET];
	struct otp_secret s;
	char *bytes = NULL;
	size_t n = 0;

	(void)state;
	assert_ok(otp_enrol(db, ANN, T0, &s, NULL));
	assert_int_equal(strlen(s.text), OTP_SECRET_TEXT);
	assert_int_equal(strspn(s.text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
			 OTP_SECRET_TEXT);
	assert_ok(db_row(db, "SELECT secret FROM otp WHERE user_id = 1",
			 DB_NONE, DB_OUT(db_to_bytes(stored, sizeof(stored))),
			 NULL));
	assert_int_equal(
		oath_base32_decode(s.text, OTP_SECRET_TEXT, &bytes, &n),
		OATH_OK);
	assert_int_equal(n, OTP_SECRET);
	assert_memory_equal(bytes, stored, n);
	free(bytes);
}

static void an_enrolment_without_memory_changes_nothing(void **state)
{
	struct otp_secret s = { "as it was" };
	struct errmsg why;
	int64_t n = -1;

	(void)state;
	encodes_left = 0;
	assert_err(otp_enrol(db, ANN, T0, &s, &why), ERR_MEMORY);
	assert_string_equal(why.text, "out of memory");
	assert_string_equal(s.text, "as it was");
	assert_ok(db_row(db, "SELECT COUNT(*) FROM otp", DB_NONE,
			 DB_OUT(db_to_int(&n)), NULL));
	assert_int_equal(n, 0);
}

static void a_confirmation_without_memory_puts_nothing_in_force(void **state)
{
	struct otp_recovery codes;
	struct otp_secret s;
	char code[OTP_DIGITS + 1];

	(void)state;
	assert_ok(otp_enrol(db, ANN, T0, &s, NULL));
	encodes_left = 0;
	assert_err(
		otp_confirm(db, ANN, code_at(ANN, T0, code), T0, &codes, NULL),
		ERR_MEMORY);
	encodes_left = -1;
	assert_ok(check(ANN, "", T0));
	assert_ok(otp_confirm(db, ANN, span_of(code), T0, &codes, NULL));
	assert_err(check(ANN, "", T0), ERR_OTP_REQUIRED);
}

static void a_confirmation_that_fails_leaves_the_output_untouched(void **state)
{
	static const struct otp_recovery untouched = { .codes = {
							       "as it was" } };
	struct otp_recovery codes = untouched;
	struct otp_secret s;
	char code[OTP_DIGITS + 1];

	(void)state;
	assert_ok(otp_enrol(db, ANN, T0, &s, NULL));
	encodes_left = 4;
	assert_err(
		otp_confirm(db, ANN, code_at(ANN, T0, code), T0, &codes, NULL),
		ERR_MEMORY);
	assert_memory_equal(&codes, &untouched, sizeof(codes));
}

static void a_confirmation_of_a_secret_just_replaced_is_not_found(void **state)
{
	struct otp_recovery codes;
	struct otp_secret s;
	char code[OTP_DIGITS + 1];
	int64_t n = -1;

	(void)state;
	assert_ok(otp_enrol(db, ANN, T0, &s, NULL));
	(void)code_at(ANN, T0, code);
	replace_secret = true;
	assert_err(otp_confirm(db, ANN, span_of(code), T0, &codes, NULL),
		   ERR_NOT_FOUND);
	assert_ok(check(ANN, "", T0));
	assert_ok(db_row(db, "SELECT COUNT(*) FROM otp_recovery", DB_NONE,
			 DB_OUT(db_to_int(&n)), NULL));
	assert_int_equal(n, 0);
}

static void a_deleted_user_has_no_second_factor(void **state)
{
	struct otp_recovery codes;
	int64_t n = -1;

	(void)state;
	enrol(ANN, &codes);
	assert_ok(
		db_change(db, "DELETE FROM user WHERE id = 1", DB_NONE, NULL));
	assert_ok(db_row(db, "SELECT COUNT(*) FROM otp_recovery", DB_NONE,
			 DB_OUT(db_to_int(&n)), NULL));
	assert_int_equal(n, 0);
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup(name, set_up)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(a_user_without_a_second_factor_needs_no_code),
		FIXTURE_TEST(a_user_with_a_second_factor_needs_a_code),
		FIXTURE_TEST(
			codes_of_the_step_before_and_after_are_accepted_and_no_others),
		FIXTURE_TEST(a_code_works_once),
		FIXTURE_TEST(the_code_that_confirmed_does_not_log_in),
		FIXTURE_TEST(a_code_sent_eight_times_at_once_passes_once),
		FIXTURE_TEST(each_recovery_code_works_once_in_any_spelling),
		FIXTURE_TEST(recovery_codes_of_another_user_are_wrong),
		FIXTURE_TEST(recovery_codes_are_stored_as_hashes),
		FIXTURE_TEST(a_secret_in_force_is_not_replaced),
		FIXTURE_TEST(a_wrong_code_does_not_confirm),
		FIXTURE_TEST(a_removed_second_factor_has_no_recovery_codes),
		FIXTURE_TEST(a_secret_is_shown_in_base32_without_padding),
		FIXTURE_TEST(an_enrolment_without_memory_changes_nothing),
		FIXTURE_TEST(
			a_confirmation_without_memory_puts_nothing_in_force),
		FIXTURE_TEST(
			a_confirmation_that_fails_leaves_the_output_untouched),
		FIXTURE_TEST(
			a_confirmation_of_a_secret_just_replaced_is_not_found),
		FIXTURE_TEST(a_deleted_user_has_no_second_factor),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
