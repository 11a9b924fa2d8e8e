#include "tests/unit/mariadb.h"

static struct db *db;
static struct errmsg why;

/* Run a statement that may match no row: CREATE, DELETE */
#define run(sql)                                                    \
	do {                                                        \
		enum err run_e = db_change(db, sql, DB_NONE, &why); \
		if (run_e != ERR_NOT_FOUND)                         \
			assert_ok(run_e);                           \
	} while (0)

static int new_tables(void **state)
{
	(void)state;
	why.text[0] = '\0';
	run("CREATE OR REPLACE TABLE thing (id BIGINT PRIMARY KEY, name "
	    "VARCHAR(8)"
	    " CHARACTER SET utf8mb4 UNIQUE, big BIGINT UNSIGNED, sum BINARY(4),"
	    " note TEXT CHARACTER SET utf8mb4)");
	return 0;
}

static enum err add(int64_t id, const char *name)
{
	return db_change(db, "INSERT INTO thing (id, name) VALUES (?, ?)",
			 DB_IN(db_int(id), db_text(span_of(name))), &why);
}

static void values_of_every_kind_are_stored_and_read(void **state)
{
	int64_t id = 0;
	uint64_t big = 0;
	char name[9] = "", sum[4];

	(void)state;
	assert_ok(db_change(db,
			    "INSERT INTO thing (id, name, big, sum) "
			    "VALUES (?, ?, ?, ?)",
			    DB_IN(db_int(INT64_MIN),
				  db_text(SPAN("\xc3\xa9 \xf0\x9f\x98\x80")),
				  db_uint(UINT64_MAX),
				  db_bytes(SPAN("a\0\xff\n"))),
			    &why));
	assert_ok(
		db_row(db, "SELECT id, name, big, sum FROM thing WHERE id = ?",
		       DB_IN(db_int(INT64_MIN)),
		       DB_OUT(db_to_int(&id), db_to_text(name, sizeof(name)),
			      db_to_uint(&big), db_to_bytes(sum, sizeof(sum))),
		       &why));
	assert_true(id == INT64_MIN);
	assert_string_equal(name, "\xc3\xa9 \xf0\x9f\x98\x80");
	assert_true(big == UINT64_MAX);
	assert_memory_equal(sum, "a\0\xff\n", 4);
}

static void null_reads_as_the_value_that_the_caller_chose(void **state)
{
	int64_t zero = 77, other = 77;
	uint64_t big = 77;
	char name[9] = "old", sum[4] = "old";

	(void)state;
	assert_ok(db_change(
		db, "INSERT INTO thing (id, name, big) VALUES (?, ?, ?)",
		DB_IN(db_int(1), db_null(), db_int_or_null(-1, -1)), &why));
	assert_ok(
		db_row(db, "SELECT big, big, big, name FROM thing WHERE id = 1",
		       DB_NONE,
		       DB_OUT(db_to_int(&zero), db_to_int_or(&other, -5),
			      db_to_uint(&big), db_to_text(name, sizeof(name))),
		       &why));
	assert_int_equal(zero, 0);
	assert_int_equal(other, -5);
	assert_int_equal(big, 0);
	assert_string_equal(name, "");
	memset(sum, 'x', sizeof(sum));
	assert_ok(db_row(db, "SELECT sum FROM thing WHERE id = 1", DB_NONE,
			 DB_OUT(db_to_bytes(sum, sizeof(sum))), &why));
	assert_memory_equal(sum, "\0\0\0", sizeof(sum));
}

static void a_number_that_stands_for_null_is_stored_as_null(void **state)
{
	int64_t n = 77;

	(void)state;
	assert_ok(db_row(db, "SELECT ? IS NULL", DB_IN(db_int_or_null(-1, -1)),
			 DB_OUT(db_to_int(&n)), &why));
	assert_int_equal(n, 1);
	assert_ok(db_row(db, "SELECT ? IS NULL", DB_IN(db_int_or_null(0, -1)),
			 DB_OUT(db_to_int(&n)), &why));
	assert_int_equal(n, 0);
}

static void an_empty_text_is_not_null(void **state)
{
	int64_t n = 77;

	(void)state;
	assert_ok(db_row(db, "SELECT ? IS NULL",
			 DB_IN(db_text((struct span) { NULL, 0 })),
			 DB_OUT(db_to_int(&n)), &why));
	assert_int_equal(n, 0);
	assert_ok(db_row(db, "SELECT LENGTH(?)", DB_IN(db_text(SPAN(""))),
			 DB_OUT(db_to_int(&n)), &why));
	assert_int_equal(n, 0);
}

static void a_text_that_does_not_fit_is_too_large(void **state)
{
	char five[6], four[5];

	(void)state;
	assert_ok(add(1, "12345"));
	assert_ok(db_row(db, "SELECT name FROM thing", DB_NONE,
			 DB_OUT(db_to_text(five, sizeof(five))), &why));
	assert_string_equal(five, "12345");
	assert_err(db_row(db, "SELECT name FROM thing", DB_NONE,
			  DB_OUT(db_to_text(four, sizeof(four))), &why),
		   ERR_TOO_LARGE);
	/* the connection can still be used */
	assert_ok(db_row(db, "SELECT name FROM thing", DB_NONE,
			 DB_OUT(db_to_text(five, sizeof(five))), &why));
}

static void bytes_of_another_length_are_refused(void **state)
{
	char out[8];

	(void)state;
	for (size_t n = 1; n <= sizeof(out); n++) {
		enum err e = db_row(db, "SELECT CAST('abcd' AS BINARY(4))",
				    DB_NONE, DB_OUT(db_to_bytes(out, n)), &why);

		assert_err(e, n == 4 ? ERR_OK : ERR_TOO_LARGE);
	}
}

static void a_number_out_of_range_is_too_large(void **state)
{
	int64_t n = 77;
	uint64_t u = 77;

	(void)state;
	assert_err(db_row(db, "SELECT CAST(9223372036854775808 AS UNSIGNED)",
			  DB_NONE, DB_OUT(db_to_int(&n)), &why),
		   ERR_TOO_LARGE);
	assert_err(db_row(db, "SELECT CAST(-1 AS SIGNED)", DB_NONE,
			  DB_OUT(db_to_uint(&u)), &why),
		   ERR_TOO_LARGE);
}

static void a_value_too_long_for_its_column_is_not_stored(void **state)
{
	(void)state;
	assert_ok(add(1, "12345678"));
	assert_err(add(2, "123456789"), ERR_TOO_LARGE);
	assert_err(
		db_change(db, "DELETE FROM thing WHERE id = 2", DB_NONE, &why),
		ERR_NOT_FOUND);
}

static void a_second_row_of_the_same_key_is_a_conflict(void **state)
{
	(void)state;
	assert_ok(add(1, "ann"));
	assert_err(add(1, "bob"), ERR_CONFLICT);
	assert_err(add(2, "ann"), ERR_CONFLICT);
	assert_contains(why.text, "1062");
	assert_ok(add(2, "bob"));
}

static void a_missing_row_leaves_the_outputs(void **state)
{
	int64_t id = 77;

	(void)state;
	assert_err(db_row(db, "SELECT id FROM thing WHERE id = ?",
			  DB_IN(db_int(9)), DB_OUT(db_to_int(&id)), &why),
		   ERR_NOT_FOUND);
	assert_int_equal(id, 77);
}

static void the_first_of_many_rows_is_returned(void **state)
{
	int64_t id = 0;

	(void)state;
	for (int64_t i = 1; i <= 100; i++) {
		char name[9];

		(void)snprintf(name, sizeof(name), "n%d", (int)i);
		assert_ok(add(i, name));
	}
	for (int i = 0; i < 3; i++) {
		assert_ok(db_row(db, "SELECT id FROM thing ORDER BY id DESC",
				 DB_NONE, DB_OUT(db_to_int(&id)), &why));
		assert_int_equal(id, 100);
	}
}

static void a_change_that_matches_nothing_is_not_found(void **state)
{
	(void)state;
	assert_ok(add(1, "ann"));
	assert_err(db_change(db, "UPDATE thing SET name = 'x' WHERE id = ?",
			     DB_IN(db_int(2)), &why),
		   ERR_NOT_FOUND);
	assert_err(db_change(db, "DELETE FROM thing WHERE id = ?",
			     DB_IN(db_int(2)), &why),
		   ERR_NOT_FOUND);
	/* a row that keeps its value was matched */
	assert_ok(db_change(db, "UPDATE thing SET name = 'ann' WHERE id = ?",
			    DB_IN(db_int(1)), &why));
	assert_ok(db_change(db, "DELETE FROM thing WHERE id = ?",
			    DB_IN(db_int(1)), &why));
}

struct walk {
	int64_t id, sum;
	int seen, stop_at;
};

static enum err step(void *arg)
{
	struct walk *w = arg;

	w->sum += w->id;
	w->seen++;
	return w->seen == w->stop_at ? ERR_FULL : ERR_OK;
}

static void each_is_called_for_every_row_until_it_fails(void **state)
{
	struct walk w = { 0 };

	(void)state;
	for (int64_t i = 1; i <= 10; i++) {
		char name[9];

		(void)snprintf(name, sizeof(name), "n%d", (int)i);
		assert_ok(add(i, name));
	}
	assert_ok(db_each(db, "SELECT id FROM thing ORDER BY id", DB_NONE,
			  DB_OUT(db_to_int(&w.id)), step, &w, &why));
	assert_int_equal(w.seen, 10);
	assert_int_equal(w.sum, 55);
	w = (struct walk) { .stop_at = 3 };
	assert_err(db_each(db, "SELECT id FROM thing ORDER BY id", DB_NONE,
			   DB_OUT(db_to_int(&w.id)), step, &w, &why),
		   ERR_FULL);
	assert_int_equal(w.seen, 3);
	/* an empty result is not an error */
	w = (struct walk) { 0 };
	assert_ok(db_each(db, "SELECT id FROM thing WHERE id > 10", DB_NONE,
			  DB_OUT(db_to_int(&w.id)), step, &w, &why));
	assert_int_equal(w.seen, 0);
}

static enum err query_inside_each(void *arg)
{
	int64_t *n = arg, one = 0;

	*n += 1;
	return db_row(db, "SELECT 1", DB_NONE, DB_OUT(db_to_int(&one)), &why);
}

static void another_statement_may_run_inside_each(void **state)
{
	int64_t n = 0;
	char name[9];

	(void)state;
	assert_ok(add(1, "a"));
	assert_ok(add(2, "b"));
	assert_ok(db_each(db, "SELECT name FROM thing", DB_NONE,
			  DB_OUT(db_to_text(name, sizeof(name))),
			  query_inside_each, &n, &why));
	assert_int_equal(n, 2);
}

static void a_value_is_never_read_as_sql(void **state)
{
	static const char evil[] = "x'; DROP TABLE thing; -- \\";
	char back[64];

	(void)state;
	assert_ok(db_row(db, "SELECT ?", DB_IN(db_text(span_of(evil))),
			 DB_OUT(db_to_text(back, sizeof(back))), &why));
	assert_string_equal(back, evil);
	assert_ok(add(1, "still"));
}

static void an_error_in_the_sql_is_an_io_error(void **state)
{
	int64_t n;

	(void)state;
	assert_err(db_change(db, "SELEKT 1", DB_NONE, &why), ERR_IO);
	assert_contains(why.text, "SELEKT");
	assert_err(db_change(db, "SELECT 1 FROM nowhere", DB_NONE, NULL),
		   ERR_IO);
	assert_err(db_row(db, "SELECT ?", DB_NONE, DB_OUT(db_to_int(&n)), &why),
		   ERR_IO);
	assert_contains(why.text, "parameters");
	assert_err(
		db_row(db, "SELECT 1, 2", DB_NONE, DB_OUT(db_to_int(&n)), &why),
		ERR_IO);
	assert_contains(why.text, "columns");
	assert_ok(db_row(db, "SELECT 3", DB_NONE, DB_OUT(db_to_int(&n)), &why));
	assert_int_equal(n, 3);
}

static void a_statement_is_prepared_again_after_its_table_is_altered(
	void **state)
{
	char name[9];

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_ok(add(i, i == 0 ? "a" : i == 1 ? "b" : "c"));
		assert_ok(db_row(db, "SELECT name FROM thing WHERE id = ?",
				 DB_IN(db_int(i)),
				 DB_OUT(db_to_text(name, sizeof(name))), &why));
		if (i == 0)
			run("ALTER TABLE thing ADD COLUMN more INT NULL FIRST");
		else
			run("ALTER TABLE thing MODIFY name VARCHAR(4)");
	}
}

/* Sixty literals, more than a connection keeps; each returns its own number */
#define ONE(digits)                                                         \
	assert_ok(db_row(db, "SELECT 1" digits " + ?", DB_IN(db_int(1000)), \
			 DB_OUT(db_to_int(&n)), &why));                     \
	assert_int_equal(n, expected++)
#define FIVE(a, b, c, d, e) \
	ONE(a);             \
	ONE(b);             \
	ONE(c);             \
	ONE(d);             \
	ONE(e)
#define TEN(t)                                   \
	FIVE(t "0", t "1", t "2", t "3", t "4"); \
	FIVE(t "5", t "6", t "7", t "8", t "9")

static int64_t run_sixty(void)
{
	int64_t n = 0, expected = 1100;

	TEN("0");
	TEN("1");
	TEN("2");
	TEN("3");
	TEN("4");
	TEN("5");
	return expected;
}

static void statements_beyond_the_cache_still_run(void **state)
{
	int64_t kept = 0;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(run_sixty(), 1160);
	assert_ok(db_row(db,
			 "SELECT CAST(VARIABLE_VALUE AS SIGNED) FROM "
			 "information_schema.GLOBAL_STATUS WHERE "
			 "VARIABLE_NAME = 'PREPARED_STMT_COUNT'",
			 DB_NONE, DB_OUT(db_to_int(&kept)), &why));
	/* of this connection, and a few of the others in the pool */
	assert_in_range(kept, 1, 2 * DB_STATEMENTS_MAX);
}

int main(int argc, char **argv)
{
#define FIXTURE_TEST(name) cmocka_unit_test_setup(name, new_tables)
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(values_of_every_kind_are_stored_and_read),
		FIXTURE_TEST(null_reads_as_the_value_that_the_caller_chose),
		FIXTURE_TEST(a_number_that_stands_for_null_is_stored_as_null),
		FIXTURE_TEST(an_empty_text_is_not_null),
		FIXTURE_TEST(a_text_that_does_not_fit_is_too_large),
		FIXTURE_TEST(bytes_of_another_length_are_refused),
		FIXTURE_TEST(a_number_out_of_range_is_too_large),
		FIXTURE_TEST(a_value_too_long_for_its_column_is_not_stored),
		FIXTURE_TEST(a_second_row_of_the_same_key_is_a_conflict),
		FIXTURE_TEST(a_missing_row_leaves_the_outputs),
		FIXTURE_TEST(the_first_of_many_rows_is_returned),
		FIXTURE_TEST(a_change_that_matches_nothing_is_not_found),
		FIXTURE_TEST(each_is_called_for_every_row_until_it_fails),
		FIXTURE_TEST(another_statement_may_run_inside_each),
		FIXTURE_TEST(a_value_is_never_read_as_sql),
		FIXTURE_TEST(an_error_in_the_sql_is_an_io_error),
		FIXTURE_TEST(
			a_statement_is_prepared_again_after_its_table_is_altered),
		FIXTURE_TEST(statements_beyond_the_cache_still_run),
	};
	int failed;

	(void)argc;
	mariadb_needed(argv);
	db = mariadb_pool(2);
	failed = RUN(tests);
	db_close(db);
	return failed;
}
