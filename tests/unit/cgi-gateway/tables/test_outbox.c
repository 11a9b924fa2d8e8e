#include "cgi-gateway/tables/outbox.h"

#include "tests/unit/cgi-gateway/owners.h"

#include <pthread.h>
#include <stdatomic.h>

enum { DAY = 86400 };

#define ONE "http://127.0.0.1:1/one"
#define TWO "https://two.example/hook?x=y"
static const struct webhook_targets one = { 1, { ONE } };
static const struct webhook_targets both = { 2, { ONE, TWO } };

/* Ann's file number `n` */
static struct file made(int n)
{
	struct file f = { .owner = ANN,
			  .name = "a \"b\" \xc3\xa9.txt",
			  .type = "text/plain",
			  .claimed_type = "text/x-odd",
			  .size = 5,
			  .created_at = NOW,
			  .expires_at = FILES_NEVER };

	(void)snprintf(f.id, sizeof(f.id), "0190b3a2-0000-7000-8000-%012x",
		       (unsigned)n);
	memset(f.sha256, n, sizeof(f.sha256));
	return f;
}

static enum err add_many(const struct file *files, size_t count,
			 const struct quota_limits *limits,
			 const struct webhook_targets *to)
{
	struct asker a;

	return files_add(db, asking(&a, ANN), 0, limits, files, count, to,
			 &why);
}

static void add(const struct file *f, const struct webhook_targets *to)
{
	assert_ok(add_many(f, 1, &unlimited, to));
}

static enum err delete_file(const struct file *f,
			    const struct webhook_targets *to)
{
	struct asker a;

	return files_remove(db, asking(&a, ANN), 0, span_of(f->id), to, &why);
}

static int64_t rows(void)
{
	int64_t n = -1;

	assert_ok(db_row(db, "SELECT COUNT(*) FROM event", DB_NONE,
			 DB_OUT(db_to_int(&n)), &why));
	return n;
}

struct seen {
	struct event row, all[OUTBOX_LIST_MAX];
	size_t count;
};

static enum err add_to_seen(void *arg)
{
	struct seen *s = arg;

	s->all[s->count++] = s->row;
	return ERR_OK;
}

static struct seen s;

static size_t list(struct outbox_filter which)
{
	s.count = 0;
	assert_ok(outbox_list(db, &which, 0, &s.row, add_to_seen, &s, &why));
	return s.count;
}

static size_t due(const char *target, int64_t now)
{
	s.count = 0;
	assert_ok(outbox_due(db, target, now, &s.row, add_to_seen, &s, &why));
	return s.count;
}

/* "uploaded 1, deleted 1" of what is in `s` */
static const char *names(void)
{
	static char text[4096];
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < s.count; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s %s",
				      i > 0 ? ", " : "", s.all[i].kind,
				      s.all[i].file.id + 35);
	return text;
}

#define assert_due(target, now, want)                     \
	do {                                              \
		(void)due(target, now);                   \
		assert_string_equal(names(), "" want ""); \
	} while (0)

static void claim_first(const char *target, int64_t now, struct event *out)
{
	assert_true(due(target, now) > 0);
	*out = s.all[0];
	assert_ok(outbox_claim(db, out, now, now + 60, &why));
}

static void assert_same_file(const struct file *a, const struct file *b)
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
	assert_string_equal(a->upload_link, b->upload_link);
}

/* --- adding --------------------------------------------------------------- */

static void an_upload_adds_an_event_for_each_receiver_with_the_row_of_the_file(
	void **state)
{
	struct file f = made(1);

	(void)state;
	f.expires_at = NOW + 100;
	(void)snprintf(f.upload_link, sizeof(f.upload_link), "%s",
		       "abcdefghijklmnopqrstuv");
	add(&f, &both);
	assert_int_equal(list((struct outbox_filter) { 0 }), 2);
	for (int i = 0; i < 2; i++) {
		const struct event *e = &s.all[i];

		assert_string_equal(e->target, both.url[i]);
		assert_string_equal(e->kind, "uploaded");
		assert_true(e->at == NOW);
		assert_same_file(&e->file, &f);
		assert_int_equal(e->attempts, 0);
		assert_int_equal(e->tried_at, 0);
		assert_int_equal(e->dead_at, 0);
		assert_string_equal(e->why, "");
	}
	assert_true(s.all[0].id < s.all[1].id);
}

static void an_event_names_the_owner_and_not_the_uploader(void **state)
{
	struct file f = made(1);
	struct asker a;

	(void)state;
	assert_ok(files_add(db, asking(&a, ANN), BOB, &unlimited, &f, 1, &one,
			    &why));
	assert_int_equal(list((struct outbox_filter) { 0 }), 1);
	assert_true(s.all[0].file.owner == BOB);
	assert_string_equal(s.all[0].owner_email, "bob@example.org");
}

static void an_event_of_a_disabled_owner_has_no_email(void **state)
{
	struct file f = made(1);
	struct asker a;

	(void)state;
	assert_ok(files_add(db, asking(&a, ANN), BOB, &unlimited, &f, 1, &one,
			    &why));
	sessions_disable(db, BOB, true);
	assert_int_equal(list((struct outbox_filter) { 0 }), 1);
	assert_true(s.all[0].file.owner == BOB);
	assert_string_equal(s.all[0].owner_email, "");
}

static void no_event_is_added_without_receivers(void **state)
{
	const struct webhook_targets none = { 0 };
	struct file f = made(1), g = made(2);

	(void)state;
	add(&f, NULL);
	add(&g, &none);
	assert_ok(delete_file(&f, NULL));
	assert_ok(delete_file(&g, &none));
	assert_int_equal(rows(), 0);
}

static void a_rollback_adds_no_event(void **state)
{
	const struct file twice[] = { made(1), made(2), made(1) };
	const struct quota_limits two = { QUOTA_NONE, 2 };
	struct asker a;

	(void)state;
	assert_err(add_many(twice, 3, &unlimited, &both), ERR_CONFLICT);
	assert_err(add_many(twice, 3, &two, &both), ERR_QUOTA_FILES);
	assert_int_equal(rows(), 0);
	sessions_revoke(db, session_of(ANN));
	assert_err(add_many(twice, 1, &unlimited, &both), ERR_BAD_TOKEN);
	assert_int_equal(rows(), 0);
	sessions_put(db, &(struct session) { .user = ANN });
	assert_ok(add_many(twice, 2, &two, &both));
	assert_int_equal(rows(), 4);
	/* nor does a deletion that finds nothing or is not allowed */
	assert_err(files_remove(db, asking(&a, BOB), 0, span_of(twice[0].id),
				&both, &why),
		   ERR_NOT_FOUND);
	assert_err(delete_file(&(struct file) { .id = "x" }, &both),
		   ERR_NOT_FOUND);
	assert_int_equal(rows(), 4);
}

static void a_deletion_event_has_the_file_as_it_was_at_the_end(void **state)
{
	struct file f = made(1);
	struct asker a;

	(void)state;
	add(&f, NULL);
	(void)snprintf(f.name, sizeof(f.name), "renamed");
	f.expires_at = NOW + 5;
	assert_ok(files_update(db, asking(&a, ANN), &f, BOTH, &why));
	assert_ok(delete_file(&f, &both));
	assert_int_equal(file_table_rows(db), 0);
	assert_int_equal(list((struct outbox_filter) { 0 }), 2);
	assert_string_equal(s.all[0].kind, "deleted");
	assert_same_file(&s.all[0].file, &f);
	assert_err(delete_file(&f, &both), ERR_NOT_FOUND);
	assert_int_equal(rows(), 2);
}

static void an_expiry_adds_one_event_of_its_own_kind(void **state)
{
	struct file f = made(1);

	(void)state;
	f.expires_at = NOW;
	add(&f, NULL);
	assert_err(files_delete_expired(db, &f, NOW - 1, &one, &why),
		   ERR_NOT_FOUND);
	assert_int_equal(rows(), 0);
	assert_ok(files_delete_expired(db, &f, NOW, &one, &why));
	assert_err(files_delete_expired(db, &f, NOW, &one, &why),
		   ERR_NOT_FOUND);
	assert_int_equal(list((struct outbox_filter) { 0 }), 1);
	assert_string_equal(s.all[0].kind, "expired");
	assert_true(s.all[0].at == NOW);
	assert_same_file(&s.all[0].file, &f);
}

/* --- due events ----------------------------------------------------------- */

/* When an event of this kind, the first in the list, is to be tried */
static int64_t due_of(const char *kind, const char *target)
{
	size_t n = list((struct outbox_filter) { .target = target });

	for (size_t i = 0; i < n; i++)
		if (strcmp(s.all[i].kind, kind) == 0)
			return s.all[i].due_at;
	return -1;
}

static void an_event_waits_for_earlier_events_of_its_file(void **state)
{
	struct file f = made(1), g = made(2);
	struct event e;

	(void)state;
	add(&f, &both);
	add(&g, &both);
	assert_ok(delete_file(&f, &both));
	assert_due(ONE, NOW, "uploaded 1, uploaded 2");
	/* also while that is under way, and when it has failed */
	claim_first(ONE, NOW, &e);
	assert_due(ONE, NOW, "uploaded 2");
	assert_ok(outbox_failed(db, &e, NOW, 0, 3, "HTTP 500", &why));
	assert_due(ONE, NOW, "uploaded 2");
	assert_due(ONE, NOW + 10, "uploaded 2, uploaded 1");
	/* the later event is postponed with it, so that no page reads it */
	assert_true(due_of("deleted", ONE) == NOW + 10);
	assert_true(due_of("deleted", TWO) == NOW);
	/* the operator may make both due at once */
	assert_ok(outbox_retry(db, e.id, NOW + 5, &why));
	assert_true(due_of("deleted", ONE) == NOW + 5);
	assert_due(ONE, NOW + 5, "uploaded 2, uploaded 1");
	/* other targets do not wait for it */
	claim_first(TWO, NOW, &e);
	assert_ok(outbox_delivered(db, &e, &why));
	assert_due(TWO, NOW, "uploaded 2, deleted 1");
	/* and is due when the earlier event is delivered */
	assert_int_equal(due(ONE, NOW + 10), 2);
	e = s.all[1];
	assert_ok(outbox_claim(db, &e, NOW, NOW, &why));
	assert_ok(outbox_delivered(db, &e, &why));
	assert_due(ONE, NOW + 10, "uploaded 2, deleted 1");
}

static void a_dead_event_delays_no_other(void **state)
{
	struct file f = made(1);
	struct event e;

	(void)state;
	add(&f, &one);
	assert_ok(delete_file(&f, &one));
	claim_first(ONE, NOW, &e);
	assert_ok(outbox_failed(db, &e, NOW + 3 * DAY, 0, 3, "no", &why));
	assert_true(e.dead_at == NOW + 3 * DAY);
	assert_due(ONE, NOW + 3 * DAY, "deleted 1");
	assert_due(ONE, NOW + 100 * DAY, "deleted 1");
	/* unless the operator retries it */
	assert_ok(outbox_retry(db, e.id, NOW + 4 * DAY, &why));
	assert_due(ONE, NOW + 4 * DAY, "uploaded 1");
}

static void an_event_is_due_from_its_time_on(void **state)
{
	struct file f = made(1);

	(void)state;
	add(&f, &one);
	assert_due(ONE, NOW - 1, "");
	assert_due(ONE, NOW, "uploaded 1");
	assert_due(TWO, NOW, "");
}

static void a_page_has_at_most_OUTBOX_PAGE_events(void **state)
{
	static struct file files[OUTBOX_PAGE + 1];

	(void)state;
	for (int i = 0; i <= OUTBOX_PAGE; i++)
		files[i] = made(i);
	assert_ok(add_many(files, COUNT(files), &unlimited, &one));
	assert_int_equal(due(ONE, NOW), OUTBOX_PAGE);
	assert_int_equal(list((struct outbox_filter) { 0 }), OUTBOX_PAGE + 1);
}

/* --- claims --------------------------------------------------------------- */

static void a_claim_excludes_other_processes_until_it_expires(void **state)
{
	struct file f = made(1);
	struct event mine, theirs;

	(void)state;
	add(&f, &one);
	assert_int_equal(due(ONE, NOW), 1);
	mine = theirs = s.all[0];
	assert_ok(outbox_claim(db, &mine, NOW, NOW + 60, &why));
	assert_int_equal(mine.attempts, 1);
	assert_true(mine.tried_at == NOW);
	assert_err(outbox_claim(db, &theirs, NOW, NOW + 60, &why),
		   ERR_NOT_FOUND);
	assert_int_equal(theirs.attempts, 0);
	assert_due(ONE, NOW + 59, "");
	assert_due(ONE, NOW + 60, "uploaded 1");
	theirs = s.all[0];
	assert_ok(outbox_claim(db, &theirs, NOW + 60, NOW + 120, &why));
	assert_int_equal(theirs.attempts, 2);
	assert_true(theirs.tried_at == NOW); /* the first */
}

static void an_expired_claim_changes_nothing(void **state)
{
	struct file f = made(1);
	struct event late, in_time;

	(void)state;
	add(&f, &one);
	claim_first(ONE, NOW, &late);
	claim_first(ONE, NOW + 60, &in_time);
	assert_err(outbox_failed(db, &late, NOW + 61, 0, 3, "late", &why),
		   ERR_NOT_FOUND);
	assert_string_equal(late.why, "");
	assert_err(outbox_delivered(db, &late, &why), ERR_NOT_FOUND);
	assert_int_equal(rows(), 1);
	assert_ok(outbox_delivered(db, &in_time, &why));
	assert_int_equal(rows(), 0);
}

static void a_failed_event_is_retried_after_pauses_that_double(void **state)
{
	static const int64_t pauses[] = { 10,  20,   40,   80,	 160,  320,
					  640, 1280, 2560, 3600, 3600, 3600 };
	struct file f = made(1);
	struct event e;
	int64_t now = NOW;

	(void)state;
	add(&f, &one);
	for (size_t i = 0; i < COUNT(pauses); i++) {
		assert_due(ONE, now - 1, "");
		claim_first(ONE, now, &e);
		assert_int_equal(e.attempts, i + 1);
		assert_ok(outbox_failed(db, &e, now, 0, 3, "HTTP 503", &why));
		assert_true(e.due_at == now + pauses[i]);
		assert_string_equal(e.why, "HTTP 503");
		now = e.due_at;
	}
	assert_int_equal(list((struct outbox_filter) { 0 }), 1);
	assert_string_equal(s.all[0].why, "HTTP 503");
	assert_true(s.all[0].due_at == now);
}

static void a_receiver_may_ask_for_a_longer_pause_up_to_a_limit(void **state)
{
	struct file f = made(1);
	struct event e;

	(void)state;
	add(&f, &one);
	claim_first(ONE, NOW, &e);
	assert_ok(outbox_failed(db, &e, NOW, 120, 3, "HTTP 429", &why));
	assert_true(e.due_at == NOW + 120);
	claim_first(ONE, NOW + 120, &e);
	assert_ok(outbox_failed(db, &e, NOW, 5, 3, "HTTP 429", &why));
	assert_true(e.due_at == NOW + 20);
	claim_first(ONE, NOW + 20, &e);
	assert_ok(outbox_failed(db, &e, NOW, INT64_MAX, 3, "HTTP 429", &why));
	assert_true(e.due_at == NOW + OUTBOX_RETRY_MAX);
}

static void an_event_is_dead_so_many_days_after_its_first_attempt(void **state)
{
	struct file f = made(1);
	struct event e;
	int64_t first = NOW + 100 * DAY; /* not tried before, so not dead */

	(void)state;
	add(&f, &one);
	claim_first(ONE, first, &e);
	assert_ok(outbox_failed(db, &e, first, 0, 1, "a", &why));
	assert_int_equal(e.dead_at, 0);
	claim_first(ONE, first + DAY - 1, &e);
	assert_ok(outbox_failed(db, &e, first + DAY - 1, 0, 1, "b", &why));
	assert_int_equal(e.dead_at, 0);
	claim_first(ONE, e.due_at, &e);
	assert_ok(outbox_failed(db, &e, first + DAY, 0, 1, "c", &why));
	assert_true(e.dead_at == first + DAY);
	assert_due(ONE, first + 1000 * DAY, "");
	/* a dead event that is retried has all its days again */
	assert_ok(outbox_retry(db, e.id, first + 2 * DAY, &why));
	claim_first(ONE, first + 2 * DAY, &e);
	assert_int_equal(e.attempts, 1);
	assert_ok(outbox_failed(db, &e, first + 2 * DAY, 0, 1, "d", &why));
	assert_int_equal(e.dead_at, 0);
}

/* --- for gateway-admin ---------------------------------------------------- */

static struct outbox_total totals[4], total_row;
static size_t total_count;

static enum err add_total(void *arg)
{
	(void)arg;
	totals[total_count++] = total_row;
	return ERR_OK;
}

static void totals_count_the_events_of_each_receiver(void **state)
{
	struct file f = made(1), g = made(2);
	struct event e;

	(void)state;
	add(&f, &both);
	add(&g, &both);
	assert_ok(db_change(db,
			    "UPDATE event SET at = at - 50 WHERE kind ="
			    " 'uploaded' AND receiver = 'http://127.0.0.1:1/"
			    "one' LIMIT 1",
			    DB_NONE, &why));
	for (int i = 0; i < 2; i++) {
		claim_first(TWO, NOW, &e);
		assert_ok(outbox_failed(db, &e, NOW + DAY, 0, 1, "x", &why));
	}
	total_count = 0;
	assert_ok(outbox_totals(db, &total_row, add_total, NULL, &why));
	assert_int_equal(total_count, 2);
	assert_string_equal(totals[0].target, ONE);
	assert_int_equal(totals[0].waiting, 2);
	assert_int_equal(totals[0].dead, 0);
	assert_true(totals[0].oldest == NOW - 50);
	assert_string_equal(totals[1].target, TWO);
	assert_int_equal(totals[1].waiting, 0);
	assert_int_equal(totals[1].dead, 2);
	assert_int_equal(totals[1].oldest, 0);
}

static void a_list_shows_the_events_that_fit_the_filter(void **state)
{
	struct file f = made(1), g = made(2);
	struct event e;

	(void)state;
	add(&f, &both);
	add(&g, &both);
	claim_first(TWO, NOW, &e);
	assert_ok(outbox_failed(db, &e, NOW + DAY, 0, 1, "x", &why));
	assert_int_equal(list((struct outbox_filter) { 0 }), 4);
	assert_int_equal(list((struct outbox_filter) { .target = ONE }), 2);
	assert_int_equal(list((struct outbox_filter) { .target = "x" }), 0);
	assert_int_equal(list((struct outbox_filter) { .dead = true }), 1);
	assert_true(s.all[0].id == e.id);
	assert_int_equal(
		list((struct outbox_filter) { .target = ONE, .dead = true }),
		0);
	assert_int_equal(list((struct outbox_filter) { .id = (int64_t)e.id }),
			 1);
	s.count = 0;
	assert_ok(outbox_list(db, &(struct outbox_filter) { 0 }, e.id, &s.row,
			      add_to_seen, &s, &why));
	assert_true(s.count > 0 && s.all[0].id > e.id);
	assert_ok(outbox_forget(db, e.id, &why));
	assert_err(outbox_forget(db, e.id, &why), ERR_NOT_FOUND);
	assert_err(outbox_retry(db, e.id, NOW, &why), ERR_NOT_FOUND);
	assert_int_equal(rows(), 3);
}

static void gc_removes_old_events_that_will_not_be_delivered(void **state)
{
	struct file f = made(1), g = made(2);
	const int64_t later = NOW + OUTBOX_KEPT;
	struct event e;
	int64_t removed = -1;

	(void)state;
	add(&f, &both);
	add(&g, &one);
	claim_first(ONE, NOW, &e);
	assert_ok(outbox_failed(db, &e, NOW + DAY, 0, 1, "x", &why));
	assert_ok(outbox_gc(db, &one, later - 1, false, &removed, &why));
	assert_int_equal(removed, 0);
	/* for a target that is not in EVENT_URLS; a dry run first */
	assert_ok(outbox_gc(db, &one, later, true, &removed, &why));
	assert_int_equal(removed, 1);
	assert_int_equal(rows(), 3);
	assert_ok(outbox_gc(db, &one, later, false, &removed, &why));
	assert_int_equal(removed, 1);
	assert_int_equal(list((struct outbox_filter) { .target = TWO }), 0);
	/* the dead one a day later; a waiting event stays, however old */
	assert_ok(outbox_gc(db, &one, later + DAY, false, &removed, &why));
	assert_int_equal(removed, 1);
	assert_ok(outbox_gc(db, &one, later * 2, false, &removed, &why));
	assert_int_equal(removed, 0);
	assert_int_equal(rows(), 1);
}

/* Rows that this connection has read so far, by the server's own count */
static int64_t rows_read(struct db *single)
{
	int64_t n = 0;

	assert_ok(db_row(single,
			 "SELECT CAST(SUM(variable_value) AS SIGNED)"
			 " FROM information_schema.session_status"
			 " WHERE variable_name LIKE 'Handler_read%'",
			 DB_NONE, DB_OUT(db_to_int(&n)), &why));
	return n;
}

/* Rows that one page reads, without those of the counting itself */
static int64_t rows_of(struct db *single, const char *target, int64_t now)
{
	int64_t first = rows_read(single), second = rows_read(single);
	enum err e;

	s.count = 0;
	e = outbox_due(single, target, now, &s.row, add_to_seen, &s, &why);
	assert_ok(e);
	return rows_read(single) - second - (second - first);
}

static void a_page_reads_few_rows_however_many_wait(void **state)
{
	struct db *single = mariadb_pool(1);
	struct file f = made(1);

	(void)state;
	/* Of each four: failed and due later, dead, another target's, not due
	 */
	assert_ok(db_change(
		db,
		"INSERT INTO event (receiver, kind, at, due_at, file_id, owner,"
		" name, type, size, sha256, created_at, dead_at)"
		" SELECT IF(seq % 4 = 2, 'http://other/', 'http://127.0.0.1:1/"
		"one'), 'uploaded', 1000, IF(seq % 4 = 1, 1000, 4000000000),"
		" CONCAT('0190b3a2-0000-7000-8000-',"
		" LPAD(LOWER(HEX(seq + 100)), 12, '0')), 42, 'a', '', 1,"
		" REPEAT('s', 32), 1000, IF(seq % 4 = 1, 2000, NULL)"
		" FROM seq_1_to_20000",
		DB_NONE, &why));
	add(&f, &one);
	assert_ok(delete_file(&f, &one));
	for (int i = 0; i < 2; i++) {
		int64_t n = rows_of(single, ONE, NOW);

		assert_string_equal(names(), "uploaded 1");
		if (n > 20)
			print_error("%lld rows\n", (long long)n);
		assert_true(n > 0 && n <= 20);
		/* a full page */
		n = rows_of(single, ONE, INT64_C(4000000000));
		assert_int_equal(s.count, OUTBOX_PAGE);
		if (n > 10 * OUTBOX_PAGE)
			print_error("%lld rows\n", (long long)n);
		assert_true(n <= 10 * OUTBOX_PAGE);
		assert_ok(db_row(single, "ANALYZE TABLE event", DB_NONE,
				 DB_OUT(db_to_text((char[256]) { 0 }, 256),
					db_to_text((char[256]) { 0 }, 256),
					db_to_text((char[256]) { 0 }, 256),
					db_to_text((char[256]) { 0 }, 256)),
				 &why));
	}
	db_close(single);
}

/* --- many at a time ------------------------------------------------------- */

enum { THREADS = 6, FILES = 60 };

struct worker {
	pthread_t thread;
	unsigned seed;
	int done, other;
};

static void report_error(struct worker *w, enum err e,
			 const struct errmsg *cause)
{
	if (w->other++ == 0)
		print_error("%s: %s\n", err_text(e), cause->text);
}

static unsigned next_random(struct worker *w)
{
	w->seed = w->seed * 1103515245 + 12345;
	return w->seed >> 16;
}

static pthread_mutex_t sent_lock = PTHREAD_MUTEX_INITIALIZER;
static char sent[FILES + 1][8]; /* the kinds of each file in order: "ud" */
static atomic_int claims[FILES + 1];
static atomic_int overlaps;

/* Claim, fail or deliver, and record what a target would see. Each turn of
 * the loop advances the time, so that failed events are due again. */
static void *delivering(void *arg)
{
	struct worker *w = arg;
	struct seen *mine = calloc(1, sizeof(*mine));
	struct errmsg cause;

	assert_non_null(mine);
	for (int64_t now = NOW; rows() > 0; now += 100) {
		enum err e;

		mine->count = 0;
		e = outbox_due(db, ONE, now, &mine->row, add_to_seen, mine,
			       &cause);
		for (size_t i = 0; i < mine->count && e == ERR_OK; i++) {
			struct event *ev = &mine->all[i];
			int64_t n;

			/* long, because each thread has its own clock */
			e = outbox_claim(db, ev, now, now + 100000000, &cause);
			if (e == ERR_NOT_FOUND) {
				e = ERR_OK;
				continue;
			}
			if (e != ERR_OK)
				break;
			assert_true(span_to_int(span_of(ev->file.id + 33), &n));
			if (atomic_fetch_add(&claims[n], 1) != 0)
				atomic_fetch_add(&overlaps, 1);
			if (next_random(w) % 2 == 0) {
				atomic_fetch_sub(&claims[n], 1);
				e = outbox_failed(db, ev, now, 0, 100000, "x",
						  &cause);
				continue;
			}
			(void)pthread_mutex_lock(&sent_lock);
			sent[n][strlen(sent[n])] = ev->kind[0];
			(void)pthread_mutex_unlock(&sent_lock);
			atomic_fetch_sub(&claims[n], 1);
			e = outbox_delivered(db, ev, &cause);
			w->done++;
		}
		if (e != ERR_OK)
			report_error(w, e, &cause);
	}
	free(mine);
	db_thread_end();
	return NULL;
}

static void parallel_deliveries_send_each_event_once_and_in_order(void **state)
{
	struct worker w[THREADS] = { 0 };
	int done = 0;

	(void)state;
	for (int i = 0; i < FILES; i++) {
		struct file f = made(0);

		(void)snprintf(f.id + 24, sizeof(f.id) - 24, "%012d", i);
		add(&f, &one);
		assert_ok(delete_file(&f, &one));
	}
	for (unsigned i = 0; i < THREADS; i++) {
		w[i].seed = i * 7919 + 1;
		assert_int_equal(
			pthread_create(&w[i].thread, NULL, delivering, &w[i]),
			0);
	}
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(w[i].thread, NULL), 0);
		assert_int_equal(w[i].other, 0);
		done += w[i].done;
	}
	assert_int_equal(done, 2 * FILES);
	assert_int_equal(atomic_load(&overlaps), 0);
	for (int i = 0; i < FILES; i++)
		assert_string_equal(sent[i], "ud");
}

enum { BATCH = 5 };
static atomic_int adding; /* threads that are not done */

/* Add and delete files of its own, a few at a time */
static void *adding_and_deleting(void *arg)
{
	struct worker *w = arg;
	struct asker a;
	struct errmsg cause;

	for (int i = 0; i < FILES; i += BATCH) {
		struct file f[BATCH];
		enum err e;

		for (int k = 0; k < BATCH; k++)
			f[k] = made((int)w->seed * 1000 + i + k);
		e = files_add(db, asking(&a, ANN), 0, &unlimited, f, BATCH,
			      &both, &cause);
		for (int k = 0; k < BATCH && e == ERR_OK; k++)
			e = files_remove(db, asking(&a, ANN), 0,
					 span_of(f[k].id), &both, &cause);
		if (e != ERR_OK)
			report_error(w, e, &cause);
	}
	atomic_fetch_sub(&adding, 1);
	db_thread_end();
	return NULL;
}

/* Each event of one target fails once and is delivered then */
static void *delivering_to(void *arg)
{
	struct worker *w = arg;
	const char *url = both.url[w->seed % 2];
	struct seen *mine = calloc(1, sizeof(*mine));
	struct errmsg cause;

	assert_non_null(mine);
	for (int64_t now = NOW; atomic_load(&adding) > 0 || rows() > 0;
	     now += 10) {
		enum err e;

		mine->count = 0;
		e = outbox_due(db, url, now, &mine->row, add_to_seen, mine,
			       &cause);
		for (size_t i = 0; i < mine->count && e == ERR_OK; i++) {
			struct event *ev = &mine->all[i];

			e = outbox_claim(db, ev, now, now + 60, &cause);
			if (e == ERR_OK && ev->attempts == 1)
				e = outbox_failed(db, ev, now, 0, 100000, "x",
						  &cause);
			else if (e == ERR_OK)
				e = outbox_delivered(db, ev, &cause);
			w->done += e == ERR_OK;
			if (e == ERR_NOT_FOUND)
				e = ERR_OK;
		}
		if (e != ERR_OK)
			report_error(w, e, &cause);
	}
	free(mine);
	db_thread_end();
	return NULL;
}

static void uploads_and_deliveries_do_not_deadlock(void **state)
{
	struct worker add[3] = { 0 }, take[4] = { 0 };

	(void)state;
	atomic_store(&adding, (int)COUNT(add));
	for (unsigned i = 0; i < COUNT(add); i++) {
		add[i].seed = i + 1;
		assert_int_equal(pthread_create(&add[i].thread, NULL,
						adding_and_deleting, &add[i]),
				 0);
	}
	for (unsigned i = 0; i < COUNT(take); i++) {
		take[i].seed = i;
		assert_int_equal(pthread_create(&take[i].thread, NULL,
						delivering_to, &take[i]),
				 0);
	}
	for (unsigned i = 0; i < COUNT(add); i++) {
		assert_int_equal(pthread_join(add[i].thread, NULL), 0);
		assert_int_equal(add[i].other, 0);
	}
	for (unsigned i = 0; i < COUNT(take); i++) {
		assert_int_equal(pthread_join(take[i].thread, NULL), 0);
		assert_int_equal(take[i].other, 0);
	}
	assert_int_equal(rows(), 0);
}

/* All threads rename and delete the same files, with events */
static void *changing(void *arg)
{
	struct worker *w = arg;
	struct asker a;
	struct errmsg cause;

	for (int i = 0; i < FILES; i++) {
		struct file f = made(i);
		enum err e;

		e = files_update(db, asking(&a, ANN), &f,
				 (struct files_changed) { .name = true },
				 &cause);
		if (e != ERR_OK && e != ERR_NOT_FOUND)
			report_error(w, e, &cause);
		e = files_remove(db, asking(&a, ANN), 0, span_of(f.id), &both,
				 &cause);
		w->done += e == ERR_OK;
		if (e != ERR_OK && e != ERR_NOT_FOUND)
			report_error(w, e, &cause);
	}
	db_thread_end();
	return NULL;
}

static void change_by_all(int want_deleted)
{
	struct worker w[THREADS] = { 0 };
	int done = 0;

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&w[i].thread, NULL, changing, &w[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(w[i].thread, NULL), 0);
		assert_int_equal(w[i].other, 0);
		done += w[i].done;
	}
	assert_int_equal(done, want_deleted);
	assert_int_equal(rows(), 2 * want_deleted);
}

static void renames_and_deletions_at_once_do_not_deadlock(void **state)
{
	static struct file files[FILES];

	(void)state;
	for (int i = 0; i < FILES; i++)
		files[i] = made(i);
	assert_ok(add_many(files, FILES, &unlimited, NULL));
	change_by_all(FILES);
	/* also without a row of quota, which serializes them otherwise */
	assert_int_equal(owners_clear(NULL), 0);
	assert_ok(add_many(files, FILES, &unlimited, NULL));
	assert_ok(db_change(db, "DELETE FROM quota", DB_NONE, &why));
	change_by_all(FILES);
}

#define EVENTS(name) cmocka_unit_test_setup(name, owners_clear)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		EVENTS(an_upload_adds_an_event_for_each_receiver_with_the_row_of_the_file),
		EVENTS(an_event_names_the_owner_and_not_the_uploader),
		EVENTS(an_event_of_a_disabled_owner_has_no_email),
		EVENTS(no_event_is_added_without_receivers),
		EVENTS(a_rollback_adds_no_event),
		EVENTS(a_deletion_event_has_the_file_as_it_was_at_the_end),
		EVENTS(an_expiry_adds_one_event_of_its_own_kind),
		EVENTS(an_event_waits_for_earlier_events_of_its_file),
		EVENTS(a_dead_event_delays_no_other),
		EVENTS(an_event_is_due_from_its_time_on),
		EVENTS(a_page_has_at_most_OUTBOX_PAGE_events),
		EVENTS(a_claim_excludes_other_processes_until_it_expires),
		EVENTS(an_expired_claim_changes_nothing),
		EVENTS(a_failed_event_is_retried_after_pauses_that_double),
		EVENTS(a_receiver_may_ask_for_a_longer_pause_up_to_a_limit),
		EVENTS(an_event_is_dead_so_many_days_after_its_first_attempt),
		EVENTS(totals_count_the_events_of_each_receiver),
		EVENTS(a_list_shows_the_events_that_fit_the_filter),
		EVENTS(gc_removes_old_events_that_will_not_be_delivered),
		EVENTS(a_page_reads_few_rows_however_many_wait),
		EVENTS(parallel_deliveries_send_each_event_once_and_in_order),
		EVENTS(uploads_and_deliveries_do_not_deadlock),
		EVENTS(renames_and_deletions_at_once_do_not_deadlock),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, owners_open, owners_close);
}
