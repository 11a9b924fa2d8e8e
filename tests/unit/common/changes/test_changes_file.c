#include "common/changes/changes_file.h"
#include "tests/unit/unit.h"

#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[256], path[300];
static struct changes_file *f;

static int set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	(void)snprintf(dir, sizeof(dir), "%.200s/gatehouse-unit.XXXXXX",
		       tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/changed", dir);
	assert_ok(changes_file_open(path, CHANGES_CREATE, &f, NULL));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	changes_file_close(f);
	(void)unlink(path);
	assert_int_equal(rmdir(dir), 0);
	return 0;
}

static struct change_key key(const char *id)
{
	return change_key_of_text(span_of(id));
}

static bool note(struct changes_note *out)
{
	return changes_note(f, key("session"), change_key_of_number(42), out);
}

static void change(struct change_key k)
{
	changes_begin(f, k);
	changes_end(f, k);
}

static void a_note_holds_until_one_of_its_keys_changes(void **state)
{
	struct changes_note n;

	(void)state;
	assert_true(note(&n));
	assert_true(changes_note_holds(f, &n));
	change(key("another"));
	change(change_key_of_number(43));
	assert_true(changes_note_holds(f, &n));
	change(key("session"));
	assert_false(changes_note_holds(f, &n));
	assert_true(note(&n));
	change(change_key_of_number(42));
	assert_false(changes_note_holds(f, &n));
	assert_true(note(&n));
	change(change_key_of_all());
	assert_false(changes_note_holds(f, &n));
}

static void from_the_beginning_of_a_change_to_its_end_no_note_can_be_made(
	void **state)
{
	struct changes_note before, during;

	(void)state;
	assert_true(note(&before));
	changes_begin(f, key("session"));
	assert_false(changes_note_holds(f, &before));
	assert_false(note(&during));
	/* two changes at once: until the last has ended */
	changes_begin(f, key("session"));
	changes_end(f, key("session"));
	assert_false(note(&during));
	changes_end(f, key("session"));
	assert_true(note(&during));
	assert_false(changes_note_holds(f, &before));
}

static void a_reader_sees_the_changes_of_another_process(void **state)
{
	struct changes_file *reader = NULL;
	struct changes_note n;
	pid_t child;
	int status;

	(void)state;
	assert_ok(changes_file_open(path, CHANGES_READ, &reader, NULL));
	assert_string_equal(changes_file_id(reader), changes_file_id(f));
	assert_int_equal(strlen(changes_file_id(f)), CHANGES_ID);
	assert_true(changes_note(reader, key("a"), key("a"), &n));
	child = fork();
	if (child == 0) {
		change(key("a"));
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_false(changes_note_holds(reader, &n));
	assert_true(changes_note(reader, key("a"), key("a"), &n));
	changes_file_close(reader);
}

static void a_writer_that_is_killed_leaves_its_keys_unusable(void **state)
{
	struct changes_file *again = NULL;
	struct changes_note n;
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0) {
		changes_begin(f, key("session"));
		(void)raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_false(note(&n));
	change(key("session"));
	assert_false(note(&n));
	assert_true(changes_note(f, key("another"), key("another"), &n));
	/* also for who opens the file later */
	assert_ok(changes_file_open(path, CHANGES_CREATE, &again, NULL));
	assert_false(changes_note(again, key("session"), key("session"), &n));
	changes_file_close(again);
}

static void a_file_is_made_by_who_may_and_kept_by_the_next(void **state)
{
	struct changes_file *g = NULL;
	struct errmsg why = { "" };
	struct stat st;
	char other[310];

	(void)state;
	(void)snprintf(other, sizeof(other), "%s.2", path);
	assert_err(changes_file_open(other, CHANGES_READ, &g, NULL),
		   ERR_NOT_FOUND);
	assert_err(changes_file_open(other, CHANGES_WRITE, &g, NULL),
		   ERR_NOT_FOUND);
	assert_ok(changes_file_open(other, CHANGES_CREATE, &g, NULL));
	assert_string_not_equal(changes_file_id(g), changes_file_id(f));
	changes_file_close(g);
	assert_int_equal(stat(other, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_equal(truncate(other, 10), 0);
	assert_err(changes_file_open(other, CHANGES_READ, &g, &why),
		   ERR_CONFIG);
	assert_contains(why.text, "CHANGES_DIR");
	assert_int_equal(truncate(other, st.st_size), 0);
	assert_err(changes_file_open(other, CHANGES_READ, &g, &why),
		   ERR_CONFIG);
	assert_contains(why.text, "not a file of changes");
	assert_int_equal(unlink(other), 0);
}

static void keys_spread_over_the_counters(void **state)
{
	static unsigned char seen[CHANGES_COUNTERS];
	size_t used = 0;

	(void)state;
	for (uint64_t i = 0; i < CHANGES_COUNTERS; i++)
		seen[change_key_of_number(i).hash] = 1;
	for (size_t i = 0; i < CHANGES_COUNTERS; i++)
		used += seen[i];
	assert_int_equal(seen[change_key_of_all().hash], 0);
	assert_true(used > CHANGES_COUNTERS / 2);
}

#define IN_FOLDER(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(a_note_holds_until_one_of_its_keys_changes),
		IN_FOLDER(
			from_the_beginning_of_a_change_to_its_end_no_note_can_be_made),
		IN_FOLDER(a_reader_sees_the_changes_of_another_process),
		IN_FOLDER(a_writer_that_is_killed_leaves_its_keys_unusable),
		IN_FOLDER(a_file_is_made_by_who_may_and_kept_by_the_next),
		IN_FOLDER(keys_spread_over_the_counters),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
