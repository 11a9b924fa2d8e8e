/* resumable_commit.h, of every implementation. */
#include "cgi-gateway/store/resumable_commit.h"

#include "tests/unit/cgi-gateway/store/resumable_objects.h"
#include "tests/unit/cgi-gateway/store/store_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

static void an_upload_becomes_an_object_with_its_hash(void **state)
{
	(void)state;
	create(ID);
	append(ID, 0, 1);
	append(ID, 1, 70000);
	append(ID, 70000, LARGE);
	commit(ID, large_from(0, LARGE));
	assert_committed();
	assert_int_equal(items(), 1);
}

static void an_upload_without_bytes_becomes_an_object(void **state)
{
	(void)state;
	create(ID);
	commit(ID, SPAN(""));
	assert_object(ID, SPAN(""), 1);
}

static void an_incomplete_upload_is_not_committed(void **state)
{
	struct resumable *r;

	(void)state;
	assert_err(try_commit(ID, 0), ERR_NOT_FOUND);
	create(ID);
	append(ID, 0, 100);
	assert_err(try_commit(ID, 101), ERR_CONFLICT);
	assert_err(try_commit(ID, 99), ERR_CONFLICT);
	assert_err(try_commit(ID, -1), ERR_CONFLICT);
	/* tentative bytes do not count */
	r = opened(ID, 100, true);
	assert_ok(resumable_write(r, SPAN("x"), &why));
	assert_ok(resumable_flush(r, &why));
	assert_err(try_commit(ID, 101), ERR_CONFLICT);
	resumable_close(r);
	append(ID, 100, LARGE);
	commit(ID, large_from(0, LARGE));
	assert_committed();
}

static void an_upload_is_read_before_it_is_placed(void **state)
{
	struct resumable_commit *c;
	char got[1000];
	size_t n = 0;

	(void)state;
	create(ID);
	append(ID, 0, LARGE);
	c = opened_commit(ID, large_from(0, LARGE));
	assert_ok(resumable_commit_read(c, 5, got, sizeof(got), &n, &why));
	assert_int_equal(n, sizeof(got));
	assert_memory_equal(got, large + 5, n);
	assert_ok(resumable_commit_read(c, LARGE - 3, got, sizeof(got), &n,
					&why));
	assert_int_equal(n, 3);
	assert_ok(resumable_commit_read(c, LARGE, got, sizeof(got), &n, &why));
	assert_int_equal(n, 0);
	assert_no_object(ID);
	resumable_commit_leave(c);
	resumable_commit_leave(NULL);
}

/* --- an object never changes ---------------------------------------------- */

static void a_commit_closes_the_upload_to_writers(void **state)
{
	struct resumable *r, *second = NULL;
	struct resumable_commit *c;
	int64_t from = LARGE;

	(void)state;
	create(ID);
	append(ID, 0, LARGE);
	r = opened(ID, LARGE, false);
	assert_ok(resumable_write(r, SPAN("more"), &why));
	c = opened_commit(ID, large_from(0, LARGE));
	assert_err(resumable_flush(r, &why), ERR_CONFLICT);
	assert_err(resumable_sync(r, &why), ERR_CONFLICT);
	assert_err(resumable_open(store, ID, &from, false, &second, &why),
		   ERR_NOT_FOUND);
	assert_ok(resumable_commit_place(c, &why));
	assert_err(resumable_open(store, ID, &from, false, &second, &why),
		   ERR_NOT_FOUND);
	resumable_commit_end(c);
	assert_err(resumable_flush(r, &why), ERR_CONFLICT);
	resumable_close(r);
	assert_committed();
}

static void a_commit_that_was_left_keeps_writers_out(void **state)
{
	struct resumable *r = NULL;
	int64_t from = LARGE;

	(void)state;
	create(ID);
	append(ID, 0, LARGE);
	resumable_commit_leave(opened_commit(ID, large_from(0, LARGE)));
	assert_err(resumable_open(store, ID, &from, false, &r, &why),
		   ERR_NOT_FOUND);
	assert_int_equal(offset_of(ID), LARGE);
	commit(ID, large_from(0, LARGE));
	assert_committed();
}

/* --- several at once ------------------------------------------------------ */

enum { WAITERS = 4 };
static atomic_int returned, not_found;

static void *try_too(void *arg)
{
	enum err e = try_commit(ID, LARGE);

	(void)arg;
	if (e == ERR_NOT_FOUND)
		atomic_fetch_add(&not_found, 1);
	atomic_fetch_add(&returned, 1);
	return NULL;
}

static void a_commit_that_waited_finds_the_upload_gone(void **state)
{
	pthread_t threads[WAITERS];
	struct resumable_commit *c;

	(void)state;
	atomic_store(&returned, 0);
	atomic_store(&not_found, 0);
	create(ID);
	append(ID, 0, LARGE);
	c = opened_commit(ID, large_from(0, LARGE));
	for (size_t i = 0; i < WAITERS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, try_too, NULL), 0);
	assert_ok(resumable_commit_place(c, &why));
	assert_int_equal(atomic_load(&returned), 0);
	resumable_commit_end(c);
	for (size_t i = 0; i < WAITERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(atomic_load(&not_found), WAITERS);
	assert_committed();
}

static void a_commit_that_waited_continues_one_that_was_left(void **state)
{
	pthread_t thread;
	struct resumable_commit *c;

	(void)state;
	atomic_store(&not_found, 0);
	create(ID);
	append(ID, 0, LARGE);
	c = opened_commit(ID, large_from(0, LARGE));
	assert_int_equal(pthread_create(&thread, NULL, try_too, NULL), 0);
	assert_ok(resumable_commit_place(c, &why));
	resumable_commit_leave(c);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(atomic_load(&not_found), 0);
	commit(ID, large_from(0, LARGE));
	assert_committed();
}

/* --- between two steps ---------------------------------------------------- */

static void a_placed_upload_is_an_upload_until_its_end(void **state)
{
	struct resumable_commit *c;
	int64_t offset = 0, written_at = 0, placed_at = 0;

	(void)state;
	create(ID);
	append(ID, 0, LARGE);
	assert_ok(resumable_offset(store, ID, &offset, &written_at, &why));
	c = opened_commit(ID, large_from(0, LARGE));
	assert_ok(resumable_commit_place(c, &why));
	resumable_commit_leave(c); /* the database was unavailable, say */
	assert_object(ID, large_from(0, LARGE), 100000);
	assert_ok(resumable_offset(store, ID, &offset, &placed_at, &why));
	assert_int_equal(offset, LARGE);
	assert_int_equal(placed_at, written_at);
	commit(ID, large_from(0, LARGE));
	assert_committed();
}

static void a_placed_upload_that_is_removed_stays_an_object(void **state)
{
	struct resumable_commit *c;

	(void)state;
	create(ID);
	append(ID, 0, LARGE);
	c = opened_commit(ID, large_from(0, LARGE));
	assert_ok(resumable_commit_place(c, &why));
	resumable_commit_leave(c);
	assert_ok(resumable_remove(store, ID, &why));
	assert_committed();
}

static void a_removed_upload_is_not_placed(void **state)
{
	struct resumable_commit *c;

	(void)state;
	create(ID);
	append(ID, 0, LARGE);
	c = opened_commit(ID, large_from(0, LARGE));
	assert_ok(resumable_remove(store, ID, &why));
	assert_err(resumable_commit_place(c, &why), ERR_IO);
	resumable_commit_leave(c);
	assert_int_equal(items(), 0);
}

static int open_filled(void **state)
{
	fill(large, LARGE);
	return open_store(state);
}

int main(void)
{
	static const struct store_case cases[] = {
		STORE_CASE(an_upload_becomes_an_object_with_its_hash),
		STORE_CASE(an_upload_without_bytes_becomes_an_object),
		STORE_CASE(an_incomplete_upload_is_not_committed),
		STORE_CASE(an_upload_is_read_before_it_is_placed),
		STORE_CASE(a_commit_closes_the_upload_to_writers),
		STORE_CASE(a_commit_that_was_left_keeps_writers_out),
		STORE_CASE(a_commit_that_waited_finds_the_upload_gone),
		STORE_CASE(a_commit_that_waited_continues_one_that_was_left),
		STORE_CASE(a_placed_upload_is_an_upload_until_its_end),
		STORE_CASE(a_placed_upload_that_is_removed_stays_an_object),
		STORE_CASE(a_removed_upload_is_not_placed),
	};

	return run_cases(cases, COUNT(cases), open_filled, close_store);
}
