#include "cgi-gateway/tables/files.h"
#include "tests/unit/cgi-gateway/owners.h"

#include <pthread.h>

static const uint64_t LAST = UINT64_MAX; /* the highest user id */

static int open_db(void **state)
{
	int failed = owners_open(state);

	sessions_user(db, LAST, "last@example.org", false);
	return failed;
}

static int clear(void **state)
{
	int failed = owners_clear(state);

	sessions_put(db, &(struct session) { .user = LAST });
	return failed;
}

/* Who shows the token of a session; `secret` is NULL for a login */
static struct session_check *shows(const char *session, const char *secret,
				   const char *scope, int64_t now)
{
	static struct request rq[8];
	static struct session_check c[8];
	static size_t next;
	size_t i = next++ % COUNT(rq);

	rq[i] = (struct request) { .now = now };
	session_show(&rq[i], session, secret);
	session_check_init(&c[i], &rq[i], scope);
	return &c[i];
}

static struct session_check *by(uint64_t user, int64_t now)
{
	return shows(session_of(user), NULL, "files:read", now);
}

/* The file number `n` of an owner; a later number is a later id */
static struct file made(int n, uint64_t owner, const char *name)
{
	struct file f = {
		.owner = owner,
		.type = "text/plain",
		.claimed_type = "text/x-odd",
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
	assert_ok(files_add(db, by(f->owner, NOW), 0, &unlimited, f, 1, NULL,
			    &why));
}

static enum err find(const struct file *f, uint64_t user, int64_t now,
		     struct file *out)
{
	return files_find(db, by(user, now), 0, span_of(f->id), out, &why);
}

static enum err change(const struct file *f)
{
	return files_update(db, by(f->owner, NOW), f, BOTH, &why);
}

static enum err remove_file(const struct file *f, uint64_t user)
{
	return files_remove(db, by(user, NOW), 0, span_of(f->id), NULL, &why);
}

static void assert_same(const struct file *a, const struct file *b)
{
	assert_string_equal(a->id, b->id);
	assert_true(a->owner == b->owner);
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->type, b->type);
	assert_string_equal(a->claimed_type, b->claimed_type);
	assert_true(a->size == b->size);
	assert_memory_equal(a->sha256, b->sha256, SHA256_LEN);
	assert_true(a->created_at == b->created_at);
	assert_true(a->expires_at == b->expires_at);
}

/* --- add and find --------------------------------------------------------- */

static void a_file_is_found_as_it_was_added(void **state)
{
	struct file f = made(1, LAST, ""), got = { 0 };

	(void)state;
	/* as wide as each column is; 255 bytes of four-byte characters but 3 */
	for (int i = 0; i + 4 <= FILE_NAME_MAX; i += 4)
		memcpy(f.name + i, "\xf0\x9f\x98\x80", 4);
	memset(f.type, 'x', FILE_TYPE_MAX);
	f.type[4] = '/';
	memset(f.claimed_type, 'y', FILE_TYPE_MAX);
	f.claimed_type[3] = '/';
	f.size = INT64_MAX;
	for (int i = 0; i < SHA256_LEN; i++)
		f.sha256[i] = (unsigned char)(i * 8);
	f.expires_at = INT64_MAX;
	add(&f);
	assert_ok(find(&f, LAST, NOW, &got));
	assert_same(&got, &f);
}

static void a_row_of_an_older_version_has_no_claimed_type(void **state)
{
	struct file f = made(1, ANN, "a"), got;

	(void)state;
	add(&f);
	assert_ok(db_change(db, "UPDATE file SET claimed_type = NULL", DB_NONE,
			    &why));
	assert_ok(find(&f, ANN, NOW, &got));
	assert_string_equal(got.claimed_type, "");
	assert_string_equal(got.type, "text/plain");
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

static void many_files_are_added_together(void **state)
{
	struct file files[100], got;

	(void)state;
	for (int i = 0; i < 100; i++)
		files[i] = made(i + 1, ANN, "same name");
	assert_ok(files_add(db, by(ANN, NOW), 0, &unlimited, files, 100, NULL,
			    &why));
	assert_int_equal(file_table_rows(db), 100);
	for (int i = 0; i < 100; i++) {
		assert_ok(find(&files[i], ANN, NOW, &got));
		assert_same(&got, &files[i]);
	}
}

static void many_files_are_added_or_none(void **state)
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
		assert_err(files_add(db, by(ANN, NOW), 0, &unlimited, files,
				     count, NULL, &why),
			   ERR_CONFLICT);
		assert_int_equal(file_table_rows(db), 1);
	}
	assert_ok(find(&old, ANN, NOW, &got));
	assert_string_equal(got.name, "old");
	/* and the connection holds no half of a transaction */
	assert_ok(files_add(db, by(ANN, NOW), 0, &unlimited, files, 1, NULL,
			    &why));
	assert_int_equal(file_table_rows(db), 2);
}

static void a_row_that_cannot_be_inserted_rolls_back_the_others(void **state)
{
	struct file files[2] = { made(1, ANN, "a"), made(2, ANN, "b") };

	(void)state;
	(void)snprintf(files[1].type, sizeof(files[1].type), "text/\xc3\xa4");
	assert_err(files_add(db, by(ANN, NOW), 0, &unlimited, files, 2, NULL,
			     &why),
		   ERR_IO);
	assert_int_equal(file_table_rows(db), 0);
}

static void an_id_is_added_once(void **state)
{
	struct file f = made(1, ANN, "first"), again = made(1, BOB, "again");
	struct file got;

	(void)state;
	add(&f);
	assert_err(files_add(db, by(BOB, NOW), 0, &unlimited, &again, 1, NULL,
			     &why),
		   ERR_CONFLICT);
	assert_ok(find(&f, ANN, NOW, &got));
	assert_string_equal(got.name, "first");
}

static void another_s_file_is_not_found(void **state)
{
	struct file f = made(1, ANN, "a"), got = { .size = -7 };

	(void)state;
	add(&f);
	assert_err(find(&f, BOB, NOW, &got), ERR_NOT_FOUND);
	assert_int_equal(got.size, -7);
}

static void a_file_is_expired_in_the_second_of_its_expiry(void **state)
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

static void a_text_that_is_no_id_is_not_found(void **state)
{
	struct file f = made(10, ANN, "a"), got;
	static const char *const ids[] = {
		"",
		"0190b3a2",
		"{190b3a2-0000-7000-8000-00000000000}",
		"0190b3a2-0000-7000-8000-00000000000a ",
		"0190b3a2-0000-7000-8000-00000000000' OR 1 -- ",
		"%",
	};

	(void)state;
	add(&f);
	for (size_t i = 0; i < COUNT(ids); i++) {
		assert_err(files_find(db, by(ANN, NOW), 0, span_of(ids[i]),
				      &got, &why),
			   ERR_NOT_FOUND);
		assert_err(files_remove(db, by(ANN, NOW), 0, span_of(ids[i]),
					NULL, &why),
			   ERR_NOT_FOUND);
	}
	assert_int_equal(file_table_rows(db), 1);
}

/* --- the list ------------------------------------------------------------- */

struct listed {
	struct file row;
	size_t count;
	char names[1200][16];
	size_t stop_at; /* 0: never */
};

static char last[UUID_LEN + 1]; /* id of the last file that was noted */

static enum err record_row(void *arg)
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

static void list_of(uint64_t user, struct files_page page)
{
	page.limit = page.limit != 0 ? page.limit : FILES_LIST_MAX;
	page.user = user;
	l = (struct listed) { 0 };
	assert_ok(files_list(db, by(user, NOW), &page, &l.row, record_row, &l,
			     &why));
}

static void list(struct files_page page)
{
	list_of(ANN, page);
}

static void add_named(int n, uint64_t owner, const char *name,
		      int64_t expires_at)
{
	struct file f = made(n, owner, name);

	f.expires_at = expires_at;
	add(&f);
}

static void a_list_has_the_owner_s_files_newest_first(void **state)
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
	list_of(BOB, (struct files_page) { 0 });
	assert_listed(&l, "bob");
	list_of(LAST, (struct files_page) { 0 });
	assert_listed(&l, "");
}

static void an_expired_file_is_not_listed(void **state)
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

static void a_page_continues_behind_a_deleted_file(void **state)
{
	struct file gone = made(2, ANN, "gone");

	(void)state;
	add_named(1, ANN, "one", FILES_NEVER);
	add_named(3, ANN, "three", FILES_NEVER);
	list((struct files_page) { .after = span_of(gone.id) });
	assert_listed(&l, "one");
}

static void a_search_finds_a_part_of_a_name(void **state)
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

static void a_search_reads_wildcards_literally(void **state)
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

static void a_search_may_be_as_long_as_a_name(void **state)
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

static void a_list_ends_when_the_callback_returns_an_error(void **state)
{
	struct files_page page = { .limit = 100 };

	(void)state;
	for (int i = 1; i <= 50; i++)
		add_named(i, ANN, "x", FILES_NEVER);
	for (size_t n = 1; n <= 4; n++) {
		l = (struct listed) { .stop_at = n };
		assert_err(files_list(db, by(ANN, NOW), &page, &l.row,
				      record_row, &l, &why),
			   ERR_QUOTA);
		assert_int_equal(l.count, n);
	}
	/* the rows that were not read do not appear later */
	list((struct files_page) { .limit = 1 });
	assert_int_equal(l.count, 1);
}

/* --- update and remove ---------------------------------------------------- */

static void name_and_expiry_can_change(void **state)
{
	struct file f = made(1, ANN, "old"), other = made(2, ANN, "other"), got;

	(void)state;
	add(&f);
	add(&other);
	(void)snprintf(f.name, sizeof(f.name), "new \xe2\x82\xac");
	f.expires_at = NOW + 5;
	assert_ok(change(&f));
	assert_ok(find(&f, ANN, NOW, &got));
	assert_same(&got, &f);
	f.expires_at = FILES_NEVER;
	assert_ok(change(&f));
	assert_ok(find(&f, ANN, INT64_MAX, &got));
	assert_same(&got, &f);
	/* to the value that it has */
	assert_ok(change(&f));
	assert_ok(find(&other, ANN, NOW, &got));
	assert_same(&got, &other);
}

static void other_columns_cannot_change(void **state)
{
	struct file f = made(1, ANN, "a"), changed = f, got;

	(void)state;
	add(&f);
	changed.size = 1000;
	changed.created_at = 1;
	memset(changed.sha256, 0xff, SHA256_LEN);
	(void)snprintf(changed.type, sizeof(changed.type), "text/html");
	assert_ok(change(&changed));
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
	assert_err(change(&theirs), ERR_NOT_FOUND);
	assert_err(remove_file(&f, BOB), ERR_NOT_FOUND);
	assert_ok(find(&f, ANN, NOW, &got));
	assert_same(&got, &f);
}

static void a_removed_file_is_not_found(void **state)
{
	struct file f = made(1, ANN, "a"), other = made(2, ANN, "b"), got;

	(void)state;
	add(&f);
	add(&other);
	assert_ok(remove_file(&f, ANN));
	assert_err(find(&f, ANN, NOW, &got), ERR_NOT_FOUND);
	assert_err(remove_file(&f, ANN), ERR_NOT_FOUND);
	assert_err(change(&f), ERR_NOT_FOUND);
	assert_ok(find(&other, ANN, NOW, &got));
}

/* --- ended sessions ------------------------------------------------------- */

#define SECRET "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define OTHER_SECRET "OMCgS-4cPMe5sVUUJhl1Bc44xjXEAbth1rN-fFuGD_I"
#define API "api-token-of-user-0042"

/* What the five statements return to `session`; there is one file of Ann's,
 * which stays */
static void assert_refused(struct session_check *session, uint64_t owner,
			   enum err want)
{
	struct file f = made(1, ANN, "a"), extra = made(2, ANN, "new"), got;
	struct file two[2] = { extra, made(3, ANN, "newer") };
	struct files_page page = { .owner = owner, .limit = 10 };

	file_table_clear(db);
	assert_ok(db_change(db,
			    "INSERT INTO file (id, owner, name, type, size,"
			    " sha256, created_at)"
			    " VALUES (?, ?, 'a', 'text/plain', 1, ?, ?)",
			    DB_IN(db_text(span_of(f.id)), db_int(ANN),
				  db_bytes((struct span) {
					  (const char *)f.sha256, SHA256_LEN }),
				  db_int(NOW)),
			    NULL));
	assert_err(files_find(db, session, owner, span_of(f.id), &got, &why),
		   want);
	/* a wrong id gets the same error as a right one */
	assert_err(
		files_find(db, session, owner, span_of(extra.id), &got, &why),
		want);
	assert_err(files_find(db, session, owner, SPAN("no id"), &got, &why),
		   want);
	assert_err(files_add(db, session, owner, &unlimited, &extra, 1, NULL,
			     &why),
		   ERR_BAD_TOKEN);
	assert_err(
		files_add(db, session, owner, &unlimited, two, 2, NULL, &why),
		ERR_BAD_TOKEN);
	l = (struct listed) { 0 };
	assert_err(files_list(db, session, &page, &l.row, record_row, &l, &why),
		   want);
	assert_int_equal(l.count, 0);
	page.part = SPAN("a");
	assert_err(files_list(db, session, &page, &l.row, record_row, &l, &why),
		   want);
	assert_int_equal(l.count, 0);
	(void)snprintf(f.name, sizeof(f.name), "changed");
	assert_err(files_update(db, session, &f, BOTH, &why), ERR_NOT_FOUND);
	assert_err(files_remove(db, session, owner, span_of(f.id), NULL, &why),
		   want);
	assert_int_equal(file_table_rows(db), 1);
	sessions_put(db, &(struct session) { .user = ANN });
	sessions_disable(db, ANN, false);
	assert_ok(files_find(db, by(ANN, NOW), 0, span_of(f.id), &got, &why));
	assert_string_equal(got.name, "a");
}

static void assert_shut_out(struct session_check *session, uint64_t owner)
{
	assert_refused(session, owner, ERR_BAD_TOKEN);
}

/* With a valid session all of them are allowed */
static void assert_let_in(struct session_check *session, uint64_t owner)
{
	struct file f = made(1, 0, "a"), got;
	struct files_page page = { .owner = owner, .limit = 10 };

	file_table_clear(db);
	assert_ok(files_add(db, session, owner, &unlimited, &f, 1, NULL, &why));
	assert_ok(files_find(db, session, owner, span_of(f.id), &got, &why));
	l = (struct listed) { 0 };
	assert_ok(files_list(db, session, &page, &l.row, record_row, &l, &why));
	assert_int_equal(l.count, 1);
	assert_ok(files_update(db, session, &got, BOTH, &why));
	assert_ok(files_remove(db, session, owner, span_of(f.id), NULL, &why));
}

static void a_session_that_has_ended_is_refused(void **state)
{
	struct session_check *session = by(ANN, NOW);

	(void)state;
	assert_let_in(session, 0);
	sessions_revoke(db, session_of(ANN));
	assert_shut_out(session, 0);
	sessions_revoke(db, session_of(ANN));
	assert_shut_out(session, ANN);
	assert_shut_out(shows("no-such-session-000000", NULL, "", NOW), 0);
	assert_shut_out(shows("", NULL, "", NOW), ANN);
}

static void a_user_who_is_disabled_is_refused(void **state)
{
	struct session_check *session = by(ANN, NOW);

	(void)state;
	assert_let_in(session, 0);
	sessions_disable(db, ANN, true);
	assert_shut_out(session, 0);
	assert_let_in(session, 0);
}

static void a_session_has_ended_in_the_second_of_its_expiry(void **state)
{
	const struct session ends = { .user = ANN, .expires_at = NOW };

	(void)state;
	sessions_put(db, &ends);
	assert_let_in(by(ANN, NOW - 1), 0);
	assert_shut_out(by(ANN, NOW), 0);
	sessions_put(db, &ends);
	assert_shut_out(by(ANN, NOW + 1), 0);
}

static void an_api_token_needs_its_session_and_its_secret(void **state)
{
	const struct session api = { .user = ANN, .id = API, .secret = SECRET };

	(void)state;
	sessions_put(db, &api);
	assert_let_in(shows(API, SECRET, "files:read", NOW), 0);
	assert_let_in(shows(API, SECRET, "files:write", NOW), 0);
	assert_shut_out(shows(API, OTHER_SECRET, "files:read", NOW), 0);
	assert_shut_out(shows(API, "", "files:read", NOW), 0);
	sessions_revoke(db, API);
	assert_shut_out(shows(API, SECRET, "files:read", NOW), 0);
}

static void an_access_token_and_an_api_token_are_not_interchangeable(
	void **state)
{
	const struct session api = { .user = ANN, .id = API, .secret = SECRET };

	(void)state;
	sessions_put(db, &api);
	/* a session of an API token in an access token */
	assert_shut_out(shows(API, NULL, "", NOW), 0);
	/* the session of a login in an API token: it has no secret */
	assert_shut_out(shows(session_of(ANN), SECRET, "", NOW), 0);
	assert_shut_out(shows(session_of(ANN), "", "", NOW), 0);
}

static void an_api_token_is_limited_to_its_scope(void **state)
{
	static const char *const scopes[] = {
		"",	 "files:write", "files:readx", "xfiles:read",
		"files", "FILES:READ",	"files:rea_",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(scopes); i++) {
		sessions_put(db, &(struct session) { .user = ANN,
						     .id = API,
						     .secret = SECRET,
						     .scope = scopes[i] });
		assert_refused(shows(API, SECRET, "files:read", NOW), 0,
			       ERR_SCOPE);
	}
	sessions_put(db, &(struct session) { .user = ANN,
					     .id = API,
					     .secret = SECRET,
					     .scope = "admin files:read x" });
	assert_let_in(shows(API, SECRET, "files:read", NOW), 0);
	/* the scopes of an access token are in it, and were checked before */
	sessions_put(db, &(struct session) { .user = ANN, .scope = "" });
	assert_let_in(by(ANN, NOW), 0);
}

static void a_file_belongs_to_the_user_of_its_session(void **state)
{
	struct file f = made(1, BOB, "a"), got;

	(void)state;
	/* whatever scopes the row has */
	assert_ok(
		files_add(db, by(ANN, NOW), 0, &unlimited, &f, 1, NULL, &why));
	assert_ok(find(&f, ANN, NOW, &got));
	assert_true(got.owner == ANN);
	f = made(2, ANN, "b");
	assert_ok(files_add(db, by(ANN, NOW), BOB, &unlimited, &f, 1, NULL,
			    &why));
	assert_err(find(&f, ANN, NOW, &got), ERR_NOT_FOUND);
	assert_ok(find(&f, BOB, NOW, &got));
}

static void a_named_owner_limits_every_call_to_their_files(void **state)
{
	struct session_check *ann = by(ANN, NOW);
	struct file f = made(1, BOB, "b"), mine = made(2, ANN, "a"), got;

	(void)state;
	add(&f);
	add(&mine);
	assert_ok(files_find(db, ann, BOB, span_of(f.id), &got, &why));
	assert_err(files_find(db, ann, BOB, span_of(mine.id), &got, &why),
		   ERR_NOT_FOUND);
	list_of(ANN, (struct files_page) { .owner = BOB });
	assert_listed(&l, "b");
	assert_err(files_remove(db, ann, BOB, span_of(mine.id), NULL, &why),
		   ERR_NOT_FOUND);
	(void)snprintf(got.name, sizeof(got.name), "changed");
	assert_ok(files_update(db, ann, &got, BOTH, &why));
	assert_ok(files_remove(db, ann, BOB, span_of(f.id), NULL, &why));
	assert_int_equal(file_table_rows(db), 1);
}

static void the_user_of_a_session_is_returned_for_the_log(void **state)
{
	const struct session api = { .user = ANN, .id = API, .secret = SECRET };
	struct session_check *session = shows(API, SECRET, "files:read", NOW);
	struct file f = made(1, ANN, "a"), got;

	(void)state;
	sessions_put(db, &api);
	assert_err(files_find(db, session, 0, span_of(f.id), &got, &why),
		   ERR_NOT_FOUND);
	assert_true(session->user_id == ANN);
	assert_string_equal(session->email, "ann@example.org");
	*session = *shows(API, OTHER_SECRET, "files:read", NOW);
	assert_err(files_find(db, session, 0, span_of(f.id), &got, &why),
		   ERR_BAD_TOKEN);
	assert_int_equal(session->user_id, 0);
}

/* --- what a statement reads ----------------------------------------------- */

enum { MANY = 50000, FEW = 6 };

/* Rows that this connection has read so far: the server's own count, which does
 * not depend on how busy the machine is */
static int64_t rows_read(struct db *one)
{
	int64_t n = 0;

	assert_ok(db_row(one,
			 "SELECT SUM(variable_value)"
			 " FROM information_schema.session_status"
			 " WHERE variable_name LIKE 'Handler_read%'",
			 DB_NONE, DB_OUT(db_to_int(&n)), &why));
	return n;
}

/* The rows that the server read for that */
static int64_t rows_of_telling(struct db *one)
{
	int64_t before = rows_read(one);

	return rows_read(one) - before;
}

#define assert_reads(one, at_most, call)                                    \
	do {                                                                \
		int64_t reads_told = rows_of_telling(one);                  \
		int64_t reads_begun = rows_read(one);                       \
		call;                                                       \
		reads_begun = rows_read(one) - reads_begun - reads_told;    \
		if (reads_begun > (at_most))                                \
			print_error("%lld rows, not %d: %s\n",              \
				    (long long)reads_begun, (int)(at_most), \
				    #call);                                 \
		assert_true(reads_begun <= (at_most));                      \
		assert_true(reads_begun > 0);                               \
	} while (0)

/* MANY files of Ann, and as many sessions that she has ended, a part at a time
 */
static void fill(struct db *one)
{
	assert_ok(db_change(one,
			    "INSERT INTO quota (owner, bytes, files)"
			    " SELECT seq, 50000, 50000 FROM seq_1_to_50000",
			    DB_NONE, &why));
	for (int from = 1; from < MANY; from += 5000) {
		const struct db_value part[] = { db_int(from),
						 db_int(from + 4999) };

		assert_ok(db_change(
			one,
			"INSERT INTO file (id, owner, name, type, size, sha256,"
			" created_at) SELECT"
			" CONCAT('0190b3a2-0000-7000-8000-',"
			" LPAD(LOWER(HEX(seq * 16)), 12, '0')), 42,"
			" CONCAT('n', seq), 'text/plain', 1, REPEAT('s', 32),"
			" 1000 FROM seq_1_to_50000"
			" WHERE seq BETWEEN ? AND ?",
			((struct db_in) { part, 2 }), &why));
		assert_ok(db_change(
			one,
			"INSERT INTO session (id, user_id, kind, scope,"
			" created_at, expires_at, revoked_at)"
			" SELECT CONCAT('many', LPAD(seq, 18, '0')), 42,"
			" 'login', '', 1000, IF(seq % 2, 1, 4000000000),"
			" IF(seq % 3, 1, NULL) FROM seq_1_to_50000"
			" WHERE seq BETWEEN ? AND ?",
			((struct db_in) { part, 2 }), &why));
	}
	assert_ok(db_row(one, "SELECT COUNT(*) FROM file", DB_NONE,
			 DB_OUT(db_to_int(&(int64_t) { 0 })), &why));
}

/* File number `n` of fill() */
static const char *filled(int n)
{
	static char id[UUID_LEN + 1];

	(void)snprintf(id, sizeof(id), "0190b3a2-0000-7000-8000-%012x",
		       (unsigned)(n * 16));
	return id;
}

static void list_on(struct db *one, struct session_check *session,
		    const char *after, int64_t limit, size_t want)
{
	const struct files_page page = { .after = span_of(after),
					 .limit = limit };

	l = (struct listed) { 0 };
	assert_ok(
		files_list(one, session, &page, &l.row, record_row, &l, &why));
	assert_int_equal(l.count, want);
}

static enum err list_of_session(struct db *one, struct session_check *session)
{
	const struct files_page page = { .limit = 100 };

	l = (struct listed) { 0 };
	return files_list(one, session, &page, &l.row, record_row, &l, &why);
}

static void assert_few_rows(struct db *one, struct session_check *ann)
{
	struct file f, fresh = made(1, ANN, "fresh");

	assert_reads(one, FEW,
		     assert_ok(files_find(one, ann, 0, span_of(filled(25000)),
					  &f, &why)));
	/* And the rows of both names in the index */
	assert_reads(one, FEW + 16 * 6,
		     assert_ok(files_update(one, ann, &f, BOTH, &why)));
	assert_reads(one, FEW, list_on(one, ann, "", 1, 1));
	assert_reads(one, 100 + FEW, list_on(one, ann, "", 100, 100));
	assert_reads(one, 100 + FEW,
		     list_on(one, ann, filled(25000), 100, 100));
	assert_reads(one, 100 + FEW, list_on(one, ann, filled(50), 100, 49));
	assert_reads(one, FEW, list_on(one, ann, filled(1), 100, 0));
	/* And each character of its name */
	assert_reads(one, 2 * FEW + 2 * 6,
		     assert_ok(files_add(one, ann, 0, &unlimited, &fresh, 1,
					 NULL, &why)));
	/* And for each character of its name the position, the row of the
	 * index, and that among those to remove */
	assert_reads(one, 2 * FEW + 3 * 6,
		     assert_ok(files_remove(one, ann, 0, span_of(fresh.id),
					    NULL, &why)));
}

static void a_statement_reads_few_rows_however_many_there_are(void **state)
{
	struct db *one = mariadb_pool(1);
	struct session_check *ann = by(ANN, NOW);
	struct session_check *ended =
		shows("many000000000000000001", NULL, "", NOW);
	struct session_check *api = shows(API, SECRET, "files:read", NOW);
	struct file f;

	(void)state;
	sessions_put(db, &(struct session) {
				 .user = ANN, .id = API, .secret = SECRET });
	fill(one);
	/* With the server's statistics of the tables before and after ANALYZE
	 */
	for (int i = 0; i < 2; i++) {
		assert_few_rows(one, ann);
		assert_few_rows(one, api);
		assert_reads(
			one, FEW,
			assert_err(files_find(one, ended, 0, span_of(filled(7)),
					      &f, &why),
				   ERR_BAD_TOKEN));
		assert_reads(
			one, FEW,
			assert_err(list_of_session(one, ended), ERR_BAD_TOKEN));
		assert_reads(
			one, FEW,
			assert_err(files_remove(one, ended, 0,
						span_of(filled(7)), NULL, &why),
				   ERR_BAD_TOKEN));
		assert_reads(
			one, FEW,
			assert_err(files_find(one, by(BOB, NOW), 0,
					      span_of(filled(7)), &f, &why),
				   ERR_NOT_FOUND));
		assert_reads(one, FEW, list_on(one, by(BOB, NOW), "", 100, 0));
		assert_ok(db_row(one, "ANALYZE TABLE file, session, user",
				 DB_NONE,
				 DB_OUT(db_to_text((char[256]) { 0 }, 256),
					db_to_text((char[256]) { 0 }, 256),
					db_to_text((char[256]) { 0 }, 256),
					db_to_text((char[256]) { 0 }, 256)),
				 &why));
	}
	assert_ok(db_change(one, "DELETE FROM session WHERE id LIKE 'many%'",
			    DB_NONE, &why));
	db_close(one);
}

/* --- for gateway-admin ---------------------------------------------------- */

static void a_row_exists_for_any_owner_and_age(void **state)
{
	struct file f = made(1, BOB, "a"), none = made(2, BOB, "b");

	(void)state;
	f.expires_at = 1;
	add(&f);
	assert_ok(files_exists(db, span_of(f.id), &why));
	assert_err(files_exists(db, span_of(none.id), &why), ERR_NOT_FOUND);
	assert_err(files_exists(db, SPAN(""), &why), ERR_NOT_FOUND);
}

/* The id before all others */
static const struct file first;

static void expired(int64_t now)
{
	l = (struct listed) { 0 };
	assert_ok(files_expired(db, now, &first, &l.row, record_row, &l, &why));
}

static void expired_files_are_listed_oldest_first(void **state)
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

static void a_page_of_expired_files_begins_behind_another(void **state)
{
	struct file behind = made(2, BOB, "");

	(void)state;
	add_named(3, ANN, "c", NOW);
	add_named(2, BOB, "b", NOW);
	add_named(1, ANN, "d", NOW + 1);
	add_named(4, ANN, "a", NOW - 1);
	expired(NOW + 1);
	assert_listed(&l, "a b c d");
	behind.expires_at = NOW;
	l = (struct listed) { 0 };
	assert_ok(files_expired(db, NOW + 1, &behind, &l.row, record_row, &l,
				&why));
	assert_listed(&l, "c d");
}

/* Answers what files_exists() did */
static void *ask(void *id)
{
	static enum err e;

	e = files_exists(db, span_of(id), NULL);
	return &e;
}

static void wait_until_somebody_waits_for_a_row(void)
{
	int64_t waiting = 0;

	for (int tries = 0; waiting == 0; tries++) {
		assert_true(tries < 300);
		/* a repeated call returns the same */
		sleep_ms(120);
		assert_ok(db_row(db,
				 "SELECT COUNT(*) FROM"
				 " information_schema.innodb_trx"
				 " WHERE trx_state = 'LOCK WAIT'",
				 DB_NONE, DB_OUT(db_to_int(&waiting)), &why));
	}
}

static void a_row_that_is_being_written_is_waited_for(void **state)
{
	(void)state;
	for (int commit = 0; commit <= 1; commit++) {
		struct file f = made(1, ANN, "a");
		struct db_conn *c;
		pthread_t thread;
		void *got = NULL;

		assert_ok(db_begin(db, &c, &why));
		assert_ok(db_tx_change(c,
				       "INSERT INTO file (id, owner, name,"
				       " type, size, sha256, created_at)"
				       " VALUES (?, 1, 'x', 'y', 0,"
				       " REPEAT('z', 32), 1)",
				       DB_IN(db_text(span_of(f.id))), &why));
		assert_int_equal(pthread_create(&thread, NULL, ask, f.id), 0);
		wait_until_somebody_waits_for_a_row();
		if (commit)
			assert_ok(db_commit(c, &why));
		else
			db_rollback(c);
		assert_int_equal(pthread_join(thread, &got), 0);
		assert_err(*(enum err *)got, commit ? ERR_OK : ERR_NOT_FOUND);
	}
}

static void walk(const char *after)
{
	l = (struct listed) { 0 };
	assert_ok(files_walk(db, span_of(after), &l.row, record_row, &l, &why));
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

static void every_page_has_a_maximum_length(void **state)
{
	static struct file files[FILES_LIST_MAX + 1];

	(void)state;
	for (int i = 0; i <= FILES_LIST_MAX; i++) {
		files[i] = made(i + 1, ANN, "x");
		files[i].expires_at = NOW;
	}
	assert_ok(files_add(db, by(ANN, NOW), 0, &unlimited, files,
			    COUNT(files), NULL, &why));
	expired(NOW);
	assert_int_equal(l.count, FILES_LIST_MAX);
	walk("");
	assert_int_equal(l.count, FILES_LIST_MAX);
	walk(last);
	assert_int_equal(l.count, 1);
}

static void a_count_has_files_bytes_and_owners(void **state)
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

/* --- without a database --------------------------------------------------- */

static void every_call_is_unavailable_without_a_database(void **state)
{
	const struct db_config nowhere = { .socket = "/nowhere/sock",
					   .user = "root",
					   .name = "test",
					   .pool = 1,
					   .timeout = 1 };
	struct file two[2] = { made(1, ANN, "a"), made(2, ANN, "b") };
	struct files_page page = { .limit = 1 };
	struct files_total total;
	struct span id = span_of(two[0].id);
	struct db *away = NULL;

	(void)state;
	assert_ok(db_open(&nowhere, &away, NULL));
	l = (struct listed) { 0 };
	assert_err(files_add(away, by(ANN, NOW), 0, &unlimited, two, 1, NULL,
			     &why),
		   ERR_UNAVAILABLE);
	assert_err(files_add(away, by(ANN, NOW), 0, &unlimited, two, 2, NULL,
			     &why),
		   ERR_UNAVAILABLE);
	assert_err(files_find(away, by(ANN, NOW), 0, id, two, &why),
		   ERR_UNAVAILABLE);
	assert_err(files_list(away, by(ANN, NOW), &page, &l.row, record_row, &l,
			      &why),
		   ERR_UNAVAILABLE);
	page.part = SPAN("x");
	assert_err(files_list(away, by(ANN, NOW), &page, &l.row, record_row, &l,
			      &why),
		   ERR_UNAVAILABLE);
	assert_err(files_update(away, by(ANN, NOW), two, BOTH, &why),
		   ERR_UNAVAILABLE);
	assert_err(files_remove(away, by(ANN, NOW), 0, id, NULL, &why),
		   ERR_UNAVAILABLE);
	assert_err(files_exists(away, id, &why), ERR_UNAVAILABLE);
	assert_err(
		files_expired(away, NOW, &first, &l.row, record_row, &l, &why),
		ERR_UNAVAILABLE);
	assert_err(files_walk(away, SPAN(""), &l.row, record_row, &l, &why),
		   ERR_UNAVAILABLE);
	assert_err(files_count(away, &total, &why), ERR_UNAVAILABLE);
	assert_int_equal(l.count, 0);
	db_close(away);
}

#define FILES(name) cmocka_unit_test_setup(name, clear)

/* --- two requests that change one row ------------------------------------- */

static void a_file_whose_expiry_was_removed_meanwhile_stays(void **state)
{
	struct file f = made(1, ANN, "kept"), got;

	(void)state;
	f.expires_at = NOW - 1;
	add(&f);
	assert_ok(db_change(db, "UPDATE file SET expires_at = NULL", DB_NONE,
			    &why));
	assert_err(files_delete_expired(db, &f, NOW, NULL, &why),
		   ERR_NOT_FOUND);
	assert_ok(find(&f, ANN, NOW, &got));
}

static void a_change_of_the_name_leaves_a_new_expiry_alone(void **state)
{
	struct file f = made(1, ANN, "old"), mine, theirs, got;

	(void)state;
	add(&f);
	mine = theirs = f; /* both have read the same row */
	theirs.expires_at = NOW + 60;
	assert_ok(files_update(db, by(ANN, NOW), &theirs,
			       (struct files_changed) { .expiry = true },
			       &why));
	(void)snprintf(mine.name, sizeof(mine.name), "new");
	assert_ok(files_update(db, by(ANN, NOW), &mine,
			       (struct files_changed) { .name = true }, &why));
	assert_ok(find(&f, ANN, NOW, &got));
	assert_string_equal(got.name, "new");
	assert_true(got.expires_at == NOW + 60);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		FILES(a_file_is_found_as_it_was_added),
		FILES(a_row_of_an_older_version_has_no_claimed_type),
		FILES(a_name_keeps_every_character),
		FILES(many_files_are_added_together),
		FILES(many_files_are_added_or_none),
		FILES(a_row_that_cannot_be_inserted_rolls_back_the_others),
		FILES(an_id_is_added_once),
		FILES(another_s_file_is_not_found),
		FILES(a_file_is_expired_in_the_second_of_its_expiry),
		FILES(a_file_without_expiry_stays),
		FILES(a_text_that_is_no_id_is_not_found),
		FILES(a_list_has_the_owner_s_files_newest_first),
		FILES(an_expired_file_is_not_listed),
		FILES(pages_show_each_file_once),
		FILES(a_page_continues_behind_a_deleted_file),
		FILES(a_search_finds_a_part_of_a_name),
		FILES(a_search_reads_wildcards_literally),
		FILES(a_search_may_be_as_long_as_a_name),
		FILES(a_list_ends_when_the_callback_returns_an_error),
		FILES(name_and_expiry_can_change),
		FILES(other_columns_cannot_change),
		FILES(another_s_file_cannot_be_changed_or_removed),
		FILES(a_removed_file_is_not_found),
		FILES(a_session_that_has_ended_is_refused),
		FILES(a_user_who_is_disabled_is_refused),
		FILES(a_session_has_ended_in_the_second_of_its_expiry),
		FILES(an_api_token_needs_its_session_and_its_secret),
		FILES(an_access_token_and_an_api_token_are_not_interchangeable),
		FILES(an_api_token_is_limited_to_its_scope),
		FILES(a_file_belongs_to_the_user_of_its_session),
		FILES(a_named_owner_limits_every_call_to_their_files),
		FILES(the_user_of_a_session_is_returned_for_the_log),
		FILES(a_statement_reads_few_rows_however_many_there_are),
		FILES(a_row_exists_for_any_owner_and_age),
		FILES(expired_files_are_listed_oldest_first),
		FILES(a_page_of_expired_files_begins_behind_another),
		FILES(a_row_that_is_being_written_is_waited_for),
		FILES(a_walk_goes_by_id_behind_the_last),
		FILES(every_page_has_a_maximum_length),
		FILES(a_count_has_files_bytes_and_owners),
		FILES(a_file_whose_expiry_was_removed_meanwhile_stays),
		FILES(a_change_of_the_name_leaves_a_new_expiry_alone),
		FILES(every_call_is_unavailable_without_a_database),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, open_db, owners_close);
}
