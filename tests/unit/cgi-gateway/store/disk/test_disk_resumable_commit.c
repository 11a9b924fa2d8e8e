/* How the commit of a resumable upload survives failures of a disk. */
#include "tests/unit/cgi-gateway/store/disk/failing_disk.h"

static void assert_no_file_left(void)
{
	assert_committed();
	assert_int_equal(folder_files(at("incoming")), 0);
}

/* --- between two steps ---------------------------------------------------- */

static void bytes_that_a_kill_left_are_hashed_and_synced(void **state)
{
	struct resumable *r;
	int before;

	(void)state;
	create(ID);
	append(ID, 0, 10);
	r = opened(ID, 10, false);
	assert_ok(resumable_write(r, large_from(10, LARGE), &why));
	assert_ok(resumable_flush(r, &why));
	resumable_close(r); /* as a kill would */
	before = sync_calls;
	resumable_commit_leave(opened_commit(ID, large_from(0, LARGE)));
	assert_true(sync_calls > before);
	commit(ID, large_from(0, LARGE));
	assert_no_file_left();
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

/* Its bytes were synced before they were placed; the checkpoint may be older */
static void a_placed_upload_survives_a_loss_of_power(void **state)
{
	struct resumable_commit *c;

	(void)state;
	create(ID);
	append(ID, 0, 10);
	copy("incoming/" ID ".mark", "old");
	append(ID, 10, LARGE);
	c = opened_commit(ID, large_from(0, LARGE));
	assert_ok(resumable_commit_place(c, &why));
	resumable_commit_leave(c);
	copy("old", "incoming/" ID ".mark");
	assert_int_equal(unlink(at("old")), 0);
	reboot();
	assert_int_equal(offset_of(ID), LARGE);
	commit(ID, large_from(0, LARGE));
	assert_no_file_left();
}

static enum err commit_once(void)
{
	unsigned char sum[SHA256_LEN];
	struct resumable_commit *c = NULL;
	enum err e = resumable_commit_begin(store, ID, LARGE, &c, sum, &why);

	if (e != ERR_OK)
		return e;
	e = resumable_commit_place(c, &why);
	if (e == ERR_OK)
		resumable_commit_end(c);
	else
		resumable_commit_leave(c);
	return e;
}

/* An upload with bytes beyond its checkpoint, which the commit has to hash */
static void write_beyond_checkpoint(void)
{
	struct resumable *r;

	create(ID);
	append(ID, 0, 10);
	r = opened(ID, 10, false);
	assert_ok(resumable_write(r, large_from(10, LARGE), &why));
	assert_ok(resumable_flush(r, &why));
	resumable_close(r);
}

static void a_failure_at_any_step_leaves_the_upload_for_another_try(
	void **state)
{
	size_t files = open_files();
	int n = 0;

	(void)state;
	for (;; n++) {
		enum err e;

		write_beyond_checkpoint();
		has_failed = false;
		calls_left = n;
		fail_with = ENOSPC;
		e = commit_once();
		calls_left = NEVER;
		if (!has_failed)
			break;
		assert_err(e, ERR_FULL);
		assert_int_equal(offset_of(ID), LARGE);
		assert_ok(commit_once());
		assert_no_file_left();
		assert_int_equal(open_files(), files);
		assert_ok(store_remove(store, ID, &why));
		assert_int_equal(rmdir(at("objects/ab")), 0);
	}
	assert_true(n > 5);
}

static int killed_at;

static int commit_killed(void)
{
	calls_left = killed_at;
	fail_with = 0;
	return commit_once() == ERR_OK ? 0 : 1;
}

static void a_kill_at_any_step_leaves_the_upload_for_another_try(void **state)
{
	int status;

	(void)state;
	for (killed_at = 0;; killed_at++) {
		write_beyond_checkpoint();
		status = in_a_process(commit_killed);
		if (status == 0)
			break;
		assert_killed(status);
		assert_int_equal(offset_of(ID), LARGE);
		assert_ok(commit_once());
		assert_no_file_left();
		assert_ok(store_remove(store, ID, &why));
		assert_int_equal(rmdir(at("objects/ab")), 0);
	}
	assert_true(killed_at > 5);
	assert_no_file_left();
}

static void a_removed_upload_leaves_no_file(void **state)
{
	struct resumable_commit *c;

	(void)state;
	create(ID);
	append(ID, 0, LARGE);
	c = opened_commit(ID, large_from(0, LARGE));
	assert_ok(resumable_remove(store, ID, &why));
	assert_err(resumable_commit_place(c, &why), ERR_IO);
	resumable_commit_leave(c);
	assert_int_equal(folder_files(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(bytes_that_a_kill_left_are_hashed_and_synced),
		STORE_TEST(a_placed_upload_survives_a_loss_of_power),
		STORE_TEST(
			a_failure_at_any_step_leaves_the_upload_for_another_try),
		STORE_TEST(
			a_kill_at_any_step_leaves_the_upload_for_another_try),
		STORE_TEST(a_removed_upload_leaves_no_file),
	};

	return RUN(tests);
}
