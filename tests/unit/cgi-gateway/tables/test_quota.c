#include "cgi-gateway/tables/quota.h"

#include "cgi-gateway/tables/files.h"
#include "tests/unit/cgi-gateway/owners.h"

#include <pthread.h>
#include <stdatomic.h>

static struct file made(uint64_t owner, int n, int64_t size)
{
	struct file f = { .owner = owner,
			  .name = "a",
			  .type = "text/plain",
			  .size = size,
			  .created_at = NOW };

	(void)snprintf(f.id, sizeof(f.id), "0190b3a2-%04x-7000-8000-%012x",
		       (unsigned)owner, (unsigned)n);
	return f;
}

static enum err add_many(uint64_t user, const struct file *files, size_t count,
			 const struct quota_limits *limits)
{
	struct asker a;

	return files_add(db, asking(&a, user), 0, limits, files, count, NULL,
			 &why);
}

static enum err add(uint64_t user, int n, int64_t size,
		    const struct quota_limits *limits)
{
	const struct file f = made(user, n, size);

	return add_many(user, &f, 1, limits);
}

static enum err remove_file(uint64_t user, int n)
{
	const struct file f = made(user, n, 0);
	struct asker a;

	return files_remove(db, asking(&a, user), 0, span_of(f.id), NULL, &why);
}

/* The row has these values, and the files agree with it */
static void assert_usage(uint64_t user, int64_t bytes, int64_t files)
{
	struct amount rows;
	struct usage u;
	struct asker a;

	assert_ok(quota_usage(db, asking(&a, user), 0, &unlimited, &u, &why));
	assert_int_equal(u.bytes, bytes);
	assert_int_equal(u.files, files);
	assert_ok(db_row(db,
			 "SELECT CAST(COALESCE(SUM(size), 0) AS SIGNED),"
			 " COUNT(*) FROM file WHERE owner = ?",
			 DB_IN(db_uint(user)),
			 DB_OUT(db_to_int(&rows.bytes), db_to_int(&rows.files)),
			 &why));
	assert_int_equal(rows.bytes, bytes);
	assert_int_equal(rows.files, files);
}

/* --- limits --------------------------------------------------------------- */

static void the_last_byte_fits_and_one_more_does_not(void **state)
{
	const struct quota_limits l = { 100, QUOTA_NONE };

	(void)state;
	assert_err(add(ANN, 1, 101, &l), ERR_QUOTA);
	assert_usage(ANN, 0, 0);
	assert_ok(add(ANN, 2, 99, &l));
	assert_err(add(ANN, 3, 2, &l), ERR_QUOTA);
	assert_ok(add(ANN, 4, 1, &l));
	assert_err(add(ANN, 5, 1, &l), ERR_QUOTA);
	assert_ok(add(ANN, 6, 0, &l));
	assert_usage(ANN, 100, 3);
}

static void the_last_file_fits_and_one_more_does_not(void **state)
{
	const struct quota_limits l = { QUOTA_NONE, 2 };

	(void)state;
	assert_ok(add(ANN, 1, 1000, &l));
	assert_ok(add(ANN, 2, 0, &l));
	assert_err(add(ANN, 3, 0, &l), ERR_QUOTA_FILES);
	assert_usage(ANN, 1000, 2);
	assert_ok(add(BOB, 1, 1, &l)); /* has a count of his own */
	assert_usage(BOB, 1, 1);
}

static void many_files_fit_together_or_not_at_all(void **state)
{
	const struct file files[] = { made(ANN, 1, 40), made(ANN, 2, 40),
				      made(ANN, 3, 40) };
	const struct quota_limits bytes = { 119, 0 }, count = { 0, 2 };
	const struct quota_limits enough = { 120, 3 };

	(void)state;
	assert_err(add_many(ANN, files, 3, &bytes), ERR_QUOTA);
	assert_err(add_many(ANN, files, 3, &count), ERR_QUOTA_FILES);
	assert_usage(ANN, 0, 0);
	assert_ok(add_many(ANN, files, 3, &enough));
	assert_usage(ANN, 120, 3);
}

static void a_file_that_was_not_added_is_not_counted(void **state)
{
	const struct file twice[] = { made(ANN, 1, 5), made(ANN, 1, 5) };

	(void)state;
	assert_err(add_many(ANN, twice, 2, &unlimited), ERR_CONFLICT);
	assert_usage(ANN, 0, 0);
	assert_ok(add(ANN, 1, 5, &unlimited));
	assert_err(add(ANN, 1, 5, &unlimited), ERR_CONFLICT);
	assert_usage(ANN, 5, 1);
}

static void an_owner_s_limits_override_the_defaults(void **state)
{
	const struct quota_limits wide = { 1000, 1000 }, narrow = { 1, 1 };
	struct usage u;

	(void)state;
	assert_ok(quota_set(db, ANN, &(struct quota_limits) { 10, 2 }, &why));
	assert_err(add(ANN, 1, 11, &wide), ERR_QUOTA);
	assert_ok(add(ANN, 1, 10, &narrow));
	assert_ok(add(ANN, 2, 0, &narrow));
	assert_err(add(ANN, 3, 0, &wide), ERR_QUOTA_FILES);
	/* none is no limit, whatever the default is; the other stays */
	assert_ok(quota_set(db, ANN,
			    &(struct quota_limits) { QUOTA_KEEP, QUOTA_NONE },
			    &why));
	assert_ok(add(ANN, 3, 0, &narrow));
	assert_err(add(ANN, 4, 1, &wide), ERR_QUOTA);
	assert_ok(quota_set(
		db, ANN, &(struct quota_limits) { QUOTA_DEFAULT, QUOTA_KEEP },
		&why));
	assert_ok(quota_show(db, ANN, &wide, &u, &why));
	assert_int_equal(u.limits.bytes, 1000);
	assert_int_equal(u.limits.files, QUOTA_NONE);
	assert_ok(add(ANN, 4, 990, &wide));
	assert_err(add(ANN, 5, 1, &wide), ERR_QUOTA);
	assert_usage(ANN, 1000, 4);
}

static void a_lowered_limit_removes_nothing(void **state)
{
	struct usage u;

	(void)state;
	assert_ok(add(ANN, 1, 50, &unlimited));
	assert_ok(quota_set(db, ANN, &(struct quota_limits) { 10, 1 }, &why));
	assert_ok(quota_show(db, ANN, &unlimited, &u, &why));
	assert_ok(usage_check_room(&u, (struct amount) { 0, 0 }));
	assert_err(usage_check_room(&u, (struct amount) { 1, 0 }), ERR_QUOTA);
	assert_err(usage_check_room(&u, (struct amount) { 0, 1 }),
		   ERR_QUOTA_FILES);
	assert_err(add(ANN, 2, 0, &unlimited), ERR_QUOTA_FILES);
	assert_ok(remove_file(ANN, 1));
	assert_ok(add(ANN, 2, 10, &unlimited));
	assert_usage(ANN, 10, 1);
}

static void a_lowered_limit_allows_what_adds_none_of_its_kind(void **state)
{
	const struct quota_limits bytes = { 10, QUOTA_NONE };

	(void)state;
	assert_ok(add(ANN, 1, 50, &unlimited));
	assert_ok(add(ANN, 2, 0, &bytes));
	assert_err(add(ANN, 3, 1, &bytes), ERR_QUOTA);
	assert_usage(ANN, 50, 2);
}

static void the_room_is_the_limit_minus_the_usage(void **state)
{
	struct usage u = { 90, 9, { 100, 10 } };

	(void)state;
	assert_ok(usage_check_room(&u, (struct amount) { 10, 1 }));
	assert_err(usage_check_room(&u, (struct amount) { 11, 1 }), ERR_QUOTA);
	assert_err(usage_check_room(&u, (struct amount) { 1, 2 }),
		   ERR_QUOTA_FILES);
	assert_err(usage_check_room(&u, (struct amount) { INT64_MAX, 1 }),
		   ERR_QUOTA);
	u.limits = unlimited;
	assert_ok(usage_check_room(&u, (struct amount) { INT64_MAX, 1 }));
}

/* --- removing ------------------------------------------------------------- */

static void a_deleted_file_makes_room(void **state)
{
	const struct quota_limits l = { 100, 1 };

	(void)state;
	assert_ok(add(ANN, 1, 100, &l));
	assert_err(add(ANN, 2, 1, &l), ERR_QUOTA_FILES);
	assert_err(remove_file(BOB, 1), ERR_NOT_FOUND);
	assert_usage(ANN, 100, 1);
	assert_ok(remove_file(ANN, 1));
	assert_err(remove_file(ANN, 1), ERR_NOT_FOUND);
	assert_usage(ANN, 0, 0);
	assert_ok(add(ANN, 2, 100, &l));
}

static void a_file_that_is_deleted_twice_is_subtracted_once(void **state)
{
	const struct file f = made(ANN, 1, 30);

	(void)state;
	assert_ok(add(ANN, 1, 30, &unlimited));
	assert_ok(add(ANN, 2, 5, &unlimited));
	assert_ok(
		db_change(db, "UPDATE file SET expires_at = 1", DB_NONE, &why));
	assert_ok(files_delete_expired(db, &f, NOW, NULL, &why));
	assert_err(files_delete_expired(db, &f, NOW, NULL, &why),
		   ERR_NOT_FOUND);
	assert_usage(ANN, 5, 1);
}

static void a_missing_row_does_not_prevent_a_deletion(void **state)
{
	(void)state;
	assert_ok(add(ANN, 1, 30, &unlimited));
	assert_ok(db_change(db, "DELETE FROM quota", DB_NONE, &why));
	assert_ok(remove_file(ANN, 1));
	assert_usage(ANN, 0, 0);
}

/* --- sessions ------------------------------------------------------------- */

static void an_ended_session_reserves_and_reads_nothing(void **state)
{
	struct usage u = { .bytes = -7 };
	struct asker a;

	(void)state;
	assert_ok(add(ANN, 1, 1, &unlimited));
	sessions_revoke(db, session_of(ANN));
	assert_err(add(ANN, 2, 1, &unlimited), ERR_BAD_TOKEN);
	assert_err(remove_file(ANN, 1), ERR_BAD_TOKEN);
	assert_err(quota_usage(db, asking(&a, ANN), 0, &unlimited, &u, &why),
		   ERR_BAD_TOKEN);
	assert_int_equal(u.bytes, -7);
	assert_int_equal(a.session.user_id, 0);
	sessions_revoke(db, session_of(BOB));
	assert_err(add(BOB, 1, 1, &unlimited),
		   ERR_BAD_TOKEN); /* without a row */
	assert_ok(quota_show(db, BOB, &unlimited, &u, &why));
	assert_int_equal(u.files, 0);
	sessions_put(db, &(struct session) { .user = ANN });
	assert_usage(ANN, 1, 1);
}

static void a_named_owner_s_row_is_used(void **state)
{
	const struct file f = made(BOB, 1, 7);
	struct usage u;
	struct asker a;

	(void)state;
	assert_ok(files_add(db, asking(&a, ANN), BOB, &unlimited, &f, 1, NULL,
			    &why));
	assert_usage(ANN, 0, 0);
	assert_usage(BOB, 7, 1);
	assert_ok(quota_usage(db, asking(&a, ANN), BOB, &unlimited, &u, &why));
	assert_int_equal(u.bytes, 7);
	assert_true(a.session.user_id == ANN);
	assert_string_equal(a.session.email, "ann@example.org");
}

/* --- many at a time ------------------------------------------------------- */

enum { THREADS = 12, EACH = 20 };

struct worker {
	pthread_t thread;
	int number;
	struct quota_limits limits;
	int done, refused, other;
};

static void count(struct worker *w, enum err e, enum err refusal,
		  const struct errmsg *cause)
{
	if (e == ERR_OK)
		w->done++;
	else if (e == refusal)
		w->refused++;
	else if (w->other++ == 0)
		print_error("%s: %s\n", err_text(e), cause->text);
}

static void *adding(void *arg)
{
	struct worker *w = arg;
	struct asker a;
	struct errmsg cause;

	for (int i = 0; i < EACH; i++) {
		const struct file f = made(ANN, w->number * EACH + i, 3);

		count(w,
		      files_add(db, asking(&a, ANN), 0, &w->limits, &f, 1, NULL,
				&cause),
		      w->limits.files != 0 ? ERR_QUOTA_FILES : ERR_QUOTA,
		      &cause);
	}
	db_thread_end();
	return NULL;
}

/* Each of them the same files */
static void *removing(void *arg)
{
	struct worker *w = arg;
	struct asker a;
	struct errmsg cause;

	for (int i = 0; i < THREADS * EACH; i++) {
		const struct file f = made(ANN, i, 3);

		count(w,
		      files_remove(db, asking(&a, ANN), 0, span_of(f.id), NULL,
				   &cause),
		      ERR_NOT_FOUND, &cause);
	}
	db_thread_end();
	return NULL;
}

static atomic_bool enough;

static void *recounting(void *arg)
{
	struct worker *w = arg;
	struct amount was, is;
	struct errmsg cause;

	while (!atomic_load(&enough)) {
		enum err e = quota_recount(db, ANN, &was, &is, &cause);

		if (e == ERR_OK &&
		    (was.bytes != is.bytes || was.files != is.files))
			w->refused++;
		else
			count(w, e, ERR_QUOTA, &cause);
	}
	db_thread_end();
	return NULL;
}

/* The sum of all: `limits` hold for each */
static struct worker all(void *(*work)(void *), int threads,
			 struct quota_limits limits)
{
	struct worker w[THREADS] = { 0 }, sum = { 0 };

	for (int i = 0; i < threads; i++) {
		w[i].number = i;
		w[i].limits = limits;
		assert_int_equal(
			pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
	}
	for (int i = 0; i < threads; i++) {
		assert_int_equal(pthread_join(w[i].thread, NULL), 0);
		sum.done += w[i].done;
		sum.refused += w[i].refused;
		sum.other += w[i].other;
	}
	return sum;
}

static void the_limit_holds_exactly_under_many_uploads(void **state)
{
	struct worker sum =
		all(adding, THREADS, (struct quota_limits) { 32, 0 });

	(void)state;
	assert_int_equal(sum.done, 10);
	assert_int_equal(sum.other, 0);
	assert_usage(ANN, 30, 10);
	/* from nothing, and from something */
	sum = all(removing, 4, unlimited);
	assert_int_equal(sum.done, 10);
	assert_int_equal(sum.other, 0);
	assert_usage(ANN, 0, 0);
	sum = all(adding, THREADS, (struct quota_limits) { 0, 17 });
	assert_int_equal(sum.done, 17);
	assert_int_equal(sum.refused, THREADS * EACH - 17);
	assert_usage(ANN, 51, 17);
}

static void adding_removing_and_recounting_agree_in_the_end(void **state)
{
	struct worker counter = { 0 }, remover = { 0 }, sum;
	int64_t rows;

	(void)state;
	atomic_store(&enough, false);
	assert_int_equal(
		pthread_create(&counter.thread, NULL, recounting, &counter), 0);
	assert_int_equal(
		pthread_create(&remover.thread, NULL, removing, &remover), 0);
	sum = all(adding, THREADS - 4, unlimited);
	assert_int_equal(pthread_join(remover.thread, NULL), 0);
	atomic_store(&enough, true);
	assert_int_equal(pthread_join(counter.thread, NULL), 0);
	assert_int_equal(sum.done, (THREADS - 4) * EACH);
	assert_int_equal(sum.other + remover.other + counter.other, 0);
	assert_true(counter.done > 0);
	rows = file_table_rows(db);
	assert_int_equal(rows, sum.done - remover.done);
	assert_usage(ANN, rows * 3, rows);
}

static void an_owner_does_not_wait_for_another_owner(void **state)
{
	const struct amount one = { 1, 1 };
	struct db_conn *c = NULL;
	struct asker a;

	(void)state;
	assert_ok(add(ANN, 1, 1, &unlimited));
	assert_ok(add(BOB, 1, 1, &unlimited));
	assert_ok(db_begin(db, &c, &why));
	assert_ok(quota_take(c, asking(&a, ANN), 0, one, &unlimited, &why));
	assert_ok(add(BOB, 2, 1, &unlimited)); /* in less than a second */
	assert_ok(remove_file(BOB, 1));
	/* and what is rolled back is not counted */
	db_rollback(c);
	assert_usage(ANN, 1, 1);
	assert_usage(BOB, 1, 1);
}

/* --- for gateway-admin ---------------------------------------------------- */

static void a_recount_corrects_the_row(void **state)
{
	struct amount was, is;
	uint64_t owner = 0;

	(void)state;
	assert_ok(add(ANN, 1, 10, &unlimited));
	assert_ok(add(BOB, 1, 20, &unlimited));
	assert_ok(db_change(db,
			    "UPDATE quota SET bytes = -1, files = 9,"
			    " max_bytes = 77 WHERE owner = 42",
			    DB_NONE, &why));
	assert_ok(db_change(db, "DELETE FROM quota WHERE owner = 43", DB_NONE,
			    &why));
	assert_ok(quota_next(db, 0, &owner, &why));
	assert_true(owner == ANN);
	assert_ok(quota_recount(db, owner, &was, &is, &why));
	assert_int_equal(was.bytes, -1);
	assert_int_equal(was.files, 9);
	assert_int_equal(is.bytes, 10);
	assert_int_equal(is.files, 1);
	assert_ok(quota_next(db, owner, &owner, &why));
	assert_true(owner == BOB); /* with files but no row */
	assert_ok(quota_recount(db, owner, &was, &is, &why));
	assert_int_equal(is.bytes, 20);
	assert_ok(quota_next(db, owner, &owner, &why));
	assert_true(owner == 0);
	assert_usage(ANN, 10, 1);
	assert_usage(BOB, 20, 1);
	assert_err(add(ANN, 2, 68, &unlimited),
		   ERR_QUOTA); /* the limit stayed */
}

static void the_migration_counts_existing_files(void **state)
{
	(void)state;
	assert_ok(add(ANN, 1, 10, &unlimited));
	assert_ok(add(ANN, 2, 11, &unlimited));
	assert_ok(add(BOB, 1, 5000000000, &unlimited));
	assert_ok(db_change(db, "DELETE FROM quota", DB_NONE, &why));
	schema_run("gateway/011-quota-used");
	assert_usage(ANN, 21, 2);
	assert_usage(BOB, 5000000000, 1);
}

#define QUOTA(name) cmocka_unit_test_setup(name, owners_clear)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		QUOTA(the_last_byte_fits_and_one_more_does_not),
		QUOTA(the_last_file_fits_and_one_more_does_not),
		QUOTA(many_files_fit_together_or_not_at_all),
		QUOTA(a_file_that_was_not_added_is_not_counted),
		QUOTA(an_owner_s_limits_override_the_defaults),
		QUOTA(a_lowered_limit_removes_nothing),
		QUOTA(a_lowered_limit_allows_what_adds_none_of_its_kind),
		QUOTA(the_room_is_the_limit_minus_the_usage),
		QUOTA(a_deleted_file_makes_room),
		QUOTA(a_file_that_is_deleted_twice_is_subtracted_once),
		QUOTA(a_missing_row_does_not_prevent_a_deletion),
		QUOTA(an_ended_session_reserves_and_reads_nothing),
		QUOTA(a_named_owner_s_row_is_used),
		QUOTA(the_limit_holds_exactly_under_many_uploads),
		QUOTA(adding_removing_and_recounting_agree_in_the_end),
		QUOTA(an_owner_does_not_wait_for_another_owner),
		QUOTA(a_recount_corrects_the_row),
		QUOTA(the_migration_counts_existing_files),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, owners_open, owners_close);
}
