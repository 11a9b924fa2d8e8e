/* store.h, of every implementation. */
#include "cgi-gateway/store/resumable.h"
#include "tests/unit/cgi-gateway/store/store_fixture.h"

#include <pthread.h>
#include <time.h>

enum { LARGE = (8 << 20) + 3 * (128 << 10) + 5 };

static char *large; /* LARGE bytes */

/* --- writing -------------------------------------------------------------- */

static void an_object_is_visible_after_its_commit_and_not_before(void **state)
{
	struct store_writer *w = opened_writer(ID);

	(void)state;
	assert_no_object(ID);
	assert_ok(store_writer_write(w, SPAN("hello"), &why));
	assert_no_object(ID);
	assert_ok(store_writer_commit(w, &why));
	assert_object(ID, SPAN("hello"), 16);
	assert_int_equal(items(), 1);
}

static void a_large_object_is_unfinished_until_its_commit(void **state)
{
	struct store_writer *w = opened_writer(ID);

	(void)state;
	assert_ok(store_writer_write(w, (struct span) { large, LARGE }, &why));
	assert_no_object(ID);
	assert_int_equal(items(), 1);
	assert_ok(store_writer_commit(w, &why));
	assert_object(ID, (struct span) { large, LARGE }, 65536);
	assert_int_equal(items(), 1);
}

static void an_aborted_writer_leaves_nothing(void **state)
{
	struct store_writer *w = opened_writer(ID);

	(void)state;
	assert_ok(store_writer_write(w, (struct span) { large, LARGE }, &why));
	store_writer_abort(w);
	assert_no_object(ID);
	assert_int_equal(items(), 0);
	store_writer_abort(NULL);
	/* and the id may be used again */
	put(ID, SPAN("again"));
	assert_object(ID, SPAN("again"), 16);
}

static void an_object_may_have_no_bytes(void **state)
{
	(void)state;
	put(ID, (struct span) { NULL, 0 });
	assert_object(ID, (struct span) { NULL, 0 }, 1);
}

static void an_object_has_the_bytes_that_were_written_in_any_pieces(
	void **state)
{
	static const size_t sizes[] = {
		1021, 65535,  65536, /* half the buffer of store_disk */
		8192, 131071, 131072, 131073, LARGE,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct store_writer *w = opened_writer(ID);
		struct span rest = { large, LARGE };

		while (rest.len > 0) {
			struct span piece = rest;

			if (piece.len > sizes[i])
				piece.len = sizes[i];
			assert_ok(store_writer_write(w, piece, &why));
			rest = span_from(rest, piece.len);
		}
		assert_ok(store_writer_commit(w, &why));
		assert_object(ID, (struct span) { large, LARGE }, 100000);
		assert_ok(store_remove(store, ID, &why));
	}
}

static void large_and_small_pieces_keep_their_order(void **state)
{
	static const size_t sizes[] = { 5, 131072, 1,	  70000, 70000,
					3, 262144, 65536, 2 };
	struct store_writer *w = opened_writer(ID);
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		assert_ok(store_writer_write(
			w, (struct span) { large + n, sizes[i] }, &why));
		n += sizes[i];
	}
	assert_ok(store_writer_commit(w, &why));
	assert_object(ID, (struct span) { large, n }, 4096);
}

static void two_writers_do_not_mix(void **state)
{
	struct store_writer *a = opened_writer(ID);
	struct store_writer *b = opened_writer(OTHER_ID);

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_ok(store_writer_write(a, SPAN("aaaa"), &why));
		assert_ok(store_writer_write(b, SPAN("bb"), &why));
	}
	assert_ok(store_writer_commit(b, &why));
	assert_no_object(ID);
	assert_ok(store_writer_commit(a, &why));
	memset(large, 'a', 400);
	assert_object(ID, (struct span) { large, 400 }, 64);
	memset(large, 'b', 200);
	assert_object(OTHER_ID, (struct span) { large, 200 }, 64);
}

static void assert_read_back(struct store_writer *w, int64_t from,
			     struct span want)
{
	char *to = malloc(want.len + 1);
	size_t got = 99, n = 0;

	assert_non_null(to);
	while (got > 0) {
		assert_ok(store_writer_read(w, from + (int64_t)n, to + n,
					    want.len + 1 - n, &got, &why));
		n += got;
		assert_true(n <= want.len);
	}
	assert_int_equal(n, want.len);
	if (n > 0)
		assert_memory_equal(to, want.p, n);
	free(to);
}

static void a_writer_reads_back_what_it_wrote_and_continues(void **state)
{
	struct span all = { large, LARGE };
	struct span rest = span_from(all, 1000);
	struct store_writer *w = opened_writer(ID);

	(void)state;
	assert_read_back(w, 0, SPAN(""));
	assert_ok(store_writer_write(w, (struct span) { large, 1000 }, &why));
	assert_read_back(w, 0, (struct span) { large, 1000 });
	assert_read_back(w, 990, (struct span) { large + 990, 10 });
	assert_read_back(w, 1000, SPAN(""));
	assert_read_back(w, 5000, SPAN(""));
	assert_no_object(ID);
	assert_ok(store_writer_write(w, rest, &why));
	assert_read_back(w, 0, all);
	assert_ok(store_writer_commit(w, &why));
	assert_object(ID, all, 100000);
}

/* Write and commit what another writer of the id has begun; the error of the
 * first call that refuses */
static enum err put_again(struct span bytes)
{
	struct store_writer *w = NULL;
	enum err e = store_writer_open(store, ID, &w, &why);

	if (e != ERR_OK)
		return e;
	e = store_writer_write(w, bytes, &why);
	if (e == ERR_OK)
		return store_writer_commit(w, &why);
	store_writer_abort(w);
	return e;
}

static void an_id_has_one_writer(void **state)
{
	struct span all = { large, LARGE };
	struct store_writer *w = opened_writer(ID);
	struct store *other = open_another();

	(void)state;
	assert_ok(store_writer_write(w, all, &why));
	assert_err(put_again(all), ERR_IO);
	assert_contains(why.text, ID);
	/* the first writer still has its lock */
	assert_true(store_is_locked(other, ID));
	assert_ok(store_writer_commit(w, &why));
	assert_object(ID, all, 65536);
	assert_true(store_is_locked(other, ID));
	store_close(other);
}

enum { THREADS = 4, EACH = 20 };

/* The id and the bytes of the object number `i` of a thread */
static struct span numbered(char thread, int i, char id[static UUID_LEN + 1],
			    char text[static 8])
{
	(void)snprintf(id, UUID_LEN + 1,
		       "0190b3a2-%c000-7000-8000-0000000000%02x", thread,
		       (unsigned char)i);
	(void)snprintf(text, 8, "%c %u", thread, (unsigned char)i);
	return span_of(text);
}

/* Returns NULL if every object was committed */
static void *put_many(void *thread)
{
	char id[UUID_LEN + 1], text[8];

	for (int i = 0; i < EACH; i++) {
		struct span bytes = numbered(*(char *)thread, i, id, text);
		struct store_writer *w = NULL;

		if (store_writer_open(store, id, &w, NULL) != ERR_OK)
			return thread;
		if (store_writer_write(w, bytes, NULL) != ERR_OK ||
		    store_writer_commit(w, NULL) != ERR_OK)
			return thread;
	}
	return NULL;
}

static char names[THREADS] = { 'a', 'b', 'c', 'd' };

static void run_threads(void)
{
	pthread_t threads[THREADS];

	for (size_t t = 0; t < THREADS; t++)
		assert_int_equal(
			pthread_create(&threads[t], NULL, put_many, &names[t]),
			0);
	for (size_t t = 0; t < THREADS; t++) {
		void *failed = names;

		assert_int_equal(pthread_join(threads[t], &failed), 0);
		assert_null(failed);
	}
}

static void many_threads_write_at_once(void **state)
{
	char id[UUID_LEN + 1], text[8];

	(void)state;
	run_threads();
	for (size_t t = 0; t < THREADS; t++)
		for (int i = 0; i < EACH; i++)
			assert_object(id, numbered(names[t], i, id, text), 64);
}

/* --- locks ---------------------------------------------------------------- */

static void an_object_is_locked_from_its_writer_until_its_unlock(void **state)
{
	struct store *other = open_another();
	struct store_writer *w;

	(void)state;
	assert_false(store_is_locked(other, ID));
	w = opened_writer(ID);
	assert_true(store_is_locked(other, ID));
	assert_false(store_is_locked(other, OTHER_ID));
	assert_ok(store_writer_write(w, SPAN("x"), &why));
	assert_ok(store_writer_commit(w, &why));
	assert_true(store_is_locked(other, ID));
	store_unlock(store, OTHER_ID);
	assert_true(store_is_locked(other, ID));
	store_unlock(store, ID);
	assert_false(store_is_locked(other, ID));
	store_close(other);
}

static void an_aborted_writer_unlocks_its_id(void **state)
{
	struct store *other = open_another();
	struct store_writer *w = opened_writer(ID);

	(void)state;
	assert_true(store_is_locked(other, ID));
	store_writer_abort(w);
	assert_false(store_is_locked(other, ID));
	store_close(other);
}

static void a_closed_store_has_no_locks(void **state)
{
	struct store *other = open_another();

	(void)state;
	put(ID, SPAN("x"));
	assert_true(store_is_locked(other, ID));
	store_close(store);
	store = other;
	assert_false(store_is_locked(other, ID));
}

static void a_store_does_not_see_its_own_locks(void **state)
{
	(void)state;
	put(ID, SPAN("x"));
	assert_false(store_is_locked(store, ID));
}

static void locks_of_many_threads_do_not_mix(void **state)
{
	struct store *other = open_another();
	char id[UUID_LEN + 1], text[8];

	(void)state;
	run_threads();
	for (size_t t = 0; t < THREADS; t++)
		for (int i = 0; i < EACH; i++) {
			(void)numbered(names[t], i, id, text);
			assert_true(store_is_locked(other, id));
			store_unlock(store, id);
			assert_false(store_is_locked(other, id));
		}
	store_close(other);
}

/* --- finished objects ----------------------------------------------------- */

static void a_reader_starts_at_any_byte(void **state)
{
	static const struct {
		int64_t from;
		const char *want;
	} cases[] = {
		{ 0, "0123456789" }, { 1, "123456789" }, { 9, "9" },
		{ 10, "" },	     { 11, "" },	 { 1 << 30, "" }
	};

	(void)state;
	put(ID, SPAN("0123456789"));
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct store_reader *r = NULL;
		int64_t size = 0;
		char text[32];
		size_t got;

		assert_ok(store_reader_open(store, ID, cases[i].from, &r, &size,
					    &why));
		assert_int_equal(size, 10);
		assert_ok(store_reader_read(r, text, sizeof(text), &got, &why));
		assert_span_str(((struct span) { text, got }), cases[i].want);
		store_reader_close(r);
	}
	store_reader_close(NULL);
}

static void a_reader_without_cache_reads_the_same_bytes(void **state)
{
	struct store_reader *r = NULL;
	char *to = malloc(LARGE);
	size_t got = 1, n = 0;
	int64_t size;

	(void)state;
	assert_non_null(to);
	put(ID, (struct span) { large, LARGE });
	assert_ok(store_reader_open(store, ID, 0, &r, &size, &why));
	store_reader_no_cache(r);
	while (got > 0) {
		assert_ok(store_reader_read(r, to + n, LARGE - n, &got, &why));
		n += got;
	}
	store_reader_close(r);
	assert_int_equal(n, LARGE);
	assert_memory_equal(to, large, LARGE);
	free(to);
}

static void a_removed_object_is_not_found(void **state)
{
	(void)state;
	put(ID, SPAN("x"));
	assert_ok(store_remove(store, ID, &why));
	assert_no_object(ID);
	assert_int_equal(items(), 0);
	assert_err(store_remove(store, ID, &why), ERR_NOT_FOUND);
	assert_err(store_remove(store, OTHER_ID, &why), ERR_NOT_FOUND);
}

static void a_finished_object_is_not_removed_as_unfinished(void **state)
{
	struct store_writer *w = opened_writer(ID);

	(void)state;
	put(OTHER_ID, SPAN("x"));
	assert_ok(store_writer_write(w, (struct span) { large, LARGE }, &why));
	assert_ok(resumable_remove(store, ID, &why));
	assert_err(resumable_remove(store, ID, &why), ERR_NOT_FOUND);
	assert_err(resumable_remove(store, OTHER_ID, &why), ERR_NOT_FOUND);
	assert_object(OTHER_ID, SPAN("x"), 4);
	/* its writer cannot commit what is gone */
	assert_err(store_writer_commit(w, &why), ERR_IO);
	assert_no_object(ID);
}

static void a_path_ends_in_the_object_s_name_if_there_are_paths(void **state)
{
	char path[STORE_PATH_MAX] = "";

	(void)state;
	put(ID, SPAN("x"));
	if (!fixture->has_paths) {
		assert_err(store_path(store, ID, path), ERR_METHOD);
		assert_err(store_path(store, OTHER_ID, path), ERR_METHOD);
		return;
	}
	assert_ok(store_path(store, ID, path));
	assert_int_equal(path[0], '/');
	assert_string_equal(path + strlen(path) - STORE_TAIL, "ab/" ID);
	assert_int_equal(access(path, R_OK), 0);
	assert_err(store_path(store, OTHER_ID, path), ERR_NOT_FOUND);
}

static void an_object_is_found_by_a_store_that_is_opened_later(void **state)
{
	struct store *first = store;

	(void)state;
	put(ID, SPAN("kept"));
	store = open_another();
	store_close(first);
	assert_object(ID, SPAN("kept"), 16);
	store_close(NULL);
}

static void a_new_store_is_ready_and_empty(void **state)
{
	(void)state;
	assert_ok(store_ready(store, &why));
	assert_int_equal(items(), 0);
}

/* --- walking -------------------------------------------------------------- */

struct walk {
	size_t count;
	char seen[12][128]; /* "object ID SIZE", in no order */
	enum err answer;
	int64_t oldest;
};

static enum err see(void *arg, const struct store_item *item)
{
	struct walk *w = arg;

	assert_true(w->count < COUNT(w->seen));
	assert_true(item->kind == STORE_OBJECT ||
		    item->kind == STORE_UNFINISHED);
	(void)snprintf(w->seen[w->count++], sizeof(w->seen[0]), "%s %s %lld",
		       item->kind == STORE_OBJECT ? "object" : "unfinished",
		       item->id, (long long)item->size);
	if (item->changed_at < w->oldest)
		w->oldest = item->changed_at;
	return w->answer;
}

static bool has_seen(const struct walk *w, const char *what)
{
	for (size_t i = 0; i < w->count; i++)
		if (strcmp(w->seen[i], what) == 0)
			return true;
	return false;
}

static void a_walk_reports_every_object_and_every_writer(void **state)
{
	struct walk all = { .oldest = INT64_MAX };
	int64_t now = (int64_t)time(NULL);
	struct store_writer *w = opened_writer(OTHER_ID);

	(void)state;
	put(ID, SPAN("12345"));
	put("0190b3a2-0000-7000-8000-0000000000ff", SPAN(""));
	assert_ok(store_writer_write(w, (struct span) { large, 131072 }, &why));
	assert_ok(store_walk(store, see, &all, &why));
	assert_int_equal(all.count, 3);
	assert_true(has_seen(&all, "object " ID " 5"));
	assert_true(has_seen(&all,
			     "object 0190b3a2-0000-7000-8000-0000000000ff 0"));
	assert_true(has_seen(&all, "unfinished " OTHER_ID " 131072"));
	assert_true(all.oldest >= now - 2 && all.oldest <= now + 60);
	store_writer_abort(w);
}

static void a_walk_ends_when_its_function_returns_an_error(void **state)
{
	struct walk w = { .answer = ERR_QUOTA };

	(void)state;
	put(ID, SPAN("1"));
	put(OTHER_ID, SPAN("2"));
	assert_err(store_walk(store, see, &w, &why), ERR_QUOTA);
	assert_int_equal(w.count, 1);
}

static enum err remove_it(void *arg, const struct store_item *item)
{
	(void)arg;
	return item->kind == STORE_OBJECT
		       ? store_remove(store, item->id, &why)
		       : resumable_remove(store, item->id, &why);
}

static void a_walk_may_remove_what_it_reports(void **state)
{
	struct store_writer *w = opened_writer(ID);
	char id[UUID_LEN + 1], text[8];

	(void)state;
	for (int i = 0; i < 40; i++)
		put(id, numbered('a', i, id, text));
	assert_ok(store_walk(store, remove_it, NULL, &why));
	assert_int_equal(items(), 0);
	store_writer_abort(w);
}

/* --- all of them ---------------------------------------------------------- */

static int open_filled(void **state)
{
	large = malloc(LARGE);
	if (large == NULL)
		return -1;
	fill(large, LARGE);
	return open_store(state);
}

static int close_filled(void **state)
{
	free(large);
	return close_store(state);
}

int main(void)
{
	static const struct store_case cases[] = {
		STORE_CASE(
			an_object_is_visible_after_its_commit_and_not_before),
		STORE_CASE(a_large_object_is_unfinished_until_its_commit),
		STORE_CASE(an_aborted_writer_leaves_nothing),
		STORE_CASE(an_object_may_have_no_bytes),
		STORE_CASE(
			an_object_has_the_bytes_that_were_written_in_any_pieces),
		STORE_CASE(large_and_small_pieces_keep_their_order),
		STORE_CASE(two_writers_do_not_mix),
		STORE_CASE(a_writer_reads_back_what_it_wrote_and_continues),
		STORE_CASE(an_id_has_one_writer),
		STORE_CASE(many_threads_write_at_once),
		STORE_CASE(
			an_object_is_locked_from_its_writer_until_its_unlock),
		STORE_CASE(an_aborted_writer_unlocks_its_id),
		STORE_CASE(a_closed_store_has_no_locks),
		STORE_CASE(a_store_does_not_see_its_own_locks),
		STORE_CASE(locks_of_many_threads_do_not_mix),
		STORE_CASE(a_reader_starts_at_any_byte),
		STORE_CASE(a_reader_without_cache_reads_the_same_bytes),
		STORE_CASE(a_removed_object_is_not_found),
		STORE_CASE(a_finished_object_is_not_removed_as_unfinished),
		STORE_CASE(a_path_ends_in_the_object_s_name_if_there_are_paths),
		STORE_CASE(an_object_is_found_by_a_store_that_is_opened_later),
		STORE_CASE(a_new_store_is_ready_and_empty),
		STORE_CASE(a_walk_reports_every_object_and_every_writer),
		STORE_CASE(a_walk_ends_when_its_function_returns_an_error),
		STORE_CASE(a_walk_may_remove_what_it_reports),
	};

	return run_cases(cases, COUNT(cases), open_filled, close_filled);
}
