#include "cgi-gateway/store/resumable_commit.h"

#include "tests/unit/cgi-gateway/partials.h"

#include <stdatomic.h>

static unsigned char of_all[SHA256_LEN]; /* of `large` */

static int hash_and_open(void **state)
{
	int result = open_store(state);

	sha256_of(large_from(0, LARGE), of_all);
	return result;
}

#define FINISH_TEST(name) \
	cmocka_unit_test_setup_teardown(name, hash_and_open, close_store)

/* --- the usual way -------------------------------------------------------- */

static struct resumable_commit *begun(const char *id, int64_t length)
{
	unsigned char sum[SHA256_LEN] = { 0 };
	struct resumable_commit *f = NULL;

	assert_ok(resumable_commit_begin(store, id, length, &f, sum, &why));
	assert_non_null(f);
	if (length == LARGE)
		assert_memory_equal(sum, of_all, SHA256_LEN);
	return f;
}

static enum err begin(const char *id, int64_t length)
{
	unsigned char sum[SHA256_LEN];
	struct resumable_commit *f = NULL;
	enum err e = resumable_commit_begin(store, id, length, &f, sum, &why);

	if (e == ERR_OK)
		resumable_commit_leave(f);
	else
		assert_null(f);
	return e;
}

static void finish(const char *id, int64_t length)
{
	struct resumable_commit *f = begun(id, length);

	assert_ok(resumable_commit_place(f, &why));
	resumable_commit_end(f);
}

static void assert_done(void)
{
	int64_t offset, written_at;

	assert_file("objects/ab/" ID, large_from(0, LARGE));
	assert_int_equal(folder_files(at("incoming")), 0);
	assert_err(begin(ID, LARGE), ERR_NOT_FOUND);
	assert_err(resumable_offset(store, ID, &offset, &written_at, &why),
		   ERR_NOT_FOUND);
}

static void all_bytes_become_an_object_with_their_hash(void **state)
{
	(void)state;
	create(ID);
	append(ID, 0, 1);
	append(ID, 1, 70000);
	append(ID, 70000, LARGE);
	finish(ID, LARGE);
	assert_done();
}

static void so_do_none(void **state)
{
	unsigned char sum[SHA256_LEN], nothing[SHA256_LEN];
	struct resumable_commit *f = NULL;

	(void)state;
	create(ID);
	assert_ok(resumable_commit_begin(store, ID, 0, &f, sum, &why));
	sha256_of(SPAN(""), nothing);
	assert_memory_equal(sum, nothing, SHA256_LEN);
	assert_ok(resumable_commit_place(f, &why));
	resumable_commit_end(f);
	assert_file("objects/ab/" ID, SPAN(""));
}

static void what_is_not_all_there_is_not_finished(void **state)
{
	struct resumable *p;

	(void)state;
	assert_err(begin(ID, 0), ERR_NOT_FOUND);
	create(ID);
	append(ID, 0, 100);
	assert_err(begin(ID, 101), ERR_CONFLICT);
	assert_err(begin(ID, 99), ERR_CONFLICT);
	assert_err(begin(ID, -1), ERR_CONFLICT);
	/* bytes that do not count do not help */
	p = opened(ID, 100, true);
	assert_ok(resumable_write(p, SPAN("x"), &why));
	assert_ok(resumable_flush(p, &why));
	assert_err(begin(ID, 101), ERR_CONFLICT);
	resumable_close(p);
	append(ID, 100, LARGE);
	finish(ID, LARGE);
	assert_done();
}

static void who_asks_may_read_it_first(void **state)
{
	struct resumable_commit *f;
	char got[1000];
	size_t n = 0;

	(void)state;
	create(ID);
	append(ID, 0, LARGE);
	f = begun(ID, LARGE);
	assert_ok(resumable_commit_read(f, 5, got, sizeof(got), &n, &why));
	assert_int_equal(n, sizeof(got));
	assert_memory_equal(got, large + 5, n);
	assert_ok(resumable_commit_read(f, LARGE - 3, got, sizeof(got), &n,
					&why));
	assert_int_equal(n, 3);
	assert_ok(resumable_commit_read(f, LARGE, got, sizeof(got), &n, &why));
	assert_int_equal(n, 0);
	resumable_commit_leave(f);
	resumable_commit_leave(NULL);
}

/* --- an object never changes ---------------------------------------------- */

static void a_writer_is_refused_from_then_on(void **state)
{
	struct resumable *p, *second = NULL;
	struct resumable_commit *f;
	int64_t from = LARGE;

	(void)state;
	create(ID);
	append(ID, 0, LARGE);
	p = opened(ID, LARGE, false);
	assert_ok(resumable_write(p, SPAN("more"), &why));
	f = begun(ID, LARGE);
	assert_err(resumable_flush(p, &why), ERR_CONFLICT);
	assert_err(resumable_sync(p, &why), ERR_CONFLICT);
	/* and nobody becomes one */
	assert_err(resumable_open(store, ID, &from, false, &second, &why),
		   ERR_NOT_FOUND);
	assert_ok(resumable_commit_place(f, &why));
	assert_err(resumable_open(store, ID, &from, false, &second, &why),
		   ERR_NOT_FOUND);
	resumable_commit_end(f);
	assert_err(resumable_flush(p, &why), ERR_CONFLICT);
	resumable_close(p);
	assert_done();
}

static void one_that_was_left_takes_no_writer_either(void **state)
{
	struct resumable *p = NULL;
	int64_t from = LARGE;

	(void)state;
	create(ID);
	append(ID, 0, LARGE);
	resumable_commit_leave(begun(ID, LARGE));
	assert_err(resumable_open(store, ID, &from, false, &p, &why),
		   ERR_NOT_FOUND);
	assert_int_equal(offset_of(ID), LARGE);
	finish(ID, LARGE);
	assert_done();
}

/* --- several at once ------------------------------------------------------ */

enum { WAITERS = 4 };
static atomic_int ended, not_there;

static void *finish_too(void *arg)
{
	enum err e = begin(ID, LARGE);

	(void)arg;
	if (e == ERR_NOT_FOUND)
		atomic_fetch_add(&not_there, 1);
	atomic_fetch_add(&ended, 1);
	return NULL;
}

static void who_waited_finds_that_it_was_done(void **state)
{
	pthread_t threads[WAITERS];
	struct resumable_commit *f;

	(void)state;
	atomic_store(&ended, 0);
	atomic_store(&not_there, 0);
	create(ID);
	append(ID, 0, LARGE);
	f = begun(ID, LARGE);
	for (size_t i = 0; i < WAITERS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, finish_too, NULL), 0);
	assert_ok(resumable_commit_place(f, &why));
	assert_int_equal(atomic_load(&ended), 0);
	resumable_commit_end(f);
	for (size_t i = 0; i < WAITERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(atomic_load(&not_there), WAITERS);
	assert_done();
}

static void or_does_it_when_it_was_left(void **state)
{
	pthread_t thread;
	struct resumable_commit *f;

	(void)state;
	atomic_store(&not_there, 0);
	create(ID);
	append(ID, 0, LARGE);
	f = begun(ID, LARGE);
	assert_int_equal(pthread_create(&thread, NULL, finish_too, NULL), 0);
	assert_ok(resumable_commit_place(f, &why));
	resumable_commit_leave(f);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(atomic_load(&not_there), 0);
	finish(ID, LARGE);
	assert_done();
}

/* --- between two steps ---------------------------------------------------- */

static void the_tail_that_a_kill_left_is_hashed_and_made_safe(void **state)
{
	struct resumable *p;
	int before;

	(void)state;
	create(ID);
	append(ID, 0, 10);
	p = opened(ID, 10, false);
	assert_ok(resumable_write(p, large_from(10, LARGE), &why));
	assert_ok(resumable_flush(p, &why));
	resumable_close(p); /* as a kill would */
	before = safe_calls;
	resumable_commit_leave(begun(ID, LARGE));
	assert_true(safe_calls > before);
	finish(ID, LARGE);
	assert_done();
}

static void what_lies_in_its_place_is_still_an_upload(void **state)
{
	struct resumable_commit *f;
	int64_t offset = 0, written_at = 0, placed_at = 0;

	(void)state;
	create(ID);
	append(ID, 0, LARGE);
	assert_ok(resumable_offset(store, ID, &offset, &written_at, &why));
	f = begun(ID, LARGE);
	assert_ok(resumable_commit_place(f, &why));
	resumable_commit_leave(f); /* the database was away, say */
	assert_ok(resumable_offset(store, ID, &offset, &placed_at, &why));
	assert_int_equal(offset, LARGE);
	assert_int_equal(placed_at, written_at);
	finish(ID, LARGE);
	assert_done();
}

static void copy(const char *from, const char *to)
{
	FILE *in = fopen(at(from), "rb"), *out = fopen(at(to), "wb");
	char bytes[4096];
	size_t n;

	assert_non_null(in);
	assert_non_null(out);
	n = fread(bytes, 1, sizeof(bytes), in);
	assert_int_equal(fwrite(bytes, 1, n, out), n);
	(void)fclose(in);
	assert_int_equal(fclose(out), 0);
}

/* The bytes were made safe before they were put in place; the mark may lag */
static void a_loss_of_power_after_it_was_placed_costs_nothing(void **state)
{
	struct resumable_commit *f;

	(void)state;
	create(ID);
	append(ID, 0, 10);
	copy("incoming/" ID ".mark", "old");
	append(ID, 10, LARGE);
	f = begun(ID, LARGE);
	assert_ok(resumable_commit_place(f, &why));
	resumable_commit_leave(f);
	copy("old", "incoming/" ID ".mark");
	assert_int_equal(unlink(at("old")), 0);
	reboot();
	assert_int_equal(offset_of(ID), LARGE);
	finish(ID, LARGE);
	assert_done();
}

static enum err finish_once(void)
{
	unsigned char sum[SHA256_LEN];
	struct resumable_commit *f = NULL;
	enum err e = resumable_commit_begin(store, ID, LARGE, &f, sum, &why);

	if (e != ERR_OK)
		return e;
	e = resumable_commit_place(f, &why);
	if (e == ERR_OK)
		resumable_commit_end(f);
	else
		resumable_commit_leave(f);
	return e;
}

/* With a tail, that there be more to do */
static void all_but_the_end(void)
{
	struct resumable *p;

	create(ID);
	append(ID, 0, 10);
	p = opened(ID, 10, false);
	assert_ok(resumable_write(p, large_from(10, LARGE), &why));
	assert_ok(resumable_flush(p, &why));
	resumable_close(p);
}

static void a_failure_at_any_step_leaves_it_for_another_try(void **state)
{
	size_t files = open_files();
	int n = 0;

	(void)state;
	for (;; n++) {
		enum err e;

		all_but_the_end();
		has_failed = false;
		calls_left = n;
		fail_with = ENOSPC;
		e = finish_once();
		calls_left = NEVER;
		if (!has_failed)
			break;
		assert_err(e, ERR_FULL);
		assert_int_equal(offset_of(ID), LARGE);
		assert_ok(finish_once());
		assert_done();
		assert_int_equal(open_files(), files);
		assert_ok(store_remove(store, ID, &why));
		assert_int_equal(rmdir(at("objects/ab")), 0);
	}
	assert_true(n > 5);
}

static int killed_at;

static int finish_killed(void)
{
	calls_left = killed_at;
	fail_with = 0;
	return finish_once() == ERR_OK ? 0 : 1;
}

static void so_does_a_kill(void **state)
{
	int status;

	(void)state;
	for (killed_at = 0;; killed_at++) {
		all_but_the_end();
		status = in_a_process(finish_killed);
		if (status == 0)
			break;
		assert_killed(status);
		assert_int_equal(offset_of(ID), LARGE);
		assert_ok(finish_once());
		assert_done();
		assert_ok(store_remove(store, ID, &why));
		assert_int_equal(rmdir(at("objects/ab")), 0);
	}
	assert_true(killed_at > 5);
	assert_done();
}

static void what_was_removed_is_not_finished(void **state)
{
	struct resumable_commit *f;

	(void)state;
	create(ID);
	append(ID, 0, LARGE);
	f = begun(ID, LARGE);
	assert_ok(resumable_remove(store, ID, &why));
	assert_err(resumable_commit_place(f, &why), ERR_IO);
	resumable_commit_leave(f);
	assert_int_equal(folder_files(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FINISH_TEST(all_bytes_become_an_object_with_their_hash),
		FINISH_TEST(so_do_none),
		FINISH_TEST(what_is_not_all_there_is_not_finished),
		FINISH_TEST(who_asks_may_read_it_first),
		FINISH_TEST(a_writer_is_refused_from_then_on),
		FINISH_TEST(one_that_was_left_takes_no_writer_either),
		FINISH_TEST(who_waited_finds_that_it_was_done),
		FINISH_TEST(or_does_it_when_it_was_left),
		FINISH_TEST(the_tail_that_a_kill_left_is_hashed_and_made_safe),
		FINISH_TEST(what_lies_in_its_place_is_still_an_upload),
		FINISH_TEST(a_loss_of_power_after_it_was_placed_costs_nothing),
		FINISH_TEST(a_failure_at_any_step_leaves_it_for_another_try),
		FINISH_TEST(so_does_a_kill),
		FINISH_TEST(what_was_removed_is_not_finished),
	};

	return RUN(tests);
}
