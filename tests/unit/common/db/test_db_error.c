#include "common/db/db_conn.h"
#include "tests/unit/unit.h"

struct expected {
	unsigned number;
	const char *text;
	enum err want;
	bool breaks;
};

static void check(const struct expected *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		enum err e = db_error_of(list[i].number, list[i].text);

		if (e != list[i].want ||
		    db_error_breaks(list[i].number) != list[i].breaks)
			print_error("MySQL %u: %s\n", list[i].number,
				    err_text(e));
		assert_err(e, list[i].want);
		assert_int_equal(db_error_breaks(list[i].number),
				 list[i].breaks);
	}
}

static void a_full_disk_of_the_database_is_a_full_disk(void **state)
{
	static const struct expected list[] = {
		{ 1114, "The table 'file' is full", ERR_FULL, false },
		{ 1021,
		  "Disk full (/tmp/x); waiting for someone to free some "
		  "space...",
		  ERR_FULL, false },
		{ 3,
		  "Error writing file '/tmp/MLbin' (Errcode: 28 \"No space "
		  "left on device\")",
		  ERR_FULL, false },
		{ 1026,
		  "Error writing file './binlog' (errno: 28 \"No space left "
		  "on device\")",
		  ERR_FULL, false },
		{ 1030,
		  "Got error 28 \"No space left on device\" from storage "
		  "engine InnoDB",
		  ERR_FULL, false },
		{ 1030,
		  "Got error 122 \"Disk quota exceeded\" from storage "
		  "engine InnoDB",
		  ERR_FULL, false },
		{ 1030,
		  "Got error 5 \"Input/output error\" from storage "
		  "engine InnoDB",
		  ERR_IO, false },
		{ 3,
		  "Error writing file 'x' (Errcode: 5 \"Input/output "
		  "error\")",
		  ERR_IO, false },
	};

	(void)state;
	check(list, COUNT(list));
}

static void a_statement_that_was_ended_is_an_overload(void **state)
{
	static const struct expected list[] = {
		{ 1969,
		  "Query was interrupted: execution time limit 5 sec "
		  "exceeded",
		  ERR_OVERLOADED, false },
		{ 3024,
		  "Query execution was interrupted, maximum statement "
		  "execution time exceeded",
		  ERR_OVERLOADED, false },
		{ 1317, "Query execution was interrupted", ERR_OVERLOADED,
		  false },
	};

	(void)state;
	check(list, COUNT(list));
}

static void what_passes_is_unavailable(void **state)
{
	static const struct expected list[] = {
		{ 1205, "Lock wait timeout exceeded", ERR_UNAVAILABLE, false },
		{ 1213, "Deadlock found", ERR_UNAVAILABLE, false },
		{ 1020, "Record has changed since last read in table",
		  ERR_UNAVAILABLE, false },
		{ 1206, "The total number of locks exceeds the lock table size",
		  ERR_UNAVAILABLE, false },
		{ 1040, "Too many connections", ERR_UNAVAILABLE, false },
		{ 1203, "User has already more than 'max_user_connections'",
		  ERR_UNAVAILABLE, false },
		{ 1226, "User has exceeded the 'max_questions' resource",
		  ERR_UNAVAILABLE, false },
		{ 1461,
		  "Can't create more than max_prepared_stmt_count "
		  "statements",
		  ERR_UNAVAILABLE, false },
		{ 1135, "Can't create a new thread", ERR_UNAVAILABLE, false },
		{ 1037, "Out of memory", ERR_UNAVAILABLE, false },
		{ 1038, "Out of sort memory", ERR_UNAVAILABLE, false },
		{ 1041, "Out of memory", ERR_UNAVAILABLE, false },
		{ 1412, "Table definition has changed", ERR_UNAVAILABLE,
		  false },
		{ 1615, "Prepared statement needs to be re-prepared",
		  ERR_UNAVAILABLE, false },
	};

	(void)state;
	check(list, COUNT(list));
}

static void a_server_that_another_may_replace_costs_the_connection(void **state)
{
	static const struct expected list[] = {
		{ 1290, "running with the --read-only option", ERR_UNAVAILABLE,
		  true },
		{ 1836, "Running in read-only mode", ERR_UNAVAILABLE, true },
		{ 1792, "in a READ ONLY transaction", ERR_UNAVAILABLE, true },
		{ 1047, "WSREP has not yet prepared node", ERR_UNAVAILABLE,
		  true },
		{ 1053, "Server shutdown in progress", ERR_UNAVAILABLE, true },
		{ 1927, "Connection was killed", ERR_UNAVAILABLE, true },
		{ 2006, "Server has gone away", ERR_UNAVAILABLE, true },
		{ 2013, "Lost connection", ERR_UNAVAILABLE, true },
		{ 2014, "Commands out of sync", ERR_UNAVAILABLE, true },
		{ 2055, "Lost connection at", ERR_UNAVAILABLE, true },
	};

	(void)state;
	check(list, COUNT(list));
}

static void a_mistake_stays_a_mistake(void **state)
{
	static const struct expected list[] = {
		{ 1062, "Duplicate entry", ERR_CONFLICT, false },
		{ 1586, "Duplicate entry for key", ERR_CONFLICT, false },
		{ 1406, "Data too long", ERR_TOO_LARGE, false },
		{ 1064, "You have an error in your SQL syntax", ERR_IO, false },
		{ 1146, "Table doesn't exist", ERR_IO, false },
		{ 1142, "command denied", ERR_IO, false },
		{ 2027, "Malformed packet", ERR_IO, true },
	};

	(void)state;
	check(list, COUNT(list));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_full_disk_of_the_database_is_a_full_disk),
		TEST(a_statement_that_was_ended_is_an_overload),
		TEST(what_passes_is_unavailable),
		TEST(a_server_that_another_may_replace_costs_the_connection),
		TEST(a_mistake_stays_a_mistake),
	};

	return RUN(tests);
}
