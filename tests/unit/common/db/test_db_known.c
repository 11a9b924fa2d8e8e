/* Rows that one process remembers while another changes them: here two pools. */
#include "common/base/worker_slots.h"
#include "common/db/db_known.h"
#include "tests/unit/mariadb.h"
#include "tests/unit/schema.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char dir[256], path[300];
static struct db *writer, *reader;
static struct errmsg why;

#define KEY change_key_of_text(SPAN("x"))

static struct db *opened(enum db_known_role role, const char *folder)
{
	const struct db_known_config c = { .of = DB_KNOWN_SESSIONS,
					   .role = role,
					   .dir = folder,
					   .row_size = sizeof(int64_t) };
	struct db *db = mariadb_pool(2);

	assert_ok(db_known_open(db, &c, &why));
	return db;
}

static void set_name(const char *name, int64_t since)
{
	assert_ok(db_change(
		reader, "UPDATE session_changes SET file = ?, since = ?",
		DB_IN(db_text(span_of(name)), db_int(since)), &why));
}

static void name_is(const char *want)
{
	char name[CHANGES_ID + 1];

	assert_ok(db_row(reader, "SELECT file FROM session_changes", DB_NONE,
			 DB_OUT(db_to_text(name, sizeof(name))), &why));
	assert_string_equal(name, want);
}

static void file_name(char out[static CHANGES_ID + 1])
{
	struct changes_file *f = NULL;

	assert_ok(changes_file_open(path, CHANGES_READ, &f, &why));
	(void)snprintf(out, CHANGES_ID + 1, "%s", changes_file_id(f));
	changes_file_close(f);
}

static enum err change(struct db *db, int64_t ignored)
{
	return db_change_of(db, DB_KNOWN_SESSIONS, KEY,
			    "UPDATE session_changes SET id = id WHERE id <> ?",
			    DB_IN(db_int(ignored)), &why);
}

static int make_tables(void **state)
{
	(void)state;
	schema_auth("080-session-changes");
	return 0;
}

static int set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char id[CHANGES_ID + 1];

	(void)state;
	(void)snprintf(dir, sizeof(dir), "%.200s/gatehouse-unit.XXXXXX",
		       tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/changed-sessions", dir);
	writer = opened(DB_KNOWN_SERVICE, dir);
	reader = opened(DB_KNOWN_READER, dir);
	file_name(id);
	set_name(id, 1); /* in force for long */
	assert_ok(change(writer, 0));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	set_name("", 0);
	db_close(reader);
	db_close(writer);
	(void)unlink(path);
	assert_int_equal(rmdir(dir), 0);
	return 0;
}

static void remember(int64_t row)
{
	struct row_note note;

	db_known_note(reader, DB_KNOWN_SESSIONS, KEY, KEY, &note);
	db_known_keep(reader, DB_KNOWN_SESSIONS, SPAN("x"), &row, &note);
}

static bool knows(void)
{
	int64_t row = 0;

	return db_known_find(reader, DB_KNOWN_SESSIONS, SPAN("x"), &row) &&
	       row == 42;
}

static void begin_change(struct db_conn **out)
{
	assert_ok(db_begin_change(writer, out, &why));
	assert_ok(db_tx_change_of(*out, DB_KNOWN_SESSIONS, KEY,
				  "UPDATE session_changes SET id = id", DB_NONE,
				  &why));
}

static void a_transaction_of_many_keys_is_a_change_of_all_rows(void **state)
{
	struct change_key other = change_key_of_text(SPAN("other"));
	struct db_conn *c;

	(void)state;
	for (int keys = 1; keys <= DB_KNOWN_KEYS + 1; keys++) {
		remember(42);
		assert_ok(db_begin_change(writer, &c, &why));
		for (int i = 0; i < keys; i++)
			assert_ok(db_tx_change_of(
				c, DB_KNOWN_SESSIONS, other,
				"UPDATE session_changes SET id = id", DB_NONE,
				&why));
		assert_ok(db_commit(c, &why));
		assert_true(knows() == (keys <= DB_KNOWN_KEYS));
	}
}

static void a_row_is_known_until_a_change_of_its_key(void **state)
{
	(void)state;
	remember(42);
	assert_true(knows());
	assert_ok(change(writer, 0));
	assert_false(knows());
	remember(42);
	assert_true(knows());
	/* of a change that found no row, nothing is lost but the memory */
	assert_err(change(writer, 1), ERR_NOT_FOUND);
	assert_false(knows());
}

static void a_row_that_was_noted_before_a_change_is_not_known(void **state)
{
	struct row_note note;
	int64_t row = 42;

	(void)state;
	db_known_note(reader, DB_KNOWN_SESSIONS, KEY, KEY, &note);
	assert_non_null(note.file);
	assert_ok(change(writer, 0));
	db_known_keep(reader, DB_KNOWN_SESSIONS, SPAN("x"), &row, &note);
	assert_false(knows());
	/* its last value can be read nevertheless */
	row = 0;
	assert_true(db_known_last(reader, DB_KNOWN_SESSIONS, SPAN("x"), &row));
	assert_int_equal(row, 42);
}

static void a_transaction_is_announced_by_its_commit_alone(void **state)
{
	struct db_conn *c;

	(void)state;
	remember(42);
	begin_change(&c);
	assert_true(knows());
	db_rollback(c);
	assert_true(knows());
	begin_change(&c);
	assert_ok(db_commit(c, &why));
	assert_false(knows());
	/* the connection's next transaction announces nothing */
	remember(42);
	assert_ok(db_begin_change(writer, &c, &why));
	assert_ok(db_commit(c, &why));
	assert_true(knows());
}

static void a_commit_of_unknown_result_leaves_the_key_unusable(void **state)
{
	int64_t id = 0;
	struct db_conn *c;

	(void)state;
	remember(42);
	begin_change(&c);
	assert_ok(db_tx_row(c, "SELECT CONNECTION_ID()", DB_NONE,
			    DB_OUT(db_to_int(&id)), &why));
	/* it changes no row */
	assert_err(db_change(reader, "KILL ?", DB_IN(db_int(id)), &why),
		   ERR_NOT_FOUND);
	assert_err(db_commit(c, &why), ERR_UNAVAILABLE);
	assert_false(knows());
	remember(42);
	assert_false(knows());
}

static void forgetting_is_for_all_rows(void **state)
{
	(void)state;
	remember(42);
	assert_ok(db_known_forget(writer, DB_KNOWN_SESSIONS, &why));
	assert_false(knows());
	remember(42);
	assert_true(knows());
}

static void a_tool_of_the_same_folder_is_heard(void **state)
{
	struct db *tool = opened(DB_KNOWN_TOOL, dir);

	(void)state;
	remember(42);
	assert_ok(change(tool, 0));
	assert_false(knows());
	db_close(tool);
}

/* It waits until every other process has noticed */
static void a_tool_without_the_folder_ends_all_remembering(void **state)
{
	struct db *tool = opened(DB_KNOWN_TOOL, "");

	(void)state;
	remember(42);
	assert_true(knows());
	assert_ok(change(tool, 0));
	assert_false(knows());
	name_is("");
	remember(42);
	assert_false(knows());
	/* and the service does not begin again by itself */
	assert_ok(change(writer, 0));
	name_is("");
	db_close(tool);
}

static void a_service_writes_the_name_of_its_file(void **state)
{
	char id[CHANGES_ID + 1];
	struct db *other;

	(void)state;
	file_name(id);
	set_name("", 0);
	other = opened(DB_KNOWN_SERVICE, dir);
	assert_ok(change(other, 0));
	name_is(id);
	/* rows are remembered when writers without the file must have noticed */
	remember(42);
	assert_false(knows());
	db_close(other);
}

static void a_service_without_a_folder_clears_the_name(void **state)
{
	struct db *other = opened(DB_KNOWN_SERVICE, "");

	(void)state;
	remember(42);
	assert_ok(change(other, 0));
	name_is("");
	assert_false(knows());
	db_close(other);
}

static void two_services_of_two_folders_remember_nothing(void **state)
{
	char other_dir[300], other_path[400];
	struct db *other;

	(void)state;
	(void)snprintf(other_dir, sizeof(other_dir), "%s.2", dir);
	assert_int_equal(mkdir(other_dir, 0700), 0);
	assert_ok(change(writer, 0)); /* has its place */
	other = opened(DB_KNOWN_SERVICE, other_dir);
	remember(42);
	assert_ok(change(other, 0)); /* takes it */
	assert_false(knows());
	assert_ok(change(writer, 0)); /* sees that */
	name_is("");
	assert_true(db_known_fault(writer, &why));
	assert_contains(why.text, "CHANGES_DIR");
	assert_false(db_known_fault(writer, &why));
	db_close(other);
	(void)snprintf(other_path, sizeof(other_path), "%s/changed-sessions",
		       other_dir);
	assert_int_equal(unlink(other_path), 0);
	assert_int_equal(rmdir(other_dir), 0);
}

static bool remembers_anything(void)
{
	struct change_key other = change_key_of_text(SPAN("y"));
	struct row_note note;

	db_known_note(reader, DB_KNOWN_SESSIONS, other, other, &note);
	return note.file != NULL;
}

/* What was changed while it was not in force, no one has announced in it */
static void a_file_that_is_in_force_again_knows_nothing_of_before(void **state)
{
	struct db *tool = opened(DB_KNOWN_TOOL, ""), *again;
	char id[CHANGES_ID + 1];

	(void)state;
	file_name(id);
	remember(42);
	assert_ok(change(tool, 0));
	db_close(tool);
	again = opened(DB_KNOWN_SERVICE, dir);
	assert_ok(db_change_of(
		again, DB_KNOWN_SESSIONS, change_key_of_text(SPAN("other")),
		"UPDATE session_changes SET id = id", DB_NONE, &why));
	name_is(id);
	set_name(id, 1); /* for long */
	for (int i = 0; i < 100 && !remembers_anything(); i++)
		sleep_ms(50);
	assert_true(remembers_anything());
	assert_false(knows());
	db_close(again);
}

/* Another process has just ended remembering, and still waits itself */
static void who_finds_no_file_since_a_moment_waits_too(void **state)
{
	struct db *tool = opened(DB_KNOWN_TOOL, "");

	(void)state;
	remember(42);
	set_name("", time(NULL));
	assert_ok(change(tool, 0));
	assert_false(knows());
	db_close(tool);
}

static void *change_in_thread(void *tool)
{
	struct errmsg ignored;

	(void)!db_change_of(tool, DB_KNOWN_SESSIONS, KEY,
			    "UPDATE session_changes SET id = id", DB_NONE,
			    &ignored);
	db_thread_end();
	return NULL;
}

static void who_has_waited_looks_again(void **state)
{
	struct db *tool = opened(DB_KNOWN_TOOL, "");
	char id[CHANGES_ID + 1], name[CHANGES_ID + 1] = "x";
	pthread_t thread;

	(void)state;
	file_name(id);
	assert_int_equal(pthread_create(&thread, NULL, change_in_thread, tool),
			 0);
	for (int i = 0; i < 100 && name[0] != '\0'; i++) {
		sleep_ms(10);
		assert_ok(db_row(reader, "SELECT file FROM session_changes",
				 DB_NONE,
				 DB_OUT(db_to_text(name, sizeof(name))), &why));
	}
	name_is("");
	set_name(id, time(NULL)); /* a service that starts */
	assert_int_equal(pthread_join(thread, NULL), 0);
	name_is("");
	db_close(tool);
}

struct request {
	struct worker_slots *slots;
	struct db *db;
	atomic_int *entered;
	enum err e;
};

static void *change_in_request(void *arg)
{
	struct request *r = arg;
	struct errmsg ignored;

	worker_enter(r->slots, WORKER_READS);
	(void)atomic_fetch_add(r->entered, 1);
	r->e = db_change_of(r->db, DB_KNOWN_SESSIONS, KEY,
			    "UPDATE session_changes SET id = id", DB_NONE,
			    &ignored);
	worker_leave();
	db_thread_end();
	return NULL;
}

/* One request waits for a connection to check, another for that check: a third
 * can work, or the first would wait for its slot, and the second for the first.
 * Slots are handed out after 10 seconds in any case; a connection is waited for
 * for 5. */
static void who_waits_for_a_check_has_no_slot(void **state)
{
	const struct db_known_config config = { .of = DB_KNOWN_SESSIONS,
						.role = DB_KNOWN_TOOL,
						.dir = dir };
	struct db *one = mariadb_pool_for(1, 5);
	atomic_int entered = 0;
	struct request r[2] = { { .db = one, .entered = &entered },
				{ .db = one, .entered = &entered } };
	pthread_t threads[2];
	struct db_conn *c;

	(void)state;
	assert_ok(db_known_open(one, &config, &why));
	assert_ok(worker_slots_new(1, 1, &r[0].slots));
	r[1].slots = r[0].slots;
	assert_ok(db_begin(one, &c, &why));
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
						change_in_request, &r[i]),
				 0);
	while (atomic_load(&entered) < 2)
		sleep_ms(1);
	worker_enter(r[0].slots, WORKER_READS);
	db_rollback(c);
	worker_leave();
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_ok(r[i].e);
	}
	worker_slots_free(r[0].slots);
	db_close(one);
}

/* A thread that holds the share of user 7 of a pool of two connections */
struct holder {
	struct db *db;
	atomic_int step; /* 1: holds it; 2: may end */
};

static void *hold(void *arg)
{
	struct holder *h = arg;
	struct db_conn *c;
	enum err e;

	db_act_for(7);
	e = db_begin(h->db, &c, NULL);
	atomic_store(&h->step, 1);
	while (atomic_load(&h->step) != 2)
		sleep_ms(1);
	if (e == ERR_OK)
		db_rollback(c);
	db_thread_end();
	return NULL;
}

static void *note_for_seven(void *arg)
{
	struct request *r = arg;
	struct row_note note;

	db_act_for(7);
	db_known_note(r->db, DB_KNOWN_SESSIONS, KEY, KEY, &note);
	r->e = note.file != NULL ? ERR_OK : ERR_UNAVAILABLE;
	db_thread_end();
	return NULL;
}

/* All wait for it, not only the user whose request is the next */
static void a_check_is_in_no_share(void **state)
{
	const struct db_known_config config = { .of = DB_KNOWN_SESSIONS,
						.role = DB_KNOWN_READER,
						.dir = dir,
						.row_size = sizeof(int64_t) };
	struct holder h = { .db = mariadb_pool_for(2, 1) };
	struct request r = { .db = h.db };
	pthread_t holder, thread;

	(void)state;
	assert_ok(db_known_open(h.db, &config, &why));
	assert_int_equal(pthread_create(&holder, NULL, hold, &h), 0);
	while (atomic_load(&h.step) != 1)
		sleep_ms(1);
	assert_int_equal(pthread_create(&thread, NULL, note_for_seven, &r), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	atomic_store(&h.step, 2);
	assert_int_equal(pthread_join(holder, NULL), 0);
	assert_ok(r.e);
	db_close(h.db);
}

/* Others may be using rows by a name that this process did not see */
static void without_a_check_there_is_no_change(void **state)
{
	struct db *tool = opened(DB_KNOWN_TOOL, "");
	struct db_conn *c = NULL;
	enum err alone, within;

	(void)state;
	(void)!db_change(reader, "RENAME TABLE session_changes TO hidden",
			 DB_NONE, &why);
	alone = db_change_of(tool, DB_KNOWN_SESSIONS, KEY,
			     "UPDATE hidden SET id = id", DB_NONE, &why);
	within = db_begin_change(tool, &c, &why);
	if (within == ERR_OK)
		db_rollback(c);
	(void)!db_change(reader, "RENAME TABLE hidden TO session_changes",
			 DB_NONE, NULL);
	assert_err(alone, ERR_IO);
	assert_err(within, ERR_IO);
	assert_contains(why.text, "session_changes");
	/* not a second later: at once */
	assert_ok(change(tool, 0));
	name_is("");
	db_close(tool);
}

static void a_reader_waits_for_the_file_of_the_service(void **state)
{
	char id[CHANGES_ID + 1];
	struct db *early;
	int64_t row = 42;
	struct row_note note;

	(void)state;
	assert_int_equal(unlink(path), 0);
	early = opened(DB_KNOWN_READER, dir);
	db_known_note(early, DB_KNOWN_SESSIONS, KEY, KEY, &note);
	assert_null(note.file);
	db_close(writer);
	writer = opened(DB_KNOWN_SERVICE, dir);
	file_name(id);
	set_name(id, 1);
	/* within two checks */
	for (int i = 0; i < 100 && note.file == NULL; i++) {
		sleep_ms(50);
		db_known_note(early, DB_KNOWN_SESSIONS, KEY, KEY, &note);
	}
	assert_non_null(note.file);
	db_known_keep(early, DB_KNOWN_SESSIONS, SPAN("x"), &row, &note);
	assert_true(db_known_find(early, DB_KNOWN_SESSIONS, SPAN("x"), &row));
	assert_ok(change(writer, 0));
	assert_false(db_known_find(early, DB_KNOWN_SESSIONS, SPAN("x"), &row));
	db_close(early);
}

static int mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[1024];
	int n = 0;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL)
		n += strstr(line, path) != NULL;
	(void)fclose(maps);
	return n;
}

/* It looks for another file every second, and the number of files that it can
 * open is limited */
static void a_reader_opens_the_same_file_once(void **state)
{
	int before;
	int64_t ignored;

	(void)state;
	before = mappings();
	assert_true(before > 0);
	set_name("another", 1);
	for (int i = 0; i < 100 && remembers_anything(); i++)
		sleep_ms(50);
	assert_false(remembers_anything());
	assert_false(
		db_known_find(reader, DB_KNOWN_SESSIONS, SPAN("x"), &ignored));
	assert_int_equal(mappings(), before);
}

static void a_folder_that_is_missing_is_an_error(void **state)
{
	const struct db_known_config c = { .of = DB_KNOWN_FILES,
					   .role = DB_KNOWN_SERVICE,
					   .dir = "/nonexistent/folder" };

	(void)state;
	assert_err(db_known_open(writer, &c, &why), ERR_CONFIG);
	assert_contains(why.text, "CHANGES_DIR");
	assert_err(db_known_check("/nonexistent/folder", &why), ERR_CONFIG);
	assert_ok(db_known_check(dir, &why));
	assert_ok(db_known_check("", &why));
}

#define IN_FOLDER(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(a_row_is_known_until_a_change_of_its_key),
		IN_FOLDER(a_row_that_was_noted_before_a_change_is_not_known),
		IN_FOLDER(a_transaction_is_announced_by_its_commit_alone),
		IN_FOLDER(a_transaction_of_many_keys_is_a_change_of_all_rows),
		IN_FOLDER(a_commit_of_unknown_result_leaves_the_key_unusable),
		IN_FOLDER(forgetting_is_for_all_rows),
		IN_FOLDER(a_tool_of_the_same_folder_is_heard),
		IN_FOLDER(a_tool_without_the_folder_ends_all_remembering),
		IN_FOLDER(a_service_writes_the_name_of_its_file),
		IN_FOLDER(a_service_without_a_folder_clears_the_name),
		IN_FOLDER(two_services_of_two_folders_remember_nothing),
		IN_FOLDER(
			a_file_that_is_in_force_again_knows_nothing_of_before),
		IN_FOLDER(who_finds_no_file_since_a_moment_waits_too),
		IN_FOLDER(who_has_waited_looks_again),
		IN_FOLDER(who_waits_for_a_check_has_no_slot),
		IN_FOLDER(a_check_is_in_no_share),
		IN_FOLDER(without_a_check_there_is_no_change),
		IN_FOLDER(a_reader_waits_for_the_file_of_the_service),
		IN_FOLDER(a_reader_opens_the_same_file_once),
		IN_FOLDER(a_folder_that_is_missing_is_an_error),
	};

	(void)argc;
	mariadb_needed(argv);
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, make_tables, NULL);
}
