/* The delays after wrong passwords, and their limits */
#include "tests/unit/attempts.h"

static void
the_fifth_failure_delays_by_a_second_and_each_further_one_by_twice_as_long(
	void **state)
{
	int64_t now = T0;
	struct throttle_ticket t;

	(void)state;
	fail_times("ann@x", "192.0.2.1", now, 5);
	for (int64_t delay = 1; delay <= 900;
	     delay = delay < 512 ? delay * 2 : delay + 388) {
		/* From other addresses, whose own limit is not reached */
		assert_int_equal(enter("ann@x", "192.0.2.9", now, &t), delay);
		assert_int_equal(
			enter("ann@x", "192.0.2.9", now + delay - 1, &t), 1);
		now += delay;
		assert_int_equal(
			attempt("ann@x", "192.0.2.2", now, ERR_CREDENTIALS), 0);
	}
	assert_int_equal(enter("ann@x", "192.0.2.9", now, &t), 900);
}

static void a_refused_attempt_does_not_lengthen_the_delay(void **state)
{
	struct throttle_ticket t;

	(void)state;
	fail_times("ann@x", "192.0.2.1", T0, 5);
	for (int i = 0; i < 50; i++)
		assert_int_equal(enter("ann@x", "192.0.2.1", T0, &t), 1);
	assert_int_equal(enter("ann@x", "192.0.2.1", T0 + 1, &t), 0);
}

static void a_right_password_clears_the_count(void **state)
{
	(void)state;
	fail_times("ann@x", "192.0.2.1", T0, 4);
	assert_int_equal(attempt("ann@x", "192.0.2.1", T0, ERR_OK), 0);
	fail_times("ann@x", "192.0.2.2", T0, 4);
	assert_int_equal(attempt("ann@x", "192.0.2.2", T0, ERR_OK), 0);
}

static void an_attacker_cannot_delay_the_owner_at_a_known_address(void **state)
{
	struct throttle_ticket t;

	(void)state;
	assert_int_equal(attempt("ann@x", "192.0.2.1", T0, ERR_OK), 0);
	fail_times("ann@x", "198.51.100.7", T0, 5);
	assert_int_equal(enter("ann@x", "198.51.100.7", T0, &t), 1);
	assert_int_equal(enter("ann@x", "203.0.113.5", T0, &t), 1);
	assert_int_equal(attempt("ann@x", "192.0.2.1", T0, ERR_OK), 0);
	/* the owner's login does not clear the attacker's delay */
	assert_int_equal(enter("ann@x", "198.51.100.7", T0, &t), 1);
}

static void a_known_address_has_a_count_of_its_own(void **state)
{
	struct throttle_ticket t;

	(void)state;
	assert_int_equal(attempt("ann@x", "192.0.2.1", T0, ERR_OK), 0);
	fail_times("ann@x", "192.0.2.1", T0, 5);
	assert_int_equal(enter("ann@x", "192.0.2.1", T0, &t), 1);
	assert_int_equal(attempt("ann@x", "198.51.100.7", T0, ERR_OK), 0);
}

static void an_address_is_known_for_90_days(void **state)
{
	const int64_t end = T0 + (int64_t)90 * 86400;
	struct throttle_ticket t;

	(void)state;
	assert_int_equal(attempt("ann@x", "192.0.2.1", T0, ERR_OK), 0);
	fail_times("ann@x", "198.51.100.7", end - 1, 5);
	assert_int_equal(
		attempt("ann@x", "192.0.2.1", end - 1, ERR_UNAVAILABLE), 0);
	fail_times("ann@x", "198.51.100.7", end, 1);
	assert_int_equal(enter("ann@x", "192.0.2.1", end, &t), 2);
}

static void an_address_has_a_limit_over_all_accounts(void **state)
{
	char email[32];
	struct throttle_ticket t;

	(void)state;
	for (int i = 0; i < 30; i++) {
		(void)snprintf(email, sizeof(email), "u%d@x", i);
		fail_times(email, "192.0.2.1", T0 + i, 1);
	}
	assert_int_equal(enter("new@x", "192.0.2.1", T0 + 29, &t), 600);
	assert_int_equal(enter("new@x", "192.0.2.1", T0 + 628, &t), 1);
	assert_int_equal(enter("new@x", "192.0.2.2", T0 + 29, &t), 0);
	assert_int_equal(enter("new@x", "192.0.2.1", T0 + 629, &t), 0);
}

static void failures_of_an_address_are_forgotten_after_the_window(void **state)
{
	char email[32];

	(void)state;
	for (int i = 0; i < 90; i++) {
		(void)snprintf(email, sizeof(email), "u%d@x", i);
		fail_times(email, "192.0.2.1", T0 + i * 25, 1);
	}
}

static void right_passwords_do_not_clear_the_count_of_an_address(void **state)
{
	char email[32];
	struct throttle_ticket t;

	(void)state;
	for (int i = 0; i < 30; i++) {
		(void)snprintf(email, sizeof(email), "u%d@x", i);
		fail_times(email, "192.0.2.1", T0, 1);
		if (i < 29)
			assert_int_equal(
				attempt("mallory@x", "192.0.2.1", T0, ERR_OK),
				0);
	}
	assert_int_equal(enter("mallory@x", "192.0.2.1", T0, &t), 600);
}

static void an_ipv6_network_of_64_bits_is_one_address(void **state)
{
	char email[32], address[48];
	struct throttle_ticket t;

	(void)state;
	for (int i = 0; i < 30; i++) {
		(void)snprintf(email, sizeof(email), "u%d@x", i);
		(void)snprintf(address, sizeof(address), "2001:db8:1:2::%d", i);
		fail_times(email, address, T0, 1);
	}
	assert_int_equal(enter("n@x", "2001:db8:1:2:ffff::1", T0, &t), 600);
	assert_int_equal(enter("n@x", "2001:db8:1:3::1", T0, &t), 0);
}

static void all_spellings_of_an_email_are_one_account(void **state)
{
	static const char *const ascii[] = { "ANN@X", "ann@x ", "ann@x  ",
					     "Ann@X", "aNN@x" };
	/* \303\200: a capital A with a grave, composed */
	static const char *const accented[] = { "\303\200nn@x", "A\314\200nn@x",
						"\303\240nn@x ",
						"a\314\200NN@X",
						"\303\240nn@X" };
	struct throttle_ticket t;

	(void)state;
	for (size_t i = 0; i < COUNT(ascii); i++)
		fail_times(ascii[i], "192.0.2.1", T0, 1);
	assert_int_equal(enter("ann@x", "192.0.2.2", T0, &t), 1);
	assert_int_equal(enter("bnn@x", "192.0.2.2", T0, &t), 0);
	/* an accent more is another account */
	for (size_t i = 0; i < COUNT(accented); i++)
		fail_times(accented[i], "192.0.2.1", T0, 1);
	assert_int_equal(enter("\303\240nn@x", "192.0.2.2", T0, &t), 1);
	assert_int_equal(enter("\303\241nn@x", "192.0.2.2", T0, &t), 0);
}

static void an_attempt_neither_right_nor_wrong_changes_no_count(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++) {
		assert_int_equal(
			attempt("ann@x", "192.0.2.1", T0, ERR_OTP_REQUIRED), 0);
		assert_int_equal(
			attempt("ann@x", "192.0.2.1", T0, ERR_UNAVAILABLE), 0);
	}
	fail_times("ann@x", "192.0.2.1", T0, 4);
	assert_int_equal(attempt("ann@x", "192.0.2.1", T0, ERR_OTP_REQUIRED),
			 0);
	assert_int_equal(attempt("ann@x", "192.0.2.1", T0, ERR_OTP), 0);
	assert_int_equal(attempt("ann@x", "192.0.2.1", T0, ERR_OTP), LIMITED);
}

/* The first second of a slot */
#define SLOT0 (T0 - T0 % THROTTLE_SLOT)
#define SLOT (THROTTLE_SLOT)

static void a_reservation_expires_at_the_end_of_the_next_slot(void **state)
{
	struct throttle_ticket t;

	(void)state;
	fail_times("ann@x", "192.0.2.1", SLOT0, 5);
	for (int i = 0; i < 32; i++)
		assert_int_equal(enter("ann@x", "192.0.2.1", SLOT0 + 1, &t), 0);
	assert_int_equal(enter("ann@x", "192.0.2.1", SLOT0 + 1, &t), 1);
	assert_int_equal(enter("ann@x", "192.0.2.1", SLOT0 + 2 * SLOT - 1, &t),
			 1);
	assert_int_equal(enter("ann@x", "192.0.2.1", SLOT0 + 2 * SLOT, &t), 0);
}

/* 37 places are there without a failure: a process that was killed has 30, and
 * others of the account come and go all the time */
static void places_of_the_dead_expire_while_others_come(void **state)
{
	struct throttle_ticket t;

	(void)state;
	for (int i = 0; i < 30; i++)
		assert_int_equal(enter("ann@x", "192.0.2.1", SLOT0, &t), 0);
	for (int64_t s = 0; s < 2 * SLOT; s++)
		for (int i = 0; i < 3; i++)
			assert_int_equal(attempt("ann@x", "192.0.2.1",
						 SLOT0 + s, ERR_OTP_REQUIRED),
					 0);
	/* all are free again, for as many as before */
	for (int i = 0; i < 37; i++)
		assert_int_equal(
			enter("ann@x", "192.0.2.1", SLOT0 + 2 * SLOT, &t), 0);
	assert_int_equal(enter("ann@x", "192.0.2.1", SLOT0 + 2 * SLOT, &t), 1);
}

static void an_attempt_that_ends_in_another_slot_frees_its_own_place(
	void **state)
{
	struct throttle_ticket first[20], second[17], t;

	(void)state;
	for (int i = 0; i < 20; i++)
		assert_int_equal(enter("ann@x", "192.0.2.1", SLOT0, &first[i]),
				 0);
	for (int i = 0; i < 17; i++)
		assert_int_equal(
			enter("ann@x", "192.0.2.1", SLOT0 + SLOT, &second[i]),
			0);
	assert_int_equal(enter("ann@x", "192.0.2.1", SLOT0 + SLOT, &t), 1);
	for (int i = 0; i < 20; i++)
		leave(&first[i], ERR_OTP_REQUIRED, SLOT0 + SLOT);
	for (int i = 0; i < 20; i++)
		assert_int_equal(enter("ann@x", "192.0.2.1", SLOT0 + SLOT, &t),
				 0);
	assert_int_equal(enter("ann@x", "192.0.2.1", SLOT0 + SLOT, &t), 1);
	/* one that comes back after its place has expired frees no other's */
	leave(&first[0], ERR_OTP_REQUIRED, SLOT0 + 2 * SLOT);
	assert_int_equal(enter("ann@x", "192.0.2.1", SLOT0 + SLOT, &t), 1);
}

/* Two machines whose clocks are on both sides of the end of a slot */
static void machines_whose_clocks_differ_count_together(void **state)
{
	struct throttle_ticket t;

	(void)state;
	for (int i = 0; i < 18; i++) {
		assert_int_equal(enter("ann@x", "192.0.2.1", SLOT0 + SLOT, &t),
				 0);
		assert_int_equal(
			enter("ann@x", "192.0.2.1", SLOT0 + SLOT - 1, &t), 0);
	}
	assert_int_equal(enter("ann@x", "192.0.2.1", SLOT0 + SLOT, &t), 0);
	assert_int_equal(enter("ann@x", "192.0.2.1", SLOT0 + SLOT - 1, &t), 1);
	assert_int_equal(enter("ann@x", "192.0.2.1", SLOT0 + SLOT, &t), 1);
	/* and what a clock of tomorrow has left is forgotten */
	assert_int_equal(enter("bob@x", "192.0.2.2", T0 + 86400, &t), 0);
	for (int i = 0; i < 37; i++)
		assert_int_equal(enter("bob@x", "192.0.2.2", T0, &t), 0);
	assert_int_equal(enter("bob@x", "192.0.2.2", T0, &t), 1);
}

static void a_client_without_an_address_is_never_known(void **state)
{
	int64_t n = -1;

	(void)state;
	assert_int_equal(attempt("ann@x", "", T0, ERR_OK), 0);
	assert_ok(db_row(db, "SELECT COUNT(*) FROM known_address", DB_NONE,
			 DB_OUT(db_to_int(&n)), NULL));
	assert_int_equal(n, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(
			the_fifth_failure_delays_by_a_second_and_each_further_one_by_twice_as_long),
		FIXTURE_TEST(a_refused_attempt_does_not_lengthen_the_delay),
		FIXTURE_TEST(a_right_password_clears_the_count),
		FIXTURE_TEST(
			an_attacker_cannot_delay_the_owner_at_a_known_address),
		FIXTURE_TEST(a_known_address_has_a_count_of_its_own),
		FIXTURE_TEST(an_address_is_known_for_90_days),
		FIXTURE_TEST(an_address_has_a_limit_over_all_accounts),
		FIXTURE_TEST(
			failures_of_an_address_are_forgotten_after_the_window),
		FIXTURE_TEST(
			right_passwords_do_not_clear_the_count_of_an_address),
		FIXTURE_TEST(an_ipv6_network_of_64_bits_is_one_address),
		FIXTURE_TEST(all_spellings_of_an_email_are_one_account),
		FIXTURE_TEST(
			an_attempt_neither_right_nor_wrong_changes_no_count),
		FIXTURE_TEST(a_reservation_expires_at_the_end_of_the_next_slot),
		FIXTURE_TEST(places_of_the_dead_expire_while_others_come),
		FIXTURE_TEST(
			an_attempt_that_ends_in_another_slot_frees_its_own_place),
		FIXTURE_TEST(machines_whose_clocks_differ_count_together),
		FIXTURE_TEST(a_client_without_an_address_is_never_known),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
