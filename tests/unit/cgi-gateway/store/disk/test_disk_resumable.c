/* What resumable uploads are on a disk. */
#include "tests/unit/cgi-gateway/store/disk/failing_disk.h"
#include "tests/unit/cgi-gateway/store/takeover.h"

/* --- what counts ---------------------------------------------------------- */

static void the_files_of_an_upload_are_closed_to_others(void **state)
{
	struct stat st;
	mode_t before = umask(0);

	(void)state;
	create(ID);
	(void)umask(before);
	assert_int_equal(stat(at("incoming/" ID), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(stat(at("incoming/" ID ".mark"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void a_full_buffer_is_written_and_counts(void **state)
{
	struct resumable *r;

	(void)state;
	create(ID);
	r = opened(ID, 0, false);
	assert_ok(
		resumable_write(r, large_from(0, STORE_DISK_BUFFER - 1), &why));
	assert_int_equal(offset_of(ID), 0);
	assert_ok(resumable_write(
		r, large_from(STORE_DISK_BUFFER - 1, 2 * STORE_DISK_BUFFER + 7),
		&why));
	assert_int_equal(offset_of(ID), 2 * STORE_DISK_BUFFER);
	assert_int_equal(resumable_at(r), 2 * STORE_DISK_BUFFER + 7);
	resumable_close(r);
}

static void a_short_write_is_continued(void **state)
{
	(void)state;
	create(ID);
	write_max = 5000;
	append(ID, 0, LARGE);
	assert_file("incoming/" ID, large_from(0, LARGE));
}

/* Clients that send a little and wait: each would keep what it was lent */
static void writers_that_wait_share_one_buffer(void **state)
{
	enum { WRITERS = 3 };
	struct resumable *r[WRITERS];
	char id[UUID_LEN + 1] = ID;

	(void)state;
	for (int i = 0; i < WRITERS; i++) {
		id[0] = (char)('0' + i);
		create(id);
		r[i] = opened(id, 0, false);
		for (int64_t n = 0; n < 3; n++) {
			assert_ok(resumable_write(r[i], large_from(n, n + 1),
						  &why));
			assert_ok(resumable_flush(r[i], &why));
			assert_int_equal(offset_of(id), n + 1);
		}
	}
	assert_int_equal(disk_of(store)->buffers.count, 1);
	for (int i = 0; i < WRITERS; i++)
		resumable_close(r[i]);
}

static void a_writer_that_is_closed_returns_its_buffer(void **state)
{
	struct resumable *r;

	(void)state;
	create(ID);
	r = opened(ID, 0, false);
	assert_ok(resumable_write(r, SPAN("abc"), &why));
	assert_int_equal(disk_of(store)->buffers.count, 0);
	resumable_close(r);
	assert_int_equal(disk_of(store)->buffers.count, 1);
}

static void a_newer_writer_replaces_one_with_unwritten_bytes(void **state)
{
	struct resumable *older, *newer;

	(void)state;
	create(ID);
	older = opened(ID, 0, false);
	assert_ok(resumable_write(older, SPAN("old"), &why));
	newer = opened(ID, 0, false);
	assert_ok(resumable_write(newer, SPAN("newest"), &why));
	assert_err(resumable_flush(older, &why), ERR_CONFLICT);
	assert_ok(resumable_sync(newer, &why));
	assert_file("incoming/" ID, SPAN("newest"));
	resumable_close(older);
	resumable_close(newer);
	assert_int_equal(disk_of(store)->buffers.count, 2);
}

static void no_file_stays_open(void **state)
{
	size_t before = open_files();
	struct resumable *r = NULL;
	int64_t found = 7;

	(void)state;
	create(ID);
	append(ID, 0, 100);
	(void)offset_of(ID);
	assert_err(resumable_open(store, ID, &found, false, &r, &why),
		   ERR_CONFLICT);
	assert_ok(resumable_remove(store, ID, &why));
	found = 0;
	assert_err(resumable_open(store, ID, &found, false, &r, &why),
		   ERR_NOT_FOUND);
	assert_int_equal(open_files(), before);
}

/* --- the newest writer ---------------------------------------------------- */

static void an_older_writer_does_not_write_the_checkpoint(void **state)
{
	struct resumable *older, *newer;

	(void)state;
	create(ID);
	older = opened(ID, 0, false);
	assert_ok(resumable_write(older, SPAN("aaa"), &why));
	assert_ok(resumable_flush(older, &why));
	newer = opened(ID, 3, false);
	/* It has no bytes to write, but its checkpoint would be an old one */
	assert_err(resumable_sync(older, &why), ERR_CONFLICT);
	assert_ok(resumable_write(newer, SPAN("bbb"), &why));
	assert_ok(resumable_sync(newer, &why));
	assert_err(resumable_sync(older, &why), ERR_CONFLICT);
	reboot();
	assert_int_equal(offset_of(ID), 6);
	resumable_close(older);
	resumable_close(newer);
}

static void processes_that_replace_each_other_never_mix_their_bytes(
	void **state)
{
	pid_t children[PLAYERS];
	int status;

	(void)state;
	start_game();
	for (size_t i = 0; i < PLAYERS; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			(void)play(&letters[i]);
			_exit(0);
		}
		assert_true(children[i] > 0);
	}
	for (size_t i = 0; i < PLAYERS; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	check_game();
}

static void a_removed_upload_leaves_no_file(void **state)
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
	assert_int_equal(folder_files(dir), 0);
	create(ID); /* nothing of it is in the way */
	assert_int_equal(offset_of(ID), 0);
}

/* A writer that has opened the checkpoint before the removal locked it */
static void a_writer_that_waited_for_a_removal_finds_no_upload(void **state)
{
	struct resumable *r = NULL;
	int64_t found = 0;

	(void)state;
	create(ID);
	/* what the removal has written when it unlocks */
	assert_int_equal(link(at("incoming/" ID ".mark"), at("incoming/old")),
			 0);
	assert_ok(resumable_remove(store, ID, &why));
	create(ID);
	assert_int_equal(rename(at("incoming/old"), at("incoming/" ID ".mark")),
			 0);
	assert_err(resumable_open(store, ID, &found, false, &r, &why),
		   ERR_NOT_FOUND);
	assert_null(r);
}

/* --- tentative bytes ------------------------------------------------------ */

static void bytes_before_a_tentative_writer_survive_a_loss_of_power(
	void **state)
{
	struct resumable *r;

	(void)state;
	create(ID);
	r = opened(ID, 0, false);
	assert_ok(resumable_write(r, large_from(0, LARGE), &why));
	assert_ok(resumable_flush(r, &why));
	resumable_close(r); /* flushed, but not synced */
	r = opened(ID, LARGE, true);
	resumable_close(r);
	assert_int_equal(offset_of(ID), LARGE);
	reboot(); /* the tentative writer has synced them */
	assert_int_equal(offset_of(ID), LARGE);
}

/* --- crashes -------------------------------------------------------------- */

static int write_and_be_killed(void)
{
	struct resumable *r = NULL;
	int64_t from = 0;

	if (resumable_open(store, ID, &from, false, &r, NULL) != ERR_OK ||
	    resumable_write(r, large_from(0, 1000), NULL) != ERR_OK ||
	    resumable_sync(r, NULL) != ERR_OK ||
	    resumable_write(r, large_from(1000, LARGE - 3), NULL) != ERR_OK ||
	    resumable_flush(r, NULL) != ERR_OK ||
	    resumable_write(r, large_from(LARGE - 3, LARGE), NULL) != ERR_OK)
		return 1;
	be_killed();
}

static void written_bytes_count_after_a_kill(void **state)
{
	(void)state;
	create(ID);
	assert_killed(in_a_process(write_and_be_killed));
	assert_int_equal(offset_of(ID), LARGE - 3);
	append(ID, LARGE - 3, LARGE);
	assert_file("incoming/" ID, large_from(0, LARGE));
}

/* The checkpoint ends at byte 1000; the other bytes are read again */
static void the_hash_is_right_after_a_kill_between_checkpoints(void **state)
{
	(void)state;
	create(ID);
	assert_killed(in_a_process(write_and_be_killed));
	append(ID, LARGE - 3, LARGE);
	resumable_commit_leave(opened_commit(ID, large_from(0, LARGE)));
}

static void synced_bytes_count_after_a_loss_of_power(void **state)
{
	(void)state;
	create(ID);
	assert_killed(in_a_process(write_and_be_killed));
	reboot();
	assert_int_equal(offset_of(ID), 1000);
	append(ID, 1000, LARGE);
	assert_file("incoming/" ID, large_from(0, LARGE));
	assert_int_equal(offset_of(ID), LARGE);
}

static void synced_bytes_alone_count_if_the_boot_has_no_name(void **state)
{
	(void)state;
	memset(disk_of(store)->boot, 0, sizeof(disk_of(store)->boot));
	create(ID);
	assert_killed(in_a_process(write_and_be_killed));
	assert_int_equal(offset_of(ID), 1000);
}

static int write_tentatively_and_be_killed(void)
{
	struct resumable *r = NULL;
	int64_t from = 3;

	if (resumable_open(store, ID, &from, true, &r, NULL) != ERR_OK ||
	    resumable_write(r, large_from(3, LARGE), NULL) != ERR_OK ||
	    resumable_flush(r, NULL) != ERR_OK)
		return 1;
	be_killed();
}

static void tentative_bytes_do_not_count_after_a_kill(void **state)
{
	(void)state;
	create(ID);
	append(ID, 0, 3);
	assert_killed(in_a_process(write_tentatively_and_be_killed));
	assert_int_equal(offset_of(ID), 3);
	append(ID, 3, 10);
	assert_file("incoming/" ID, large_from(0, 10));
}

static void a_sync_makes_the_bytes_durable_and_then_the_checkpoint(void **state)
{
	struct resumable *r;
	int before;

	(void)state;
	create(ID);
	assert_true(sync_calls > 0); /* of its names */
	r = opened(ID, 0, false);
	before = sync_calls;
	assert_ok(resumable_write(r, SPAN("hello"), &why));
	assert_ok(resumable_flush(r, &why));
	assert_int_equal(sync_calls, before);
	assert_ok(resumable_sync(r, &why));
	assert_int_equal(sync_calls, before + 2);
	assert_ok(resumable_sync(r, &why)); /* all is durable already */
	assert_int_equal(sync_calls, before + 2);
	resumable_close(r);
}

static void a_long_upload_is_synced_by_itself(void **state)
{
	struct resumable *r;
	int64_t n = 0;

	(void)state;
	create(ID);
	r = opened(ID, 0, false);
	for (; n < STORE_DISK_SYNC_EVERY + 2 * LARGE; n += LARGE)
		assert_ok(resumable_write(r, large_from(0, LARGE), &why));
	reboot();
	assert_true(offset_of(ID) >= STORE_DISK_SYNC_EVERY);
	assert_true(offset_of(ID) < STORE_DISK_SYNC_EVERY + LARGE);
	resumable_close(r);
}

static void write_file(const char *name, struct span bytes)
{
	FILE *f = fopen(at(name), "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes.p, 1, bytes.len, f), bytes.len);
	assert_int_equal(fclose(f), 0);
}

/* Contents that a loss of power may leave of a file that was just created */
static void a_lost_checkpoint_means_that_no_byte_counts(void **state)
{
	const struct span lost[] = { SPAN(""),
				     SPAN("ghpart1"),
				     { large, 4096 } };

	(void)state;
	create(ID);
	append(ID, 0, 100);
	for (size_t i = 0; i < COUNT(lost); i++) {
		struct resumable *older = opened(ID, 100, false);

		write_file("incoming/" ID ".mark", lost[i]);
		assert_int_equal(offset_of(ID), 0);
		append(ID, 0, 100);
		assert_ok(resumable_write(older, SPAN("x"), &why));
		assert_err(resumable_flush(older, &why), ERR_CONFLICT);
		resumable_close(older);
		assert_file("incoming/" ID, large_from(0, 100));
	}
}

/* --- a disk that fails ---------------------------------------------------- */

/* Write all of `large`, in three requests */
static enum err write_all(void)
{
	static const int64_t ends[] = { 1000, 2 * STORE_DISK_BUFFER, LARGE };
	enum err e = ERR_OK;

	for (size_t i = 0; i < COUNT(ends) && e == ERR_OK; i++) {
		struct resumable *r = NULL;
		int64_t from = i > 0 ? ends[i - 1] : 0;

		e = resumable_open(store, ID, &from, i == 1, &r, &why);
		if (e == ERR_OK)
			e = resumable_write(r, large_from(from, ends[i]), &why);
		if (e == ERR_OK)
			e = resumable_sync(r, &why);
		resumable_close(r);
	}
	return e;
}

/* The same, while call number `n` and all after it fail; false if there were
 * fewer calls */
static bool write_failing(int n, int errno_, enum err want)
{
	enum err e;

	has_failed = false;
	calls_left = n;
	fail_with = errno_;
	e = write_all();
	calls_left = NEVER;
	if (!has_failed) {
		assert_ok(e);
		return false;
	}
	assert_err(e, want);
	assert_contains(why.text, strerror(errno_));
	return true;
}

static void a_failure_at_any_step_keeps_the_bytes_that_counted(void **state)
{
	static const struct {
		int number;
		enum err e;
	} errors[] = { { ENOSPC, ERR_FULL },
		       { EDQUOT, ERR_FULL },
		       { EIO, ERR_IO } };

	(void)state;
	for (size_t i = 0; i < COUNT(errors); i++) {
		size_t files = open_files();
		int64_t most = 0;
		int n = 0;

		for (;; n++) {
			create(ID);
			if (!write_failing(n, errors[i].number, errors[i].e))
				break;
			assert_true(offset_of(ID) >= most);
			most = offset_of(ID);
			append(ID, most, LARGE);
			assert_file("incoming/" ID, large_from(0, LARGE));
			assert_int_equal(open_files(), files);
			assert_ok(resumable_remove(store, ID, &why));
		}
		assert_true(n > 10);
		assert_ok(resumable_remove(store, ID, &why));
	}
}

static int killed_at; /* the number of the call before which the process ends */

static int write_all_killed(void)
{
	calls_left = killed_at;
	fail_with = 0;
	return write_all() == ERR_OK ? 0 : 1;
}

static void a_kill_before_any_step_keeps_the_bytes_that_counted(void **state)
{
	int64_t most = 0;
	int status;

	(void)state;
	for (killed_at = 0;; killed_at++) {
		create(ID);
		status = in_a_process(write_all_killed);
		if (status == 0)
			break;
		assert_killed(status);
		assert_true(offset_of(ID) >= most);
		most = offset_of(ID);
		append(ID, most, LARGE);
		assert_file("incoming/" ID, large_from(0, LARGE));
		assert_ok(resumable_remove(store, ID, &why));
	}
	assert_true(killed_at > 10);
	assert_int_equal(offset_of(ID), LARGE);
}

static void an_upload_that_cannot_be_created_leaves_no_file(void **state)
{
	(void)state;
	for (int n = 0; n < 2; n++) {
		calls_left = n;
		fail_with = ENOSPC;
		assert_err(resumable_create(store, ID, &why), ERR_FULL);
		calls_left = NEVER;
		assert_int_equal(folder_files(dir), 0);
	}
	create(ID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(the_files_of_an_upload_are_closed_to_others),
		STORE_TEST(a_full_buffer_is_written_and_counts),
		STORE_TEST(a_short_write_is_continued),
		STORE_TEST(writers_that_wait_share_one_buffer),
		STORE_TEST(a_writer_that_is_closed_returns_its_buffer),
		STORE_TEST(a_newer_writer_replaces_one_with_unwritten_bytes),
		STORE_TEST(no_file_stays_open),
		STORE_TEST(an_older_writer_does_not_write_the_checkpoint),
		STORE_TEST(
			processes_that_replace_each_other_never_mix_their_bytes),
		STORE_TEST(a_removed_upload_leaves_no_file),
		STORE_TEST(a_writer_that_waited_for_a_removal_finds_no_upload),
		STORE_TEST(
			bytes_before_a_tentative_writer_survive_a_loss_of_power),
		STORE_TEST(written_bytes_count_after_a_kill),
		STORE_TEST(the_hash_is_right_after_a_kill_between_checkpoints),
		STORE_TEST(synced_bytes_count_after_a_loss_of_power),
		STORE_TEST(synced_bytes_alone_count_if_the_boot_has_no_name),
		STORE_TEST(tentative_bytes_do_not_count_after_a_kill),
		STORE_TEST(
			a_sync_makes_the_bytes_durable_and_then_the_checkpoint),
		STORE_TEST(a_long_upload_is_synced_by_itself),
		STORE_TEST(a_lost_checkpoint_means_that_no_byte_counts),
		STORE_TEST(a_failure_at_any_step_keeps_the_bytes_that_counted),
		STORE_TEST(a_kill_before_any_step_keeps_the_bytes_that_counted),
		STORE_TEST(an_upload_that_cannot_be_created_leaves_no_file),
	};

	return RUN(tests);
}
