#include "files.h"
#include "file_table.h"

#include <time.h>

enum { NOW = 1767225600, ANN = 42, BOB = 43 };

static struct db *db;
static struct errmsg why;

static int open_db(void **state)
{
	(void)state;
	db = mariadb_pool(2);
	file_table_make(db);
	return 0;
}

static int close_db(void **state)
{
	(void)state;
	db_close(db);
	return 0;
}

static int clear(void **state)
{
	(void)state;
	why.text[0] = '\0';
	file_table_clear(db);
	return 0;
}

/* The file number `n` of an owner; a later number is a later id */
static struct file made(int n, uint64_t owner, const char *name)
{
	struct file f = {
		.owner = owner,
		.type = "text/plain",
		.size = n,
		.created_at = NOW,
		.expires_at = FILES_NEVER,
	};

	(void)snprintf(f.id, sizeof(f.id), "0190b3a2-%04x-7000-8000-%012x",
		       (unsigned)(n >> 16 & 0xffff), (unsigned)(n & 0xffff));
	(void)snprintf(f.name, sizeof(f.name), "%s", name);
	memset(f.sha256, n, sizeof(f.sha256));
	return f;
}

static void add(const struct file *f)
{
	assert_ok(files_add(db, f, 1, &why));
}

static enum err find(const struct file *f, uint64_t owner, int64_t now,
		     struct file *out)
{
	return files_find(db, span_of(f->id), owner, now, out, &why);
}

static void assert_same(const struct file *a, const struct file *b)
{
	assert_string_equal(a->id, b->id);
	assert_true(a->owner == b->owner);
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->type, b->type);
	assert_true(a->size == b->size);
	assert_memory_equal(a->sha256, b->sha256, SHA256_LEN);
	assert_true(a->created_at == b->created_at);
	assert_true(a->expires_at == b->expires_at);
}

/* --- add and find
 * ---------------------------------------------------------------- */

static void what_is_added_is_found_as_it_was(void **state)
{
	struct file f = made(1, UINT64_MAX, ""), got = { 0 };

	(void)state;
	/* as wide as each column is; 255 bytes of four-byte characters but 3 */
	for (int i = 0; i + 4 <= FILE_NAME_MAX; i += 4)
		memcpy(f.name + i, "\xf0\x9f\x98\x80", 4);
	memset(f.type, 'x', FILE_TYPE_MAX);
	f.type[4] = '/';
	f.size = INT64_MAX;
	for (int i = 0; i < SHA256_LEN; i++)
		f.sha256[i] = (unsigned char)(i * 8);
	f.expires_at = INT64_MAX;
	add(&f);
	assert_ok(find(&f, UINT64_MAX, NOW, &got));
	assert_same(&got, &f);
}

static void a_name_keeps_every_character(void **state)
{
	static const char *const names[] = {
		" blanks ",
		"'; DROP TABLE file; --",
		"a\"b",
		"a\\b%c_d!",
		"Gr\xc3\xbc\xc3\x9f",
		"e\xcc\x81",
		"trailing.",
		"\xef\xbb\xbf"
		"bom",
		"?",
	};
	struct file f, got;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		f = made((int)i + 1, ANN, names[i]);
		add(&f);
		assert_ok(find(&f, ANN, NOW, &got));
		assert_string_equal(got.name, names[i]);
	}
}

static void many_are_added_together(void **state)
{
	struct file files[100], got;

	(void)state;
	for (int i = 0; i < 100; i++)
		files[i] = made(i + 1, ANN, "same name");
	assert_ok(files_add(db, files, 100, &why));
	assert_int_equal(file_table_rows(db), 100);
	for (int i = 0; i < 100; i++) {
		assert_ok(find(&files[i], ANN, NOW, &got));
		assert_same(&got, &files[i]);
	}
}

static void of_many_all_are_added_or_none(void **state)
{
	struct file files[3] = { made(1, ANN, "a"), made(2, ANN, "b"),
				 made(3, ANN, "c") };
	struct file old = files[2], got;

	(void)state;
	(void)snprintf(old.name, sizeof(old.name), "old");
	add(&old);
	for (size_t count = 3; count > 1; count--) {
		/* the last of them is there already */
		files[count - 1] = files[2];
		assert_err(files_add(db, files, count, &why), ERR_CONFLICT);
		assert_int_equal(file_table_rows(db), 1);
	}
	assert_ok(find(&old, ANN, NOW, &got));
	assert_string_equal(got.name, "old");
	/* and the connection holds no half of a transaction */
	assert_ok(files_add(db, files, 1, &why));
	assert_int_equal(file_table_rows(db), 2);
}

static void a_row_that_the_table_does_not_take_takes_the_others_with_it(
	void **state)
{
	struct file files[2] = { made(1, ANN, "a"), made(2, ANN, "b") };

	(void)state;
	(void)snprintf(files[1].type, sizeof(files[1].type), "text/\xc3\xa4");
	assert_err(files_add(db, files, 2, &why), ERR_IO);
	assert_int_equal(file_table_rows(db), 0);
}

static void an_id_is_added_once(void **state)
{
	struct file f = made(1, ANN, "first"), again = made(1, BOB, "again");
	struct file got;

	(void)state;
	add(&f);
	assert_err(files_add(db, &again, 1, &why), ERR_CONFLICT);
	assert_ok(find(&f, ANN, NOW, &got));
	assert_string_equal(got.name, "first");
}

static void another_s_file_is_not_found(void **state)
{
	struct file f = made(1, ANN, "a"), got = { .size = -7 };

	(void)state;
	add(&f);
	assert_err(find(&f, BOB, NOW, &got), ERR_NOT_FOUND);
	assert_err(find(&f, 0, NOW, &got), ERR_NOT_FOUND);
	assert_int_equal(got.size, -7);
}

static void the_second_of_its_expiry_is_already_too_late(void **state)
{
	struct file f = made(1, ANN, "a"), got;

	(void)state;
	f.expires_at = NOW + 10;
	add(&f);
	assert_ok(find(&f, ANN, NOW + 9, &got));
	assert_err(find(&f, ANN, NOW + 10, &got), ERR_NOT_FOUND);
	assert_err(find(&f, ANN, NOW + 11, &got), ERR_NOT_FOUND);
}

static void a_file_without_expiry_stays(void **state)
{
	struct file f = made(1, ANN, "a"), got;

	(void)state;
	add(&f);
	assert_ok(find(&f, ANN, INT64_MAX, &got));
	assert_int_equal(got.expires_at, FILES_NEVER);
}

static void what_is_no_id_is_not_found(void **state)
{
	struct file f = made(10, ANN, "a"), got;
	static const char *const ids[] = {
		"",
		"0190b3a2",
		"0190B3A2-0000-7000-8000-00000000000A",
		"0190b3a2-0000-7000-8000-00000000000a ",
		"0190b3a2-0000-7000-8000-00000000000' OR 1 -- ",
		"%",
	};

	(void)state;
	add(&f);
	for (size_t i = 0; i < COUNT(ids); i++) {
		assert_err(
			files_find(db, span_of(ids[i]), ANN, NOW, &got, &why),
			ERR_NOT_FOUND);
		assert_err(files_remove(db, span_of(ids[i]), ANN, &why),
			   ERR_NOT_FOUND);
	}
	assert_int_equal(file_table_rows(db), 1);
}

/* --- the list
 * -------------------------------------------------------------------- */

struct listed {
	struct file row;
	size_t count;
	char names[1200][16];
	size_t stop_at; /* 0: never */
};

static char last[UUID_LEN + 1]; /* id of the last file that was noted */

static enum err note(void *arg)
{
	struct listed *l = arg;

	assert_true(l->count < COUNT(l->names));
	(void)snprintf(l->names[l->count++], sizeof(l->names[0]), "%.15s",
		       l->row.name);
	memcpy(last, l->row.id, sizeof(last));
	return l->count == l->stop_at ? ERR_QUOTA : ERR_OK;
}

/* The names, with a blank between two */
static void assert_listed(const struct listed *l, const char *want)
{
	char got[512] = "";
	size_t n = 0;

	for (size_t i = 0; i < l->count; i++)
		n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%s",
				      i > 0 ? " " : "", l->names[i]);
	assert_string_equal(got, want);
}

static struct listed l; /* large; one at a time */

static void list(struct files_page page)
{
	page.owner = page.owner != 0 ? page.owner : ANN;
	page.now = page.now != 0 ? page.now : NOW;
	page.limit = page.limit != 0 ? page.limit : FILES_LIST_MAX;
	l = (struct listed) { 0 };
	assert_ok(files_list(db, &page, &l.row, note, &l, &why));
}

static void add_named(int n, uint64_t owner, const char *name,
		      int64_t expires_at)
{
	struct file f = made(n, owner, name);

	f.expires_at = expires_at;
	add(&f);
}

static void a_list_is_newest_first_and_one_s_own(void **state)
{
	(void)state;
	list((struct files_page) { 0 });
	assert_listed(&l, "");
	add_named(2, ANN, "two", FILES_NEVER);
	add_named(3, BOB, "bob", FILES_NEVER);
	add_named(1, ANN, "one", FILES_NEVER);
	add_named(70000, ANN, "late", FILES_NEVER);
	list((struct files_page) { 0 });
	assert_listed(&l, "late two one");
	list((struct files_page) { .owner = BOB });
	assert_listed(&l, "bob");
	list((struct files_page) { .owner = 44 });
	assert_listed(&l, "");
}

static void what_has_expired_is_not_listed(void **state)
{
	(void)state;
	add_named(1, ANN, "past", NOW - 1);
	add_named(2, ANN, "now", NOW);
	add_named(3, ANN, "soon", NOW + 1);
	add_named(4, ANN, "never", FILES_NEVER);
	list((struct files_page) { 0 });
	assert_listed(&l, "never soon");
	list((struct files_page) { .part = SPAN("n") });
	assert_listed(&l, "never soon");
}

static void pages_show_each_file_once(void **state)
{
	char name[16];
	size_t seen = 0;
	struct files_page page = { .limit = 4 };
	char after[UUID_LEN + 1] = "";

	(void)state;
	for (int i = 1; i <= 10; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		add_named(i, ANN, name, FILES_NEVER);
		add_named(100 + i, BOB, "bob", FILES_NEVER);
	}
	do {
		page.after = span_of(after);
		list(page);
		for (size_t i = 0; i < l.count; i++) {
			(void)snprintf(name, sizeof(name), "n%zu", 10 - seen++);
			assert_string_equal(l.names[i], name);
		}
		memcpy(after, last, sizeof(after));
	} while (l.count == 4);
	assert_int_equal(l.count, 2);
	assert_int_equal(seen, 10);
}

static void a_page_goes_on_behind_a_file_that_is_gone(void **state)
{
	struct file gone = made(2, ANN, "gone");

	(void)state;
	add_named(1, ANN, "one", FILES_NEVER);
	add_named(3, ANN, "three", FILES_NEVER);
	list((struct files_page) { .after = span_of(gone.id) });
	assert_listed(&l, "one");
}

static void part_of_a_name_is_enough(void **state)
{
	(void)state;
	add_named(1, ANN, "report-2025.pdf", FILES_NEVER);
	add_named(2, ANN, "Report.txt", FILES_NEVER);
	add_named(3, ANN, "photo.jpg", FILES_NEVER);
	add_named(4, BOB, "report.bob", FILES_NEVER);
	list((struct files_page) { .part = SPAN("report") });
	assert_listed(&l, "Report.txt report-2025.pdf");
	list((struct files_page) { .part = SPAN("REPORT") });
	assert_listed(&l, "Report.txt report-2025.pdf");
	list((struct files_page) { .part = SPAN(".") });
	assert_int_equal(l.count, 3);
	list((struct files_page) { .part = SPAN("report-2025.pdf") });
	assert_listed(&l, "report-2025.pdf");
	list((struct files_page) { .part = SPAN("report-2025.pdfx") });
	assert_listed(&l, "");
	/* with all the rest of a page */
	list((struct files_page) { .part = SPAN("o"), .limit = 2 });
	assert_listed(&l, "photo.jpg Report.txt");
	list((struct files_page) { .part = SPAN("o"), .after = span_of(last) });
	assert_listed(&l, "report-2025.pdf");
}

static void wildcards_stand_for_themselves(void **state)
{
	static const char *const names[] = { "100%", "a_b", "a!b",
					     "a\\b", "a'b", "axb",
					     "!%",   "\\_", "\"q\"" };
	static const struct {
		const char *part, *want;
	} cases[] = {
		{ "%", "!% 100%" },	{ "_", "\\_ a_b" },
		{ "!", "!% a!b" },	{ "\\", "\\_ a\\b" },
		{ "a_b", "a_b" },	{ "a!b", "a!b" },
		{ "a\\b", "a\\b" },	{ "'", "a'b" },
		{ "\"", "\"q\"" },	{ "!%", "!%" },
		{ "\\_", "\\_" },	{ "%%", "" },
		{ "!!", "" },		{ "a%b", "" },
		{ "' OR 1=1 -- ", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		add_named((int)i + 1, ANN, names[i], FILES_NEVER);
	for (size_t i = 0; i < COUNT(cases); i++) {
		list((struct files_page) { .part = span_of(cases[i].part) });
		assert_listed(&l, cases[i].want);
	}
}

static void the_longest_part_is_looked_for(void **state)
{
	char name[FILE_NAME_MAX + 1];

	(void)state;
	memset(name, '%', FILE_NAME_MAX);
	name[FILE_NAME_MAX] = '\0';
	add_named(1, ANN, name, FILES_NEVER);
	list((struct files_page) { .part = span_of(name) });
	assert_int_equal(l.count, 1);
	name[0] = '!';
	list((struct files_page) { .part = span_of(name) });
	assert_int_equal(l.count, 0);
}

static void who_has_seen_enough_ends_the_list(void **state)
{
	struct files_page page = { .owner = ANN, .now = NOW, .limit = 100 };

	(void)state;
	for (int i = 1; i <= 50; i++)
		add_named(i, ANN, "x", FILES_NEVER);
	for (size_t n = 1; n <= 4; n++) {
		l = (struct listed) { .stop_at = n };
		assert_err(files_list(db, &page, &l.row, note, &l, &why),
			   ERR_QUOTA);
		assert_int_equal(l.count, n);
	}
	/* the rows that nobody took do not turn up elsewhere */
	list((struct files_page) { .limit = 1 });
	assert_int_equal(l.count, 1);
}

/* --- update and remove
 * ---------------------------------------------------------------- */

static void name_and_expiry_can_change(void **state)
{
	struct file f = made(1, ANN, "old"), other = made(2, ANN, "other"), got;

	(void)state;
	add(&f);
	add(&other);
	(void)snprintf(f.name, sizeof(f.name), "new \xe2\x82\xac");
	f.expires_at = NOW + 5;
	assert_ok(files_update(db, &f, &why));
	assert_ok(find(&f, ANN, NOW, &got));
	assert_same(&got, &f);
	f.expires_at = FILES_NEVER;
	assert_ok(files_update(db, &f, &why));
	assert_ok(find(&f, ANN, INT64_MAX, &got));
	assert_same(&got, &f);
	/* to what it is already */
	assert_ok(files_update(db, &f, &why));
	assert_ok(find(&other, ANN, NOW, &got));
	assert_same(&got, &other);
}

static void nothing_else_can_change(void **state)
{
	struct file f = made(1, ANN, "a"), changed = f, got;

	(void)state;
	add(&f);
	changed.size = 1000;
	changed.created_at = 1;
	memset(changed.sha256, 0xff, SHA256_LEN);
	(void)snprintf(changed.type, sizeof(changed.type), "text/html");
	assert_ok(files_update(db, &changed, &why));
	assert_ok(find(&f, ANN, NOW, &got));
	assert_same(&got, &f);
}

static void another_s_file_cannot_be_changed_or_removed(void **state)
{
	struct file f = made(1, ANN, "a"), theirs = f, got;

	(void)state;
	add(&f);
	theirs.owner = BOB;
	(void)snprintf(theirs.name, sizeof(theirs.name), "mine");
	assert_err(files_update(db, &theirs, &why), ERR_NOT_FOUND);
	assert_err(files_remove(db, span_of(f.id), BOB, &why), ERR_NOT_FOUND);
	assert_ok(find(&f, ANN, NOW, &got));
	assert_same(&got, &f);
}

static void what_is_removed_is_gone(void **state)
{
	struct file f = made(1, ANN, "a"), other = made(2, ANN, "b"), got;

	(void)state;
	add(&f);
	add(&other);
	assert_ok(files_remove(db, span_of(f.id), ANN, &why));
	assert_err(find(&f, ANN, NOW, &got), ERR_NOT_FOUND);
	assert_err(files_remove(db, span_of(f.id), ANN, &why), ERR_NOT_FOUND);
	assert_err(files_update(db, &f, &why), ERR_NOT_FOUND);
	assert_ok(find(&other, ANN, NOW, &got));
}

/* --- for gateway-admin
 * ------------------------------------------------------------------ */

static void a_row_exists_whoever_s_and_however_old(void **state)
{
	struct file f = made(1, BOB, "a"), none = made(2, BOB, "b");

	(void)state;
	f.expires_at = 1;
	add(&f);
	assert_ok(files_exists(db, span_of(f.id), &why));
	assert_err(files_exists(db, span_of(none.id), &why), ERR_NOT_FOUND);
	assert_err(files_exists(db, SPAN(""), &why), ERR_NOT_FOUND);
}

static void expired(int64_t now)
{
	l = (struct listed) { 0 };
	assert_ok(files_expired(db, now, &l.row, note, &l, &why));
}

static void what_has_expired_comes_oldest_first(void **state)
{
	(void)state;
	add_named(1, ANN, "later", NOW + 2);
	add_named(2, BOB, "first", NOW);
	add_named(3, ANN, "never", FILES_NEVER);
	add_named(4, ANN, "second", NOW + 1);
	expired(NOW - 1);
	assert_listed(&l, "");
	expired(NOW);
	assert_listed(&l, "first");
	expired(NOW + 2);
	assert_listed(&l, "first second later");
}

static void walk(const char *after)
{
	l = (struct listed) { 0 };
	assert_ok(files_walk(db, span_of(after), &l.row, note, &l, &why));
}

static void a_walk_goes_by_id_behind_the_last(void **state)
{
	struct file second = made(2, BOB, "b");

	(void)state;
	add_named(3, ANN, "c", FILES_NEVER);
	add_named(1, ANN, "a", 1);
	add(&second);
	walk("");
	assert_listed(&l, "a b c");
	walk(second.id);
	assert_listed(&l, "c");
	walk(last);
	assert_listed(&l, "");
}

static void a_page_of_each_has_a_longest_length(void **state)
{
	static struct file files[FILES_LIST_MAX + 1];

	(void)state;
	for (int i = 0; i <= FILES_LIST_MAX; i++) {
		files[i] = made(i + 1, ANN, "x");
		files[i].expires_at = NOW;
	}
	assert_ok(files_add(db, files, COUNT(files), &why));
	expired(NOW);
	assert_int_equal(l.count, FILES_LIST_MAX);
	walk("");
	assert_int_equal(l.count, FILES_LIST_MAX);
	walk(last);
	assert_int_equal(l.count, 1);
}

static void a_count_tells_files_bytes_and_owners(void **state)
{
	struct files_total t = { -7, -7, -7 };
	struct file huge = made(4, BOB, "huge");

	(void)state;
	assert_ok(files_count(db, &t, &why));
	assert_int_equal(t.files, 0);
	assert_int_equal(t.bytes, 0);
	assert_int_equal(t.owners, 0);
	add_named(1, ANN, "a", FILES_NEVER);
	add_named(2, ANN, "b", 1);
	huge.size = (INT64_C(1) << 62) + 1; /* no double holds this */
	add(&huge);
	assert_ok(files_count(db, &t, &why));
	assert_int_equal(t.files, 3);
	assert_true(t.bytes == (INT64_C(1) << 62) + 4);
	assert_int_equal(t.owners, 2);
}

/* --- without a database
 * -------------------------------------------------------------------- */

static void without_a_database_everything_is_unavailable(void **state)
{
	const struct db_config nowhere = { .socket = "/nowhere/sock",
					   .user = "root",
					   .name = "test",
					   .pool = 1,
					   .timeout = 1 };
	struct file two[2] = { made(1, ANN, "a"), made(2, ANN, "b") };
	struct files_page page = { .owner = ANN, .now = NOW, .limit = 1 };
	struct files_total total;
	struct span id = span_of(two[0].id);
	struct db *away = NULL;

	(void)state;
	assert_ok(db_open(&nowhere, &away, NULL));
	l = (struct listed) { 0 };
	assert_err(files_add(away, two, 1, &why), ERR_UNAVAILABLE);
	assert_err(files_add(away, two, 2, &why), ERR_UNAVAILABLE);
	assert_err(files_find(away, id, ANN, NOW, two, &why), ERR_UNAVAILABLE);
	assert_err(files_list(away, &page, &l.row, note, &l, &why),
		   ERR_UNAVAILABLE);
	page.part = SPAN("x");
	assert_err(files_list(away, &page, &l.row, note, &l, &why),
		   ERR_UNAVAILABLE);
	assert_err(files_update(away, two, &why), ERR_UNAVAILABLE);
	assert_err(files_remove(away, id, ANN, &why), ERR_UNAVAILABLE);
	assert_err(files_exists(away, id, &why), ERR_UNAVAILABLE);
	assert_err(files_expired(away, NOW, &l.row, note, &l, &why),
		   ERR_UNAVAILABLE);
	assert_err(files_walk(away, SPAN(""), &l.row, note, &l, &why),
		   ERR_UNAVAILABLE);
	assert_err(files_count(away, &total, &why), ERR_UNAVAILABLE);
	assert_int_equal(l.count, 0);
	db_close(away);
}

#define FILES(name) cmocka_unit_test_setup(name, clear)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		FILES(what_is_added_is_found_as_it_was),
		FILES(a_name_keeps_every_character),
		FILES(many_are_added_together),
		FILES(of_many_all_are_added_or_none),
		FILES(a_row_that_the_table_does_not_take_takes_the_others_with_it),
		FILES(an_id_is_added_once),
		FILES(another_s_file_is_not_found),
		FILES(the_second_of_its_expiry_is_already_too_late),
		FILES(a_file_without_expiry_stays),
		FILES(what_is_no_id_is_not_found),
		FILES(a_list_is_newest_first_and_one_s_own),
		FILES(what_has_expired_is_not_listed),
		FILES(pages_show_each_file_once),
		FILES(a_page_goes_on_behind_a_file_that_is_gone),
		FILES(part_of_a_name_is_enough),
		FILES(wildcards_stand_for_themselves),
		FILES(the_longest_part_is_looked_for),
		FILES(who_has_seen_enough_ends_the_list),
		FILES(name_and_expiry_can_change),
		FILES(nothing_else_can_change),
		FILES(another_s_file_cannot_be_changed_or_removed),
		FILES(what_is_removed_is_gone),
		FILES(a_row_exists_whoever_s_and_however_old),
		FILES(what_has_expired_comes_oldest_first),
		FILES(a_walk_goes_by_id_behind_the_last),
		FILES(a_page_of_each_has_a_longest_length),
		FILES(a_count_tells_files_bytes_and_owners),
		FILES(without_a_database_everything_is_unavailable),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, open_db, close_db);
}
