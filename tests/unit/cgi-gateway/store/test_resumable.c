/* resumable.h, of every implementation. */
#include "tests/unit/cgi-gateway/store/resumable_objects.h"
#include "tests/unit/cgi-gateway/store/store_fixture.h"
#include "tests/unit/cgi-gateway/store/takeover.h"

#include <pthread.h>
#include <time.h>

/* --- what counts ---------------------------------------------------------- */

static void a_new_upload_has_no_bytes_and_exists_once(void **state)
{
	int64_t offset = -1, written_at = -1;
	int64_t now = (int64_t)time(NULL);

	(void)state;
	assert_err(resumable_offset(store, ID, &offset, &written_at, &why),
		   ERR_NOT_FOUND);
	assert_int_equal(offset, -1);
	create(ID);
	assert_ok(resumable_offset(store, ID, &offset, &written_at, &why));
	assert_int_equal(offset, 0);
	assert_true(written_at >= now - 2 && written_at <= now + 60);
	assert_err(resumable_create(store, ID, &why), ERR_CONFLICT);
	create(OTHER_ID);
	assert_int_equal(offset_of(ID), 0);
}

static void bytes_count_after_a_flush(void **state)
{
	struct resumable *r;

	(void)state;
	create(ID);
	r = opened(ID, 0, false);
	assert_ok(resumable_write(r, SPAN("hello"), &why));
	assert_int_equal(resumable_at(r), 5);
	assert_int_equal(offset_of(ID), 0);
	assert_ok(resumable_flush(r, &why));
	assert_int_equal(offset_of(ID), 5);
	assert_ok(resumable_flush(r, &why)); /* nothing to do */
	assert_ok(resumable_write(r, SPAN(" world"), &why));
	resumable_close(r); /* which discards what was not flushed */
	assert_int_equal(offset_of(ID), 5);
	assert_bytes(ID, SPAN("hello"));
	resumable_close(NULL);
}

static void an_upload_resumes_at_its_offset_and_nowhere_else(void **state)
{
	static const int64_t wrong[] = { 0, 4, 6, INT64_MAX };
	struct resumable *r = NULL, *older;

	(void)state;
	create(ID);
	older = opened(ID, 0, false);
	assert_ok(resumable_write(older, SPAN("hello"), &why));
	assert_ok(resumable_flush(older, &why));
	for (size_t i = 0; i < COUNT(wrong); i++) {
		int64_t found = wrong[i];

		assert_err(resumable_open(store, ID, &found, false, &r, &why),
			   ERR_CONFLICT);
		assert_null(r);
		assert_int_equal(found, 5);
	}
	/* the older writer is still the newest one */
	assert_ok(resumable_write(older, SPAN("!"), &why));
	assert_ok(resumable_sync(older, &why));
	resumable_close(older);
	assert_int_equal(offset_of(ID), 6);
}

static void an_upload_arrives_in_several_requests(void **state)
{
	(void)state;
	create(ID);
	append(ID, 0, 1);
	append(ID, 1, 1);
	append(ID, 1, 200000);
	append(ID, 200000, LARGE);
	assert_bytes(ID, large_from(0, LARGE));
}

static void an_upload_that_does_not_exist_is_not_found(void **state)
{
	struct resumable *r = NULL;
	int64_t found = 0;

	(void)state;
	assert_err(resumable_open(store, ID, &found, false, &r, &why),
		   ERR_NOT_FOUND);
	assert_null(r);
	assert_err(resumable_remove(store, ID, &why), ERR_NOT_FOUND);
}

static void an_object_is_not_an_upload(void **state)
{
	struct resumable *r = NULL;
	int64_t found = 1, written_at;

	(void)state;
	put(ID, SPAN("x"));
	assert_err(resumable_open(store, ID, &found, false, &r, &why),
		   ERR_NOT_FOUND);
	assert_err(resumable_offset(store, ID, &found, &written_at, &why),
		   ERR_NOT_FOUND);
	assert_err(resumable_remove(store, ID, &why), ERR_NOT_FOUND);
	assert_object(ID, SPAN("x"), 8);
}

/* --- locks and the walk --------------------------------------------------- */

static void a_new_upload_is_locked_until_its_unlock(void **state)
{
	struct store *other = open_another();

	(void)state;
	create(ID);
	assert_true(store_is_locked(other, ID));
	store_unlock(store, ID);
	assert_false(store_is_locked(other, ID));
	create(OTHER_ID);
	assert_ok(resumable_remove(store, OTHER_ID, &why));
	assert_false(store_is_locked(other, OTHER_ID));
	store_close(other);
}

static enum err see(void *seen, const struct store_item *item)
{
	assert_int_equal(item->kind, STORE_UNFINISHED);
	assert_string_equal(item->id, ID);
	assert_int_equal(item->size, 100);
	++*(int *)seen;
	return ERR_OK;
}

static void a_walk_reports_an_upload_once(void **state)
{
	int seen = 0;

	(void)state;
	create(ID);
	append(ID, 0, 100);
	assert_ok(store_walk(store, see, &seen, &why));
	assert_int_equal(seen, 1);
}

/* --- the newest writer ---------------------------------------------------- */

static void no_byte_of_an_older_writer_is_stored(void **state)
{
	struct resumable *older, *newer;

	(void)state;
	create(ID);
	older = opened(ID, 0, false);
	assert_ok(resumable_write(older, SPAN("aaa"), &why));
	assert_ok(resumable_flush(older, &why));
	assert_ok(resumable_write(older, SPAN("AAAA"), &why));
	newer = opened(ID, 3, false);
	assert_err(resumable_flush(older, &why), ERR_CONFLICT);
	assert_int_equal(offset_of(ID), 3);
	assert_ok(resumable_write(newer, SPAN("b"), &why));
	assert_ok(resumable_sync(newer, &why));
	assert_err(resumable_sync(older, &why), ERR_CONFLICT);
	assert_int_equal(offset_of(ID), 4);
	resumable_close(older);
	resumable_close(newer);
	assert_bytes(ID, SPAN("aaab"));
}

static void a_writer_of_another_store_is_newer(void **state)
{
	struct store *first = store, *other = open_another();
	struct resumable *older, *newer;

	(void)state;
	create(ID);
	older = opened(ID, 0, false);
	assert_ok(resumable_write(older, SPAN("a"), &why));
	store = other;
	newer = opened(ID, 0, false);
	assert_err(resumable_flush(older, &why), ERR_CONFLICT);
	resumable_close(older);
	resumable_close(newer);
	store = first;
	store_close(other);
}

static void threads_that_replace_each_other_never_mix_their_bytes(void **state)
{
	pthread_t threads[PLAYERS];

	(void)state;
	start_game();
	for (size_t i = 0; i < PLAYERS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, play, &letters[i]),
			0);
	for (size_t i = 0; i < PLAYERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	check_game();
}

static void a_removed_upload_accepts_no_bytes(void **state)
{
	struct resumable *r, *second = NULL;
	int64_t found = 3;

	(void)state;
	create(ID);
	r = opened(ID, 0, false);
	assert_ok(resumable_write(r, SPAN("aaa"), &why));
	assert_ok(resumable_flush(r, &why));
	assert_ok(resumable_write(r, SPAN("b"), &why));
	assert_ok(resumable_remove(store, ID, &why));
	assert_err(resumable_flush(r, &why), ERR_CONFLICT);
	assert_err(resumable_open(store, ID, &found, false, &second, &why),
		   ERR_NOT_FOUND);
	resumable_close(r);
	assert_int_equal(items(), 0);
	create(ID); /* nothing of it is in the way */
	assert_int_equal(offset_of(ID), 0);
}

/* --- tentative bytes ------------------------------------------------------ */

static void tentative_bytes_count_together_or_not_at_all(void **state)
{
	struct resumable *r;

	(void)state;
	create(ID);
	append(ID, 0, 3);
	r = opened(ID, 3, true);
	assert_ok(resumable_write(r, large_from(3, LARGE), &why));
	assert_ok(resumable_flush(r, &why));
	assert_int_equal(offset_of(ID), 3);
	resumable_close(r);
	assert_int_equal(offset_of(ID), 3);
	r = opened(ID, 3, true);
	assert_ok(resumable_write(r, large_from(3, 10), &why));
	assert_ok(resumable_sync(r, &why));
	assert_int_equal(offset_of(ID), 10);
	resumable_close(r);
	assert_bytes(ID, large_from(0, 10));
}

static void a_newer_writer_cuts_off_tentative_bytes(void **state)
{
	struct resumable *older, *newer;

	(void)state;
	create(ID);
	append(ID, 0, 3);
	older = opened(ID, 3, true);
	assert_ok(resumable_write(older, SPAN("XXXXXXXX"), &why));
	assert_ok(resumable_flush(older, &why));
	newer = opened(ID, 3, false);
	assert_ok(resumable_write(newer, large_from(3, 5), &why));
	assert_ok(resumable_flush(newer, &why));
	assert_int_equal(offset_of(ID), 5);
	assert_err(resumable_sync(older, &why), ERR_CONFLICT);
	resumable_close(older);
	resumable_close(newer);
	assert_bytes(ID, large_from(0, 5));
}

static void bytes_before_a_tentative_writer_count_after_it(void **state)
{
	struct resumable *r;

	(void)state;
	create(ID);
	r = opened(ID, 0, false);
	assert_ok(resumable_write(r, large_from(0, LARGE), &why));
	assert_ok(resumable_flush(r, &why));
	resumable_close(r);
	r = opened(ID, LARGE, true);
	resumable_close(r);
	assert_int_equal(offset_of(ID), LARGE);
}

/* --- one behind the other ------------------------------------------------- */

static void another_upload_is_appended_if_it_has_the_right_length(void **state)
{
	struct resumable *r, *other;

	(void)state;
	create(ID);
	create(OTHER_ID);
	append(ID, 0, 10);
	other = opened(OTHER_ID, 0, false);
	assert_ok(resumable_write(other, large_from(10, LARGE), &why));
	assert_ok(resumable_sync(other, &why));
	resumable_close(other);
	r = opened(ID, 10, false);
	assert_err(resumable_append(r, OTHER_ID, LARGE - 11, &why),
		   ERR_CONFLICT);
	assert_int_equal(resumable_at(r), 10);
	assert_ok(resumable_append(r, OTHER_ID, LARGE - 10, &why));
	assert_ok(resumable_sync(r, &why));
	assert_err(resumable_append(r, "0190b3a2-0000-7000-8000-000000000000",
				    0, &why),
		   ERR_NOT_FOUND);
	resumable_close(r);
	assert_bytes(ID, large_from(0, LARGE));
}

static int open_filled(void **state)
{
	fill(large, LARGE);
	return open_store(state);
}

int main(void)
{
	static const struct store_case cases[] = {
		STORE_CASE(a_new_upload_has_no_bytes_and_exists_once),
		STORE_CASE(bytes_count_after_a_flush),
		STORE_CASE(an_upload_resumes_at_its_offset_and_nowhere_else),
		STORE_CASE(an_upload_arrives_in_several_requests),
		STORE_CASE(an_upload_that_does_not_exist_is_not_found),
		STORE_CASE(an_object_is_not_an_upload),
		STORE_CASE(a_new_upload_is_locked_until_its_unlock),
		STORE_CASE(a_walk_reports_an_upload_once),
		STORE_CASE(no_byte_of_an_older_writer_is_stored),
		STORE_CASE(a_writer_of_another_store_is_newer),
		STORE_CASE(
			threads_that_replace_each_other_never_mix_their_bytes),
		STORE_CASE(a_removed_upload_accepts_no_bytes),
		STORE_CASE(tentative_bytes_count_together_or_not_at_all),
		STORE_CASE(a_newer_writer_cuts_off_tentative_bytes),
		STORE_CASE(bytes_before_a_tentative_writer_count_after_it),
		STORE_CASE(
			another_upload_is_appended_if_it_has_the_right_length),
	};

	return run_cases(cases, COUNT(cases), open_filled, close_store);
}
