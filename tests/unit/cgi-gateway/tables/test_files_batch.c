/* Uploads that end at the same time, by many threads. How they fall into
 * transactions is chance; what they leave is not. */
#include "cgi-gateway/tables/files_batch.h"
#include "cgi-gateway/tables/name_index.h"
#include "tests/unit/cgi-gateway/owners.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 12, EACH = 20 };

#define ONE "https://one.example/hook"
#define TWO "https://two.example/hook"
static const struct webhook_targets none = { 0 };
static const struct webhook_targets both = { 2, { ONE, TWO } };

struct uploader {
	pthread_t thread;
	struct files_batch *batch;
	uint64_t owner;
	int number, each;
	bool same_id; /* of all its files */
	int done, refused, conflicts, other;
};

static struct file made(uint64_t owner, int n)
{
	struct file f = { .type = "text/plain",
			  .claimed_type = "text/plain",
			  .size = 3,
			  .created_at = NOW };

	(void)snprintf(f.id, sizeof(f.id), "0190b3a2-%04x-7000-8000-%012x",
		       (unsigned)owner, (unsigned)n);
	(void)snprintf(f.name, sizeof(f.name), "gr\xc3\xbc\xc3\x9f %d.txt", n);
	return f;
}

static void *upload(void *arg)
{
	struct uploader *u = arg;
	struct errmsg cause = { "" };

	for (int i = 0; i < u->each; i++) {
		const int n = u->number * EACH + (u->same_id ? 0 : i);
		const struct file f = made(u->owner, n);
		enum err e = files_batch_add(u->batch, u->owner, &f, &cause);

		if (e == ERR_OK)
			u->done++;
		else if (e == ERR_QUOTA || e == ERR_QUOTA_FILES)
			u->refused++;
		else if (e == ERR_CONFLICT)
			u->conflicts++;
		else if (u->other++ == 0)
			print_error("%s: %s\n", err_text(e), cause.text);
	}
	db_thread_end();
	return NULL;
}

static struct files_batch *batch_of(const struct quota_limits *limits,
				    const struct webhook_targets *to)
{
	struct files_batch *b = NULL;

	assert_ok(files_batch_open(db, limits, to, &b));
	return b;
}

static void start(struct uploader *u)
{
	assert_int_equal(pthread_create(&u->thread, NULL, upload, u), 0);
}

static void finish(const struct uploader *u)
{
	assert_int_equal(pthread_join(u->thread, NULL), 0);
}

/* Odd threads upload for Bob, the others for Ann */
static struct uploader all(struct files_batch *b, struct uploader *first)
{
	struct uploader u[THREADS], sum = { 0 };

	for (int i = 0; i < THREADS; i++) {
		u[i] = (struct uploader) { .batch = b,
					   .owner = i % 2 != 0 ? BOB : ANN,
					   .number = i,
					   .each = EACH };
		if (i == 0 && first != NULL)
			u[i].same_id = first->same_id;
		start(&u[i]);
	}
	for (int i = 0; i < THREADS; i++) {
		finish(&u[i]);
		if (i == 0 && first != NULL) {
			*first = u[i];
			continue;
		}
		sum.done += u[i].done;
		sum.refused += u[i].refused;
		sum.conflicts += u[i].conflicts;
		sum.other += u[i].other;
	}
	return sum;
}

static int64_t number_of(const char *what)
{
	int64_t n = -1;

	if (strcmp(what, "commits") == 0)
		assert_ok(db_row(db,
				 "SELECT CAST(variable_value AS SIGNED)"
				 "  FROM information_schema.global_status"
				 " WHERE variable_name = 'COM_COMMIT'",
				 DB_NONE, DB_OUT(db_to_int(&n)), &why));
	else if (strcmp(what, "events") == 0)
		assert_ok(db_row(db, "SELECT COUNT(*) FROM event", DB_NONE,
				 DB_OUT(db_to_int(&n)), &why));
	else
		assert_ok(db_row(db, "SELECT COUNT(*) FROM file_gram", DB_NONE,
				 DB_OUT(db_to_int(&n)), &why));
	return n;
}

static void assert_usage(uint64_t owner, int64_t files)
{
	struct usage u;
	struct amount was, is;

	assert_ok(quota_show(db, owner, &unlimited, &u, &why));
	assert_int_equal(u.files, files);
	assert_int_equal(u.bytes, 3 * files);
	assert_ok(quota_recount(db, owner, &was, &is, &why));
	assert_int_equal(is.files, files);
	assert_int_equal(is.bytes, 3 * files);
}

static void many_uploads_share_transactions(void **state)
{
	struct files_batch *b = batch_of(&unlimited, &none);
	const int64_t commits = number_of("commits");
	struct uploader sum = all(b, NULL);

	(void)state;
	assert_int_equal(sum.done, THREADS * EACH);
	assert_int_equal(sum.other, 0);
	assert_true(number_of("commits") - commits < THREADS * EACH * 3 / 4);
	assert_usage(ANN, THREADS / 2 * EACH);
	assert_usage(BOB, THREADS / 2 * EACH);
	files_batch_close(b);
}

/* The index is what it would be if each had been added alone */
static void every_name_is_indexed(void **state)
{
	struct files_batch *b = batch_of(&unlimited, &none);
	struct uploader sum = all(b, NULL);
	int64_t grams = number_of("grams"), indexed = 0;

	(void)state;
	assert_int_equal(sum.done, THREADS * EACH);
	assert_ok(
		db_change(db, "UPDATE file SET folded = NULL", DB_NONE, &why));
	assert_ok(db_change(db, "DELETE FROM file_gram", DB_NONE, &why));
	while (name_index_rest(db, &indexed, &why) == ERR_OK)
		;
	assert_int_equal(number_of("grams"), grams);
	files_batch_close(b);
}

static void every_upload_has_its_events(void **state)
{
	struct files_batch *b = batch_of(&unlimited, &both);
	struct uploader sum = all(b, NULL);

	(void)state;
	assert_int_equal(sum.done, THREADS * EACH);
	assert_int_equal(number_of("events"), 2 * THREADS * EACH);
	files_batch_close(b);
}

static void a_limit_holds_exactly(void **state)
{
	static const struct quota_limits some = { QUOTA_NONE, 17 };
	struct files_batch *b = batch_of(&some, &none);
	struct uploader sum = all(b, NULL);

	(void)state;
	assert_int_equal(sum.done, 2 * 17);
	assert_int_equal(sum.refused, THREADS * EACH - 2 * 17);
	assert_int_equal(sum.other, 0);
	assert_usage(ANN, 17);
	assert_usage(BOB, 17);
	files_batch_close(b);
}

static void an_upload_that_fails_fails_alone(void **state)
{
	struct files_batch *b = batch_of(&unlimited, &none);
	struct uploader bad = { .same_id = true }, sum = all(b, &bad);

	(void)state;
	assert_int_equal(bad.done, 1);
	assert_int_equal(bad.conflicts, EACH - 1);
	assert_int_equal(sum.done, (THREADS - 1) * EACH);
	assert_int_equal(sum.conflicts + sum.other, 0);
	assert_usage(ANN, (THREADS / 2 - 1) * EACH + 1);
	assert_usage(BOB, THREADS / 2 * EACH);
	files_batch_close(b);
}

static void a_locked_row_delays_its_owner_only(void **state)
{
	struct files_batch *b = batch_of(&unlimited, &none);
	struct uploader ann = { .batch = b, .owner = ANN, .each = 1 };
	struct uploader bobs[4];
	struct db_conn *c = NULL;
	int64_t files;

	(void)state;
	ann.number = 99;
	assert_ok(quota_set(db, ANN, &unlimited, &why));
	assert_ok(db_begin(db, &c, &why));
	assert_ok(db_tx_row(c,
			    "SELECT files"
			    "  FROM quota"
			    " WHERE owner = ?"
			    "   FOR UPDATE",
			    DB_IN(db_uint(ANN)), DB_OUT(db_to_int(&files)),
			    &why));
	start(&ann);
	for (int i = 0; i < 4; i++) {
		bobs[i] = (struct uploader) {
			.batch = b, .owner = BOB, .number = i, .each = EACH
		};
		start(&bobs[i]);
	}
	for (int i = 0; i < 4; i++) {
		finish(&bobs[i]); /* while the row is locked */
		assert_int_equal(bobs[i].done, EACH);
	}
	db_rollback(c);
	finish(&ann);
	assert_int_equal(ann.done, 1);
	assert_usage(ANN, 1);
	assert_usage(BOB, 4 * EACH);
	files_batch_close(b);
}

#define BATCH(name) cmocka_unit_test_setup(name, owners_clear)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		BATCH(many_uploads_share_transactions),
		BATCH(every_name_is_indexed),
		BATCH(every_upload_has_its_events),
		BATCH(a_limit_holds_exactly),
		BATCH(an_upload_that_fails_fails_alone),
		BATCH(a_locked_row_delays_its_owner_only),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, owners_open, owners_close);
}
