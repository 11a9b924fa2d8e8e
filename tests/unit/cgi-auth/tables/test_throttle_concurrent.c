/* Simultaneous attempts, and the rows that they leave */
#include "tests/unit/attempts.h"

#include <pthread.h>

struct race {
	pthread_mutex_t lock;
	int entered, refused, other;
	bool right;
};

static void *guess(void *arg)
{
	struct race *c = arg;
	struct client client = at("192.0.2.1");
	struct throttle_ticket t;
	int64_t wait;

	for (int i = 0; i < 25; i++) {
		struct errmsg why = { "" };
		enum err e = throttle_enter(db, &rules, SPAN("ann@x"), &client,
					    T0, &t, &wait, &why);

		if (e == ERR_OK &&
		    throttle_leave(db, &rules, &t,
				   c->right ? ERR_OK : ERR_CREDENTIALS, T0,
				   &why) != ERR_OK)
			e = ERR_IO;
		if (e != ERR_OK && e != ERR_LIMITED)
			print_error("%s: %s\n", err_text(e), why.text);
		(void)pthread_mutex_lock(&c->lock);
		c->entered += e == ERR_OK;
		c->refused += e == ERR_LIMITED;
		c->other += e != ERR_OK && e != ERR_LIMITED;
		(void)pthread_mutex_unlock(&c->lock);
	}
	db_thread_end();
	return NULL;
}

static void guess_in_threads(struct race *c)
{
	pthread_t threads[16];

	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, guess, c),
				 0);
	for (size_t i = 0; i < COUNT(threads); i++)
		(void)pthread_join(threads[i], NULL);
}

static void parallel_guesses_are_all_counted(void **state)
{
	struct race c = { .lock = PTHREAD_MUTEX_INITIALIZER };
	int64_t failures = 0, pending = 0;

	(void)state;
	guess_in_threads(&c);
	assert_int_equal(c.other, 0);
	assert_int_equal(c.entered + c.refused, 16 * 25);
	/* each of the 16 threads may have one under way at the fifth failure */
	assert_in_range(c.entered, 5, 5 + 15);
	assert_ok(db_row(db,
			 "SELECT failures, pending FROM throttle "
			 "WHERE bucket LIKE 'a%'",
			 DB_NONE,
			 DB_OUT(db_to_int(&failures), db_to_int(&pending)),
			 NULL));
	assert_int_equal(failures, c.entered);
	assert_int_equal(pending, 0);
}

static void parallel_right_logins_all_pass(void **state)
{
	struct race c = { .lock = PTHREAD_MUTEX_INITIALIZER, .right = true };

	(void)state;
	guess_in_threads(&c);
	assert_int_equal(c.other, 0);
	assert_int_equal(c.refused, 0);
}

/* Attempts of every outcome, with known and unknown addresses, so that each
 * statement runs beside each other one on the same few rows */
static void *mix_attempts(void *arg)
{
	static const char *const emails[] = { "a@x", "b@x", "c@x", "d@x" };
	static const char *const addresses[] = { "192.0.2.1", "192.0.2.2",
						 "2001:db8::1" };
	static const enum err outcomes[] = { ERR_OK, ERR_CREDENTIALS,
					     ERR_OTP_REQUIRED };
	struct race *c = arg;
	struct throttle_ticket t;
	int64_t wait;

	for (unsigned i = 0; i < 60; i++) {
		unsigned n = i * 7 + (unsigned)(uintptr_t)pthread_self() / 4096;
		struct client client = at(addresses[n % COUNT(addresses)]);
		int64_t now = T0 + (int64_t)i * 1000;
		struct errmsg why = { "" };
		enum err e = throttle_enter(
			db, &rules, span_of(emails[n / 3 % COUNT(emails)]),
			&client, now, &t, &wait, &why);

		if (e == ERR_OK)
			e = throttle_leave(db, &rules, &t,
					   outcomes[n / 12 % COUNT(outcomes)],
					   now, &why);
		if (e != ERR_OK && e != ERR_LIMITED)
			print_error("%s: %s\n", err_text(e), why.text);
		(void)pthread_mutex_lock(&c->lock);
		c->other += e != ERR_OK && e != ERR_LIMITED;
		(void)pthread_mutex_unlock(&c->lock);
	}
	db_thread_end();
	return NULL;
}

static void concurrent_statements_never_deadlock(void **state)
{
	struct race c = { .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t threads[16];

	(void)state;
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, mix_attempts, &c), 0);
	for (size_t i = 0; i < COUNT(threads); i++)
		(void)pthread_join(threads[i], NULL);
	assert_int_equal(c.other, 0);
}

static void inserted_rows_delete_old_ones(void **state)
{
	char email[32];
	int64_t n = 0;

	(void)state;
	for (int i = 0; i < 40; i++) {
		(void)snprintf(email, sizeof(email), "u%d@x", i);
		assert_int_equal(attempt(email, "192.0.2.1", T0, ERR_OK), 0);
	}
	for (int i = 0; i < 8; i++) {
		(void)snprintf(email, sizeof(email), "v%d@x", i);
		assert_int_equal(attempt(email, "192.0.2.2",
					 T0 + (int64_t)100 * 86400, ERR_OK),
				 0);
	}
	assert_ok(db_row(db, "SELECT COUNT(*) FROM throttle", DB_NONE,
			 DB_OUT(db_to_int(&n)), NULL));
	assert_int_equal(n, 9);
	assert_ok(db_row(db, "SELECT COUNT(*) FROM known_address", DB_NONE,
			 DB_OUT(db_to_int(&n)), NULL));
	assert_int_equal(n, 8);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(parallel_guesses_are_all_counted),
		FIXTURE_TEST(parallel_right_logins_all_pass),
		FIXTURE_TEST(concurrent_statements_never_deadlock),
		FIXTURE_TEST(inserted_rows_delete_old_ones),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
