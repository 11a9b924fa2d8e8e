#include "cgi-gateway/tables/admissions.h"

#include "tests/unit/mariadb.h"
#include "tests/unit/schema.h"
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>

enum { NOW = 1767225600, ANN = 1, BOB = 2 };

static const struct admission_limits limits = { .all = 100, .owner = 60 };
static struct db *db;
static struct errmsg why;

static int open_db(void **state)
{
	(void)state;
	db = mariadb_pool(8);
	schema_run("gateway/043-admission");
	return 0;
}

static int close_db(void **state)
{
	(void)state;
	db_close(db);
	return 0;
}

static int clear(void **state)
{
	(void)state;
	(void)!db_change(db, "DELETE FROM admission", DB_NONE, NULL);
	return 0;
}

static enum err add_at(uint64_t owner, int64_t bytes, int64_t now,
		       char id[static IDENT_LEN + 1])
{
	return admissions_add(db, owner, bytes, now, &limits, id, &why);
}

static enum err add(uint64_t owner, int64_t bytes)
{
	char id[IDENT_LEN + 1];

	return add_at(owner, bytes, NOW, id);
}

static int64_t rows(void)
{
	int64_t n = -1;

	assert_ok(db_row(db, "SELECT COUNT(*) FROM admission", DB_NONE,
			 DB_OUT(db_to_int(&n)), &why));
	return n;
}

static void bodies_are_added_up_to_the_limit_of_their_owner(void **state)
{
	(void)state;
	assert_ok(add(ANN, 30));
	assert_ok(add(ANN, 30));
	assert_int_equal(add(ANN, 1), ERR_TOO_MANY_UPLOADS);
	assert_ok(add(BOB, 40));
	assert_int_equal(rows(), 3);
}

static void bodies_are_added_up_to_the_limit_of_all(void **state)
{
	(void)state;
	assert_ok(add(ANN, 60));
	assert_ok(add(BOB, 30));
	assert_int_equal(add(BOB, 11), ERR_FULL);
	assert_ok(add(BOB, 10));
}

static void the_only_body_of_an_owner_always_fits_that_owners_limit(
	void **state)
{
	(void)state;
	assert_ok(add(ANN, 1000000));
	assert_int_equal(add(ANN, 1), ERR_TOO_MANY_UPLOADS);
}

static void an_owner_takes_no_more_than_that_limit_from_all(void **state)
{
	(void)state;
	assert_ok(add(ANN, 1000000));
	assert_int_equal(add(BOB, 41), ERR_FULL);
	assert_ok(add(BOB, 40));
	assert_int_equal(add(BOB, 1), ERR_FULL);
}

static void a_body_that_has_ended_counts_no_more(void **state)
{
	char id[IDENT_LEN + 1] = "";

	(void)state;
	assert_ok(add_at(ANN, 60, NOW, id));
	assert_true(ident_is_random(span_of(id)));
	admissions_end(db, id);
	assert_ok(add(ANN, 60));
	admissions_end(db, id); /* again: nothing happens */
	assert_int_equal(rows(), 1);
}

static void a_body_counts_until_it_expires_and_is_then_removed(void **state)
{
	char id[IDENT_LEN + 1] = "";

	(void)state;
	assert_ok(add_at(ANN, 60, NOW, id));
	assert_int_equal(add_at(ANN, 1, NOW + ADMISSION_SECONDS - 1, id),
			 ERR_TOO_MANY_UPLOADS);
	assert_ok(add_at(ANN, 60, NOW + ADMISSION_SECONDS, id));
	assert_int_equal(rows(), 1);
}

static void a_long_body_has_a_second_for_each_mebibyte(void **state)
{
	const struct admission_limits wide = { INT64_MAX, INT64_MAX / 2 };
	char id[IDENT_LEN + 1];
	int64_t expires_at = 0;

	(void)state;
	assert_ok(admissions_add(db, ANN, 100LL << 30, NOW, &wide, id, &why));
	assert_ok(db_row(db, "SELECT expires_at FROM admission", DB_NONE,
			 DB_OUT(db_to_int(&expires_at)), &why));
	assert_int_equal(expires_at, NOW + ADMISSION_SECONDS + 100 * 1024);
}

static void an_owner_has_a_limited_number_of_bodies(void **state)
{
	const struct admission_limits wide = { INT64_MAX, INT64_MAX / 2 };
	char id[IDENT_LEN + 1];

	(void)state;
	for (int i = 0; i < ADMISSION_BODIES_MAX; i++)
		assert_ok(admissions_add(db, ANN, 1, NOW, &wide, id, &why));
	assert_int_equal(admissions_add(db, ANN, 1, NOW, &wide, id, &why),
			 ERR_TOO_MANY_UPLOADS);
	assert_ok(admissions_add(db, BOB, 1, NOW, &wide, id, &why));
}

enum { THREADS = 8, EACH = 10 };

static atomic_int added, unexpected;

static void *add_many(void *arg)
{
	(void)arg;
	for (int i = 0; i < EACH; i++) {
		enum err e = add(ANN, 7);

		if (e == ERR_OK)
			atomic_fetch_add(&added, 1);
		else if (e != ERR_TOO_MANY_UPLOADS)
			atomic_fetch_add(&unexpected, 1);
	}
	db_thread_end();
	return NULL;
}

static void concurrent_bodies_fill_the_limit_exactly(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	atomic_store(&added, 0);
	atomic_store(&unexpected, 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, add_many, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(atomic_load(&unexpected), 0);
	assert_int_equal(atomic_load(&added), 8); /* 56 of 60 bytes */
}

#define ADMISSION(test) cmocka_unit_test_setup(test, clear)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		ADMISSION(bodies_are_added_up_to_the_limit_of_their_owner),
		ADMISSION(bodies_are_added_up_to_the_limit_of_all),
		ADMISSION(
			the_only_body_of_an_owner_always_fits_that_owners_limit),
		ADMISSION(an_owner_takes_no_more_than_that_limit_from_all),
		ADMISSION(a_body_that_has_ended_counts_no_more),
		ADMISSION(a_body_counts_until_it_expires_and_is_then_removed),
		ADMISSION(a_long_body_has_a_second_for_each_mebibyte),
		ADMISSION(an_owner_has_a_limited_number_of_bodies),
		ADMISSION(concurrent_bodies_fill_the_limit_exactly),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, open_db, close_db);
}
