#include "tests/unit/mariadb.h"

#include <pthread.h>
#include <stdatomic.h>

/* Copies of settings until one has no memory; 0: none fails */
static int copies_until_failure;

char *__wrap_strdup(const char *s);
char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s)
{
	if (copies_until_failure > 0 && --copies_until_failure == 0)
		return NULL;
	return __real_strdup(s);
}

static struct db *db; /* two connections */
static struct errmsg why;

#define add_row(c, n) \
	db_tx_change(c, "INSERT INTO log VALUES (?)", DB_IN(db_int(n)), &why)

static int64_t rows(void)
{
	int64_t n = -1;

	assert_ok(db_row(db, "SELECT COUNT(*) FROM log", DB_NONE,
			 DB_OUT(db_to_int(&n)), &why));
	return n;
}

static enum err one(struct db *which)
{
	int64_t n = 0;

	return db_row(which, "SELECT 1", DB_NONE, DB_OUT(db_to_int(&n)), &why);
}

static int set_up(void **state)
{
	enum err e;

	(void)state;
	db = mariadb_pool(2);
	e = db_change(db, "CREATE OR REPLACE TABLE log (n BIGINT PRIMARY KEY)",
		      DB_NONE, &why);
	return e == ERR_NOT_FOUND && rows() == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	db_close(db);
	return 0;
}

static void a_pool_that_cannot_copy_a_setting_does_not_open(void **state)
{
	const struct db_config c = { .host = "host",
				     .socket = "/nowhere/sock",
				     .user = "root",
				     .password = "secret",
				     .name = "test",
				     .pool = 1,
				     .timeout = 1 };
	struct db *none = NULL;

	(void)state;
	for (int copy = 1; copy <= 5; copy++) {
		copies_until_failure = copy;
		assert_err(db_open(&c, &none, &why), ERR_MEMORY);
		assert_null(none);
		assert_int_equal(copies_until_failure, 0);
		assert_contains(why.text, "out of memory");
	}
}

static void a_pool_opens_without_a_server_and_statements_report_it(void **state)
{
	struct db_config c = { .socket = "/nowhere/sock",
			       .user = "root",
			       .name = "test",
			       .pool = 1,
			       .timeout = 1 };
	struct db *away;

	(void)state;
	assert_ok(db_open(&c, &away, NULL));
	assert_err(db_ping(away, &why), ERR_UNAVAILABLE);
	assert_contains(why.text, "2002");
	/* the connection is free again after each failure */
	assert_err(one(away), ERR_UNAVAILABLE);
	assert_err(db_ping(away, NULL), ERR_UNAVAILABLE);
	db_close(away);
	db_close(NULL);
}

static void an_account_without_permission_is_unavailable(void **state)
{
	struct db_config c = { .socket = mariadb_file("sock"),
			       .user = "root",
			       .password = "wrong",
			       .name = "test",
			       .pool = 1,
			       .timeout = 1 };
	struct db *locked;

	(void)state;
	assert_ok(db_open(&c, &locked, NULL));
	assert_err(db_ping(locked, &why), ERR_UNAVAILABLE);
	assert_contains(why.text, "1045");
	assert_lacks(why.text, "wrong");
	db_close(locked);
}

static void a_commit_keeps_the_rows_and_a_rollback_discards_them(void **s)
{
	struct db_conn *c;

	(void)s;
	assert_ok(db_begin(db, &c, &why));
	assert_ok(add_row(c, 1));
	assert_int_equal(rows(), 0); /* seen by the other connection */
	assert_ok(db_commit(c, &why));
	assert_int_equal(rows(), 1);
	assert_ok(db_begin(db, &c, &why));
	assert_ok(add_row(c, 2));
	db_rollback(c);
	assert_int_equal(rows(), 1);
}

static void a_transaction_sees_its_own_rows(void **state)
{
	struct db_conn *c;
	int64_t n = 0;

	(void)state;
	assert_ok(db_begin(db, &c, &why));
	assert_ok(add_row(c, 7));
	assert_ok(db_tx_row(c, "SELECT n FROM log", DB_NONE,
			    DB_OUT(db_to_int(&n)), &why));
	assert_int_equal(n, 7);
	db_rollback(c);
}

static void a_conflict_leaves_the_transaction_usable(void **state)
{
	struct db_conn *c;

	(void)state;
	assert_ok(db_begin(db, &c, &why));
	assert_ok(add_row(c, 1));
	assert_err(add_row(c, 1), ERR_CONFLICT);
	assert_ok(add_row(c, 2));
	assert_ok(db_commit(c, &why));
	assert_int_equal(rows(), 2);
}

static void a_pool_without_free_connections_is_unavailable_after_the_timeout(
	void **s)
{
	struct db *brief = mariadb_pool_for(2, 1);
	struct db_conn *a, *b;
	int64_t begun;

	(void)s;
	assert_ok(db_begin(brief, &a, &why));
	assert_ok(db_begin(brief, &b, &why));
	begun = clock_ms();
	assert_err(one(brief), ERR_UNAVAILABLE);
	assert_true(clock_ms() - begun >= 900);
	assert_contains(why.text, "all 2 database connections");
	db_rollback(a);
	assert_ok(one(brief));
	db_rollback(b);
	db_close(brief);
}

static void *give_back_soon(void *c)
{
	sleep_ms(200);
	db_rollback(c);
	db_thread_end();
	return NULL;
}

static void a_waiting_thread_gets_the_connection_that_is_returned(void **state)
{
	struct db_conn *a, *b;
	pthread_t thread;
	int64_t begun;

	(void)state;
	assert_ok(db_begin(db, &a, &why));
	assert_ok(db_begin(db, &b, &why));
	begun = clock_ms();
	assert_int_equal(pthread_create(&thread, NULL, give_back_soon, a), 0);
	assert_ok(one(db));
	assert_true(clock_ms() - begun >= 150);
	assert_int_equal(pthread_join(thread, NULL), 0);
	db_rollback(b);
}

static void *query_repeatedly(void *arg)
{
	size_t *wrong = arg;

	for (int64_t i = 0; i < 100; i++) {
		int64_t n = 0;

		*wrong += db_row(db, "SELECT ?", DB_IN(db_int(i)),
				 DB_OUT(db_to_int(&n)), NULL) != ERR_OK ||
			  n != i;
	}
	db_thread_end();
	return NULL;
}

static void eight_threads_share_two_connections(void **state)
{
	pthread_t threads[8];
	size_t wrong[8] = { 0 };
	int64_t n = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
						query_repeatedly, &wrong[i]),
				 0);
	for (size_t i = 0; i < COUNT(threads); i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(wrong[i], 0);
	}
	assert_ok(db_row(db,
			 "SELECT COUNT(*) FROM information_schema.PROCESSLIST "
			 "WHERE DB = 'test'",
			 DB_NONE, DB_OUT(db_to_int(&n)), &why));
	assert_in_range(n, 1, 2);
}

/* Kill every connection of `db` at the server but the one that kills them */
static void kill_connections(struct db *killer, int64_t own)
{
	int64_t id = 0;

	while (db_row(killer,
		      "SELECT ID FROM information_schema.PROCESSLIST WHERE "
		      "DB = 'test' AND ID <> ? AND COMMAND <> 'Killed'",
		      DB_IN(db_int(own)), DB_OUT(db_to_int(&id)),
		      &why) == ERR_OK) {
		enum err e =
			db_change(killer, "KILL ?", DB_IN(db_int(id)), &why);

		assert_true(e == ERR_OK || e == ERR_NOT_FOUND || e == ERR_IO);
		sleep_ms(20);
	}
}

static int64_t own_id(struct db *which)
{
	int64_t id = 0;

	assert_ok(db_row(which, "SELECT CONNECTION_ID()", DB_NONE,
			 DB_OUT(db_to_int(&id)), &why));
	return id;
}

static void a_killed_connection_is_replaced_before_it_is_used(void **state)
{
	struct db *killer = mariadb_pool(1);
	int64_t before;

	(void)state;
	for (int i = 0; i < 5; i++) {
		before = own_id(db);
		kill_connections(killer, own_id(killer));
		assert_ok(one(db));
		assert_int_not_equal(own_id(db), before);
	}
	db_close(killer);
}

static void *kill_soon(void *arg)
{
	struct db *killer = arg;

	sleep_ms(200);
	kill_connections(killer, own_id(killer));
	db_thread_end();
	return NULL;
}

static void a_connection_killed_during_a_statement_is_unavailable(void **state)
{
	struct db *killer = mariadb_pool(1);
	pthread_t thread;
	int64_t n = 0;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, kill_soon, killer), 0);
	assert_err(db_row(db, "SELECT SLEEP(50) + BENCHMARK(1, 1)", DB_NONE,
			  DB_OUT(db_to_int(&n)), &why),
		   ERR_UNAVAILABLE);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_ok(one(db));
	db_close(killer);
}

static void a_transaction_whose_connection_died_commits_nothing(void **state)
{
	struct db *killer = mariadb_pool(1);
	struct db_conn *c;

	(void)state;
	assert_ok(db_begin(db, &c, &why));
	assert_ok(add_row(c, 1));
	kill_connections(killer, own_id(killer));
	assert_err(db_commit(c, &why), ERR_UNAVAILABLE);
	assert_int_equal(rows(), 0);
	assert_ok(db_begin(db, &c, &why));
	assert_ok(add_row(c, 1));
	kill_connections(killer, own_id(killer));
	assert_err(add_row(c, 2), ERR_UNAVAILABLE);
	db_rollback(c);
	assert_int_equal(rows(), 0);
	db_close(killer);
}

static void a_row_that_stays_locked_is_an_overload(void **state)
{
	struct db *brief = mariadb_pool_for(1, 1);
	struct db_conn *c;
	int64_t begun;

	(void)state;
	assert_ok(db_begin(db, &c, &why));
	assert_ok(add_row(c, 1));
	begun = clock_ms();
	assert_err(
		db_change(brief, "INSERT INTO log VALUES (1)", DB_NONE, &why),
		ERR_OVERLOADED);
	assert_true(clock_ms() - begun >= 900);
	db_rollback(c);
	assert_ok(one(brief));
	db_close(brief);
}

static void a_row_that_has_changed_since_it_was_read_is_changed(void **state)
{
	struct db_conn *c;
	int64_t n = 0;

	(void)state;
	assert_ok(db_change(db, "INSERT INTO log VALUES (1)", DB_NONE, &why));
	assert_ok(db_begin(db, &c, &why));
	assert_ok(db_tx_row(c, "SELECT n FROM log", DB_NONE,
			    DB_OUT(db_to_int(&n)), &why));
	assert_ok(db_change(db, "UPDATE log SET n = n + 1", DB_NONE, &why));
	assert_ok(db_tx_change(c, "UPDATE log SET n = n + 1", DB_NONE, &why));
	assert_ok(db_commit(c, &why));
	assert_ok(db_row(db, "SELECT n FROM log", DB_NONE,
			 DB_OUT(db_to_int(&n)), &why));
	assert_int_equal(n, 3);
}

static void a_server_that_does_not_answer_is_unavailable_after_the_timeout(
	void **state)
{
	struct db *known = mariadb_pool_for(1, 1);
	struct db *fresh = mariadb_pool_for(1, 1);
	enum err warm, cold;

	(void)state;
	assert_ok(one(known));
	mariadb_signal(SIGSTOP);
	(void)alarm(60); /* a test that does not end has failed */
	sleep_ms(100);	 /* until every thread of the server is stopped */
	warm = one(known);
	cold = one(fresh);
	(void)alarm(0);
	mariadb_signal(SIGCONT);
	assert_err(warm, ERR_UNAVAILABLE);
	assert_err(cold, ERR_UNAVAILABLE);
	assert_ok(one(known));
	assert_ok(one(fresh));
	db_close(known);
	db_close(fresh);
}

static void statements_succeed_after_a_restart_of_the_server(void **state)
{
	struct db_conn *a, *b;

	(void)state;
	/* both connections are open and have prepared statements */
	assert_ok(db_begin(db, &a, &why));
	assert_ok(db_begin(db, &b, &why));
	assert_ok(add_row(a, 1));
	assert_ok(db_commit(a, &why));
	db_rollback(b);

	mariadb_hold(true);
	mariadb_signal(SIGTERM);
	for (int i = 0; i < 3000 && db_ping(db, NULL) == ERR_OK; i++)
		sleep_ms(20);
	assert_err(one(db), ERR_UNAVAILABLE);
	mariadb_hold(false);
	for (int i = 0; i < 3000 && access(mariadb_file("sock"), F_OK) != 0;
	     i++)
		sleep_ms(20);
	for (int i = 0; i < 3000 && db_ping(db, NULL) != ERR_OK; i++)
		sleep_ms(20);

	assert_ok(db_begin(db, &a, &why));
	assert_ok(db_begin(db, &b, &why));
	assert_ok(add_row(a, 2));
	assert_ok(db_commit(a, &why));
	db_rollback(b);
	assert_int_equal(rows(), 2);
}

/* --- a slow user ---------------------------------------------------------- */

struct slow {
	struct db *db;
	enum err e;
	pthread_t thread;
};

static void *wait_for_lock(void *arg)
{
	struct slow *s = arg;
	int64_t got = 0;

	db_act_for(7);
	s->e = db_row(s->db,
		      "SELECT GET_LOCK('slow', 60) + RELEASE_LOCK('slow')",
		      DB_NONE, DB_OUT(db_to_int(&got)), NULL);
	db_thread_end();
	return NULL;
}

static int64_t waiting_for_lock(void)
{
	int64_t n = 0;

	assert_ok(db_row(db,
			 "SELECT COUNT(*) FROM information_schema.processlist"
			 " WHERE info LIKE 'SELECT GET_LOCK%'",
			 DB_NONE, DB_OUT(db_to_int(&n)), &why));
	return n;
}

/* Threads that hold the share of user 7, two connections, until they are told */
static atomic_int holders;
static atomic_bool held;

static void *hold(void *pool)
{
	struct db_conn *c;
	enum err e;

	db_act_for(7);
	e = db_begin(pool, &c, NULL);
	(void)atomic_fetch_add(&holders, 1);
	while (atomic_load(&held))
		sleep_ms(1);
	if (e == ERR_OK)
		db_rollback(c);
	db_thread_end();
	return NULL;
}

static void share_of_seven(struct db *pool, bool taken)
{
	static pthread_t threads[2];

	atomic_store(&held, taken);
	for (size_t i = 0; i < COUNT(threads) && taken; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hold, pool),
				 0);
	while (taken && atomic_load(&holders) < 2)
		sleep_ms(1);
	for (size_t i = 0; i < COUNT(threads) && !taken; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

struct begun {
	struct db *pool;
	enum err for_all, for_seven;
};

static void *begin_for_seven(void *arg)
{
	struct begun *b = arg;
	struct db_conn *c;

	db_act_for(7);
	b->for_all = db_begin_for_all(b->pool, &c, NULL);
	if (b->for_all == ERR_OK)
		db_rollback(c);
	/* it acts for the user as before */
	b->for_seven = db_begin(b->pool, &c, NULL);
	if (b->for_seven == ERR_OK)
		db_rollback(c);
	db_thread_end();
	return NULL;
}

/* A user who holds all of a share does not delay the transaction that one of
 * the user's threads begins for others too */
static void a_transaction_for_several_users_is_in_no_share(void **state)
{
	struct begun b = { .pool = mariadb_pool_for(4, 1) };
	pthread_t thread;

	(void)state;
	share_of_seven(b.pool, true);
	assert_int_equal(pthread_create(&thread, NULL, begin_for_seven, &b), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	share_of_seven(b.pool, false);
	assert_ok(b.for_all);
	assert_err(b.for_seven, ERR_OVERLOADED);
	db_close(b.pool);
}

static void a_user_holds_half_of_the_pool_and_others_the_rest(void **state)
{
	struct slow slow[6] = { { NULL } };
	struct db *pool = mariadb_pool(4);
	struct db_conn *c[2];
	int64_t got = 0;

	(void)state;
	assert_ok(db_row(db, "SELECT GET_LOCK('slow', 0)", DB_NONE,
			 DB_OUT(db_to_int(&got)), &why));
	for (size_t i = 0; i < COUNT(slow); i++) {
		slow[i].db = pool;
		assert_int_equal(pthread_create(&slow[i].thread, NULL,
						wait_for_lock, &slow[i]),
				 0);
	}
	while (waiting_for_lock() < 2)
		sleep_ms(1);
	/* Two of four are left for this thread, which acts for nobody */
	for (size_t i = 0; i < COUNT(c); i++)
		assert_ok(db_begin(pool, &c[i], &why));
	assert_int_equal(waiting_for_lock(), 2);
	for (size_t i = 0; i < COUNT(c); i++)
		db_rollback(c[i]);
	assert_ok(db_row(db, "SELECT RELEASE_LOCK('slow')", DB_NONE,
			 DB_OUT(db_to_int(&got)), &why));
	for (size_t i = 0; i < COUNT(slow); i++) {
		assert_int_equal(pthread_join(slow[i].thread, NULL), 0);
		assert_ok(slow[i].e);
	}
	db_close(pool);
}

static int64_t connection_id(struct db *which)
{
	int64_t id = 0;

	assert_ok(db_row(which, "SELECT CONNECTION_ID()", DB_NONE,
			 DB_OUT(db_to_int(&id)), &why));
	return id;
}

static void a_slow_statement_is_ended_in_the_server(void **state)
{
	struct db *brief = mariadb_pool_for(1, 1);
	int64_t before = connection_id(brief), n = 0;

	(void)state;
	assert_err(db_row(brief,
			  "SELECT COUNT(*) FROM seq_1_to_1000000 a"
			  "  JOIN seq_1_to_1000000 b",
			  DB_NONE, DB_OUT(db_to_int(&n)), &why),
		   ERR_OVERLOADED);
	assert_contains(why.text, "MySQL 1969");
	assert_int_equal(connection_id(brief), before);
	db_close(brief);
}

int main(int argc, char **argv)
{
#define FIXTURE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(a_pool_that_cannot_copy_a_setting_does_not_open),
		FIXTURE_TEST(
			a_pool_opens_without_a_server_and_statements_report_it),
		FIXTURE_TEST(an_account_without_permission_is_unavailable),
		FIXTURE_TEST(
			a_commit_keeps_the_rows_and_a_rollback_discards_them),
		FIXTURE_TEST(a_transaction_sees_its_own_rows),
		FIXTURE_TEST(a_conflict_leaves_the_transaction_usable),
		FIXTURE_TEST(
			a_pool_without_free_connections_is_unavailable_after_the_timeout),
		FIXTURE_TEST(
			a_waiting_thread_gets_the_connection_that_is_returned),
		FIXTURE_TEST(eight_threads_share_two_connections),
		FIXTURE_TEST(a_killed_connection_is_replaced_before_it_is_used),
		FIXTURE_TEST(
			a_connection_killed_during_a_statement_is_unavailable),
		FIXTURE_TEST(
			a_transaction_whose_connection_died_commits_nothing),
		FIXTURE_TEST(a_row_that_stays_locked_is_an_overload),
		FIXTURE_TEST(
			a_row_that_has_changed_since_it_was_read_is_changed),
		FIXTURE_TEST(
			a_server_that_does_not_answer_is_unavailable_after_the_timeout),
		FIXTURE_TEST(a_slow_statement_is_ended_in_the_server),
		FIXTURE_TEST(a_transaction_for_several_users_is_in_no_share),
		FIXTURE_TEST(a_user_holds_half_of_the_pool_and_others_the_rest),
		FIXTURE_TEST(statements_succeed_after_a_restart_of_the_server),
	};

	(void)argc;
	mariadb_needed(argv);
	return RUN(tests);
}
