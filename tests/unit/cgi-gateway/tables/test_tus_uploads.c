#include "cgi-gateway/tables/tus_uploads.h"

#include "cgi-gateway/tables/files.h"
#include "tests/unit/cgi-gateway/owners.h"

#include <pthread.h>
#include <stdatomic.h>

enum { LIFE = 1000 };

/* The upload number `n` of ANN */
static struct tus_upload made(int n, enum tus_concat concat, int64_t length)
{
	struct tus_upload u = { .owner = ANN,
				.concat = concat,
				.name = "a",
				.type = "text/plain",
				.length = length,
				.created_at = NOW,
				.expires_at = NOW + LIFE };

	(void)snprintf(u.id, sizeof(u.id), "0190b3a2-0000-7000-8000-%012x",
		       (unsigned)n);
	return u;
}

static struct file file_of(const struct tus_upload *u)
{
	struct file f = { .owner = u->owner,
			  .name = "a",
			  .type = "text/plain",
			  .size = u->length,
			  .created_at = NOW };

	memcpy(f.id, u->id, sizeof(f.id));
	return f;
}

static enum err add(struct tus_upload *u, const struct quota_limits *limits)
{
	struct asker a;

	return tus_uploads_add(db, asking(&a, ANN), 0, limits, u, &why);
}

static struct tus_upload added(int n, enum tus_concat concat, int64_t length)
{
	struct tus_upload u = made(n, concat, length);

	assert_ok(add(&u, &unlimited));
	return u;
}

static enum err find(int n, struct tus_upload *out)
{
	struct tus_upload u = made(n, TUS_WHOLE, 0);
	struct asker a;

	return tus_uploads_find(db, asking(&a, ANN), 0, span_of(u.id), out,
				&why);
}

static struct tus_upload found(int n)
{
	struct tus_upload u;

	assert_ok(find(n, &u));
	return u;
}

static enum err hold(struct tus_upload *u, int64_t bytes,
		     const struct quota_limits *limits)
{
	struct asker a;

	return tus_uploads_hold(db, asking(&a, ANN), limits, u, bytes, &why);
}

static enum err measured(struct tus_upload *u, int64_t length,
			 const struct quota_limits *limits)
{
	struct asker a;

	return tus_uploads_measured(db, asking(&a, ANN), limits, u, length,
				    &why);
}

static enum err finish(const struct tus_upload *u)
{
	const struct file f = file_of(u);
	struct asker a;

	return tus_uploads_finish(db, asking(&a, ANN), u, &f, NULL, &why);
}

static enum err join(int n, const struct tus_upload *parts, size_t count,
		     const struct quota_limits *limits)
{
	struct tus_upload whole = made(n, TUS_FINAL, 0);
	struct asker a;
	struct file f;

	whole.finished_at = NOW;
	for (size_t i = 0; i < count; i++)
		whole.length += parts[i].length;
	f = file_of(&whole);
	return tus_uploads_join(db, asking(&a, ANN), limits, &whole, &f, parts,
				count, NULL, &why);
}

/* What the row of ANN says, and that it agrees with all that there is */
static void assert_usage(int64_t bytes, int64_t files)
{
	struct amount was = { -1, -1 }, is = { -1, -1 };

	assert_ok(quota_recount(db, ANN, &was, &is, &why));
	assert_int_equal(was.bytes, bytes);
	assert_int_equal(was.files, files);
	assert_int_equal(is.bytes, bytes);
	assert_int_equal(is.files, files);
}

/* --- adding and finding --------------------------------------------------- */

static void what_is_added_is_found_as_it_was(void **state)
{
	struct tus_upload u = made(1, TUS_PARTIAL, 5000000000), got;
	struct asker a;

	(void)state;
	(void)snprintf(u.concat_sent, sizeof(u.concat_sent), "partial");
	(void)snprintf(u.name, sizeof(u.name), "%s",
		       "\xc3\xbc \xf0\x9f\x8e\x89");
	(void)snprintf(u.metadata, sizeof(u.metadata), "filename YQ==,b");
	u.has_sha256 = true;
	memset(u.sha256, 0xab, sizeof(u.sha256));
	u.life = 77;
	assert_ok(add(&u, &unlimited));
	assert_ok(tus_uploads_find(db, asking(&a, ANN), 0, span_of(u.id), &got,
				   &why));
	assert_true(a.who.user_id == ANN);
	assert_string_equal(got.id, u.id);
	assert_true(got.owner == ANN);
	assert_int_equal(got.concat, TUS_PARTIAL);
	assert_string_equal(got.concat_sent, "partial");
	assert_string_equal(got.name, u.name);
	assert_string_equal(got.type, "text/plain");
	assert_string_equal(got.metadata, "filename YQ==,b");
	assert_int_equal(got.length, 5000000000);
	assert_int_equal(got.held.bytes, 5000000000);
	assert_int_equal(got.held.files, 0);
	assert_true(got.has_sha256);
	assert_memory_equal(got.sha256, u.sha256, SHA256_LEN);
	assert_int_equal(got.life, 77);
	assert_int_equal(got.created_at, NOW);
	assert_int_equal(got.expires_at, NOW + LIFE);
	assert_int_equal(got.finished_at, TUS_UNFINISHED);
	assert_err(add(&u, &unlimited), ERR_CONFLICT);
	assert_usage(5000000000, 0);
}

static void so_is_what_was_left_out(void **state)
{
	struct tus_upload got;

	(void)state;
	(void)added(1, TUS_WHOLE, TUS_LENGTH_UNKNOWN);
	got = found(1);
	assert_int_equal(got.length, TUS_LENGTH_UNKNOWN);
	assert_int_equal(got.held.bytes, 0);
	assert_int_equal(got.held.files, 1);
	assert_false(got.has_sha256);
	assert_int_equal(got.life, FILES_NEVER);
	assert_string_equal(got.metadata, "");
	assert_string_equal(got.concat_sent, "");
	assert_usage(0, 1);
}

static void the_longest_of_everything_fits(void **state)
{
	struct tus_upload u = made(1, TUS_FINAL, 1), got;

	(void)state;
	memset(u.concat_sent, 'c', TUS_CONCAT_MAX);
	memset(u.metadata, 'm', TUS_METADATA_MAX);
	memset(u.name, 'n', FILE_NAME_MAX);
	memset(u.type, 't', FILE_TYPE_MAX);
	assert_ok(add(&u, &unlimited));
	got = found(1);
	assert_string_equal(got.concat_sent, u.concat_sent);
	assert_string_equal(got.metadata, u.metadata);
	assert_string_equal(got.name, u.name);
	assert_string_equal(got.type, u.type);
}

static void what_is_not_the_caller_s_is_not_found(void **state)
{
	struct tus_upload u = added(1, TUS_WHOLE, 3), got;
	struct asker a;

	(void)state;
	assert_err(tus_uploads_find(db, asking(&a, BOB), 0, span_of(u.id), &got,
				    &why),
		   ERR_NOT_FOUND);
	assert_err(tus_uploads_find(db, asking(&a, ANN), BOB, span_of(u.id),
				    &got, &why),
		   ERR_NOT_FOUND);
	assert_ok(tus_uploads_find(db, asking(&a, BOB), ANN, span_of(u.id),
				   &got, &why));
	assert_err(find(2, &got), ERR_NOT_FOUND);
	assert_err(tus_uploads_find(db, asking(&a, ANN), 0, SPAN("' OR 1 --"),
				    &got, &why),
		   ERR_NOT_FOUND);
}

static void an_ended_session_may_nothing(void **state)
{
	struct tus_upload u = added(1, TUS_WHOLE, TUS_LENGTH_UNKNOWN), got;
	struct tus_upload part = added(2, TUS_PARTIAL, 5);
	struct tus_upload more = made(3, TUS_WHOLE, 3);
	struct tus_upload nothing = made(4, TUS_PARTIAL, 0);

	(void)state;
	sessions_revoke(db, session_of(ANN));
	assert_err(add(&more, &unlimited), ERR_BAD_TOKEN);
	assert_err(add(&nothing, &unlimited), ERR_BAD_TOKEN);
	assert_err(find(1, &got), ERR_BAD_TOKEN);
	assert_err(hold(&u, 10, &unlimited), ERR_BAD_TOKEN);
	assert_err(measured(&u, 10, &unlimited), ERR_BAD_TOKEN);
	assert_err(join(5, &part, 1, &unlimited), ERR_BAD_TOKEN);
	u.length = 0;
	assert_err(finish(&u), ERR_BAD_TOKEN);
	sessions_put(db, &(struct session) { .user = ANN });
	assert_int_equal(file_table_rows(db), 0);
	assert_usage(5, 1);
	assert_int_equal(found(1).finished_at, TUS_UNFINISHED);
}

/* --- the quota ------------------------------------------------------------ */

static void a_length_counts_from_the_beginning(void **state)
{
	const struct quota_limits l = { 100, QUOTA_NONE };
	struct tus_upload u = made(1, TUS_WHOLE, 101),
			  more = made(2, TUS_WHOLE, 2);
	struct tus_upload part = made(3, TUS_PARTIAL, 1);

	(void)state;
	assert_err(add(&u, &l), ERR_QUOTA);
	u.length = 99;
	assert_ok(add(&u, &l));
	assert_err(add(&more, &l), ERR_QUOTA);
	assert_ok(add(&part, &l));
	part = made(4, TUS_PARTIAL, 1);
	assert_err(add(&part, &l), ERR_QUOTA);
	assert_usage(100, 1);
	assert_err(find(4, &u), ERR_NOT_FOUND);
}

static void so_does_a_file_but_not_a_part_of_one(void **state)
{
	const struct quota_limits l = { QUOTA_NONE, 1 };
	struct tus_upload u = made(1, TUS_WHOLE, 0),
			  second = made(2, TUS_WHOLE, 0);
	struct tus_upload part = made(3, TUS_PARTIAL, 9);

	(void)state;
	assert_ok(add(&u, &l));
	assert_err(add(&second, &l), ERR_QUOTA);
	assert_ok(add(&part, &l));
	assert_usage(9, 1);
}

static void bytes_of_no_known_length_are_held_before_they_come(void **state)
{
	const struct quota_limits l = { 100, QUOTA_NONE };
	struct tus_upload u = added(1, TUS_WHOLE, TUS_LENGTH_UNKNOWN);

	(void)state;
	assert_err(hold(&u, 101, &l), ERR_QUOTA);
	assert_int_equal(u.held.bytes, 0);
	assert_ok(hold(&u, 60, &l));
	assert_int_equal(u.held.bytes, 60);
	assert_usage(60, 1);
	/* what is held already needs no room */
	assert_ok(hold(&u, 60, &l));
	assert_ok(hold(&u, 10, &l));
	assert_usage(60, 1);
	assert_ok(hold(&u, 100, &l));
	assert_err(hold(&u, 101, &l), ERR_QUOTA);
	assert_usage(100, 1);
	assert_int_equal(found(1).held.bytes, 100);
	assert_int_equal(found(1).length, TUS_LENGTH_UNKNOWN);
}

static void a_length_is_told_once_and_not_below_what_is_held(void **state)
{
	const struct quota_limits l = { 100, QUOTA_NONE };
	struct tus_upload u = added(1, TUS_WHOLE, TUS_LENGTH_UNKNOWN), other;

	(void)state;
	assert_ok(hold(&u, 60, &l));
	other = u;
	assert_err(measured(&u, 59, &l), ERR_INVALID);
	assert_err(measured(&u, 101, &l), ERR_QUOTA);
	assert_int_equal(u.length, TUS_LENGTH_UNKNOWN);
	assert_ok(measured(&u, 80, &l));
	assert_int_equal(u.length, 80);
	assert_int_equal(u.held.bytes, 80);
	assert_usage(80, 1);
	/* another request that has not seen it */
	assert_err(measured(&other, 90, &unlimited), ERR_CONFLICT);
	assert_err(hold(&other, 70, &unlimited), ERR_CONFLICT);
	assert_usage(80, 1);
	assert_int_equal(found(1).length, 80);
}

static void who_read_an_older_row_looks_again(void **state)
{
	struct tus_upload u = added(1, TUS_WHOLE, TUS_LENGTH_UNKNOWN);
	struct tus_upload older = u;

	(void)state;
	assert_ok(hold(&u, 60, &unlimited));
	assert_err(hold(&older, 50, &unlimited), ERR_CONFLICT);
	/* or a length could be told that somebody writes beyond */
	assert_err(measured(&older, 50, &unlimited), ERR_CONFLICT);
	assert_usage(60, 1);
}

static void a_lowered_limit_keeps_nobody_from_finishing(void **state)
{
	const struct quota_limits wide = { 100, 9 }, narrow = { 10, 9 };
	struct tus_upload u = added(1, TUS_WHOLE, TUS_LENGTH_UNKNOWN);

	(void)state;
	assert_ok(hold(&u, 60, &wide));
	assert_err(measured(&u, 61, &narrow), ERR_QUOTA);
	assert_ok(measured(&u, 60, &narrow));
	assert_ok(finish(&u));
	assert_usage(60, 1);
}

/* --- the end -------------------------------------------------------------- */

static void it_becomes_a_file_once(void **state)
{
	struct tus_upload u = added(1, TUS_WHOLE, 7), got;
	struct file f;
	struct asker a;

	(void)state;
	u.expires_at = NOW + 2 * LIFE;
	assert_ok(finish(&u));
	assert_usage(7, 1);
	assert_ok(files_find(db, asking(&a, ANN), 0, span_of(u.id), &f, &why));
	assert_int_equal(f.size, 7);
	got = found(1);
	assert_int_equal(got.finished_at, NOW);
	assert_int_equal(got.expires_at, NOW + 2 * LIFE);
	assert_int_equal(got.held.bytes + got.held.files, 0);
	assert_int_equal(got.length, 7);
	assert_err(finish(&u), ERR_NOT_FOUND);
	assert_err(tus_uploads_remove(db, &u, &why), ERR_NOT_FOUND);
	assert_err(tus_uploads_remove(db, &got, &why), ERR_NOT_FOUND);
	assert_usage(7, 1);
	assert_ok(files_remove(db, asking(&a, ANN), 0, span_of(u.id), NULL,
			       &why));
	assert_usage(0, 0);
}

static void what_is_removed_gives_back_what_it_held(void **state)
{
	struct tus_upload u = added(1, TUS_WHOLE, TUS_LENGTH_UNKNOWN),
			  older = u;

	(void)state;
	(void)added(2, TUS_PARTIAL, 3);
	assert_ok(hold(&u, 60, &unlimited));
	/* not what it held once */
	assert_err(tus_uploads_remove(db, &older, &why), ERR_NOT_FOUND);
	assert_usage(63, 1);
	assert_ok(tus_uploads_remove(db, &u, &why));
	assert_err(tus_uploads_remove(db, &u, &why), ERR_NOT_FOUND);
	assert_usage(3, 0);
	assert_err(finish(&u), ERR_NOT_FOUND);
	assert_err(hold(&u, 70, &unlimited), ERR_CONFLICT);
	assert_usage(3, 0);
}

static void parts_become_one_file(void **state)
{
	const struct quota_limits l = { 30, 1 };
	const struct tus_upload parts[] = { added(1, TUS_PARTIAL, 10),
					    added(2, TUS_PARTIAL, 20) };
	struct tus_upload got;

	(void)state;
	assert_usage(30, 0);
	assert_ok(join(3, parts, 2, &l));
	assert_usage(30, 1);
	assert_err(find(1, &got), ERR_NOT_FOUND);
	assert_err(find(2, &got), ERR_NOT_FOUND);
	got = found(3);
	assert_int_equal(got.concat, TUS_FINAL);
	assert_int_equal(got.finished_at, NOW);
	assert_int_equal(got.length, 30);
	assert_int_equal(file_table_rows(db), 1);
	assert_err(join(4, parts, 2, &unlimited), ERR_CONFLICT);
	assert_usage(30, 1);
}

static void or_stay_what_they_are(void **state)
{
	const struct quota_limits l = { QUOTA_NONE, 1 };
	const struct tus_upload parts[] = { added(1, TUS_PARTIAL, 10),
					    added(2, TUS_PARTIAL, 20) };
	const struct tus_upload whole[] = { parts[0], added(3, TUS_WHOLE, 1) };
	struct tus_upload got;

	(void)state;
	assert_err(join(4, whole, 2, &unlimited), ERR_CONFLICT);
	assert_err(join(4, parts, 2, &l), ERR_QUOTA); /* there is a file */
	assert_ok(tus_uploads_remove(db, &parts[1], &why));
	assert_err(join(4, parts, 2, &unlimited), ERR_CONFLICT);
	assert_usage(11, 1);
	assert_int_equal(found(1).length, 10);
	assert_err(find(4, &got), ERR_NOT_FOUND);
	assert_int_equal(file_table_rows(db), 0);
}

/* --- for gateway-admin ---------------------------------------------------- */

static void what_has_expired_is_dropped_and_nothing_else(void **state)
{
	struct tus_upload u = added(1, TUS_WHOLE, 10),
			  done = added(2, TUS_WHOLE, 5);

	(void)state;
	assert_ok(finish(&done));
	assert_err(tus_uploads_drop(db, &u, NOW + LIFE - 1, &why),
		   ERR_NOT_FOUND);
	assert_ok(tus_uploads_prolong(db, &u, NOW + LIFE + 1, &why));
	assert_err(tus_uploads_prolong(db, &u, NOW, &why), ERR_NOT_FOUND);
	assert_err(tus_uploads_drop(db, &u, NOW + LIFE, &why), ERR_NOT_FOUND);
	assert_usage(15, 2);
	assert_ok(tus_uploads_drop(db, &u, NOW + LIFE + 1, &why));
	assert_usage(5, 1);
	/* of a file the row alone */
	assert_err(tus_uploads_drop(db, &done, NOW + LIFE, &why),
		   ERR_NOT_FOUND);
	done = found(2);
	assert_ok(tus_uploads_drop(db, &done, NOW + LIFE, &why));
	assert_usage(5, 1);
	assert_int_equal(file_table_rows(db), 1);
}

struct seen {
	struct tus_upload row;
	char ids[8][UUID_LEN + 1];
	size_t count;
};

static enum err see(void *arg)
{
	struct seen *s = arg;

	assert_true(s->count < COUNT(s->ids));
	memcpy(s->ids[s->count++], s->row.id, UUID_LEN + 1);
	return ERR_OK;
}

static void the_expired_come_in_order_from_behind_one(void **state)
{
	struct seen s = { .count = 0 };
	struct tus_upload u[4];

	(void)state;
	for (int i = 0; i < 4; i++) {
		u[i] = made(4 - i, TUS_WHOLE, i);
		u[i].expires_at = i == 2 ? NOW + 1 : NOW;
		assert_ok(add(&u[i], &unlimited));
	}
	assert_ok(
		tus_uploads_expired(db, NOW, SPAN(""), &s.row, see, &s, &why));
	assert_int_equal(s.count, 3);
	assert_string_equal(s.ids[0], u[3].id);
	assert_string_equal(s.ids[1], u[1].id);
	assert_string_equal(s.ids[2], u[0].id);
	assert_int_equal(s.row.held.bytes, 0);
	assert_int_equal(s.row.held.files, 1);
	assert_true(s.row.owner == ANN);
	s.count = 0;
	assert_ok(tus_uploads_expired(db, NOW, span_of(u[1].id), &s.row, see,
				      &s, &why));
	assert_int_equal(s.count, 1);
}

static void bytes_are_wanted_by_an_upload_and_then_by_its_file(void **state)
{
	struct tus_upload u = added(1, TUS_WHOLE, 10);
	struct span id = span_of(u.id);
	struct asker a;

	(void)state;
	assert_ok(tus_uploads_exists(db, id, &why));
	assert_ok(tus_uploads_wants(db, id, &why));
	assert_ok(finish(&u));
	assert_err(tus_uploads_exists(db, id, &why), ERR_NOT_FOUND);
	assert_ok(tus_uploads_wants(db, id, &why));
	assert_ok(files_remove(db, asking(&a, ANN), 0, id, NULL, &why));
	assert_err(tus_uploads_wants(db, id, &why), ERR_NOT_FOUND);
}

/* --- many at a time ------------------------------------------------------- */

enum { THREADS = 8, EACH = 15 };

static atomic_bool enough;
static atomic_int turn; /* the upload that becomes a file now */
static atomic_int missed, mistakes;

static void note(enum err e, enum err may)
{
	if (e != ERR_OK && e != may && atomic_fetch_add(&mistakes, 1) == 0)
		print_error("%s\n", err_text(e));
}

static void *want(void *arg)
{
	(void)arg;
	while (!atomic_load(&enough)) {
		int n = atomic_load(&turn);
		const struct tus_upload u = made(n, TUS_WHOLE, 1);
		enum err e = tus_uploads_wants(db, span_of(u.id), NULL);

		if (e == ERR_NOT_FOUND && n == atomic_load(&turn))
			atomic_fetch_add(&missed, 1);
		note(e, ERR_NOT_FOUND);
	}
	db_thread_end();
	return NULL;
}

static void there_is_no_moment_when_nobody_wants_them(void **state)
{
	pthread_t threads[3];

	(void)state;
	atomic_store(&enough, false);
	atomic_store(&turn, 0);
	atomic_store(&missed, 0);
	atomic_store(&mistakes, 0);
	(void)added(0, TUS_WHOLE, 1);
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, want, NULL),
				 0);
	for (int n = 0; n < 200; n++) {
		const struct tus_upload u = made(n, TUS_WHOLE, 1);

		(void)added(n + 1, TUS_WHOLE, 1);
		assert_ok(finish(&u));
		atomic_store(&turn, n + 1);
	}
	atomic_store(&enough, true);
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(atomic_load(&mistakes), 0);
	assert_int_equal(atomic_load(&missed), 0);
}

static const struct quota_limits tight = { 100, 12 };
static atomic_int begun;

static void *begin(void *arg)
{
	int number = *(int *)arg;
	struct asker a;

	for (int i = 0; i < EACH; i++) {
		struct tus_upload u = made(number * EACH + i, TUS_WHOLE, 7);
		enum err e = tus_uploads_add(db, asking(&a, ANN), 0, &tight, &u,
					     NULL);

		if (e == ERR_OK)
			atomic_fetch_add(&begun, 1);
		note(e, ERR_QUOTA);
	}
	db_thread_end();
	return NULL;
}

static void all(void *(*work)(void *))
{
	static int numbers[THREADS];
	pthread_t threads[THREADS];

	atomic_store(&mistakes, 0);
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		assert_int_equal(
			pthread_create(&threads[i], NULL, work, &numbers[i]),
			0);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(atomic_load(&mistakes), 0);
}

static void of_many_exactly_as_many_begin_as_fit(void **state)
{
	(void)state;
	atomic_store(&begun, 0);
	all(begin);
	assert_int_equal(atomic_load(&begun), 12);
	assert_usage(84, 12);
}

/* The same upload, by many requests, of which each believes what it read */
static void *grow(void *arg)
{
	int number = *(int *)arg;
	struct asker a;
	struct tus_upload u = made(1, TUS_WHOLE, 0);

	for (int i = 1; i <= EACH; i++) {
		struct tus_upload now;

		note(tus_uploads_find(db, asking(&a, ANN), 0, span_of(u.id),
				      &now, NULL),
		     ERR_OK);
		note(tus_uploads_hold(db, asking(&a, ANN), &tight, &now,
				      i * 5 + number, NULL),
		     ERR_CONFLICT);
	}
	db_thread_end();
	return NULL;
}

static void of_many_that_bring_bytes_none_counts_twice(void **state)
{
	struct tus_upload u;

	(void)state;
	(void)added(1, TUS_WHOLE, TUS_LENGTH_UNKNOWN);
	all(grow);
	u = found(1);
	assert_true(u.held.bytes >= EACH * 5);
	assert_true(u.held.bytes < EACH * 5 + THREADS);
	assert_usage(u.held.bytes, 1);
}

/* Everything that happens to uploads, at once */
static void *live(void *arg)
{
	int number = *(int *)arg;
	struct asker a;

	for (int i = 0; i < EACH; i++) {
		int n = (number * EACH + i) * 4;
		struct tus_upload u[4];
		struct tus_upload whole = made(n + 3, TUS_FINAL, 6);
		struct file f;

		u[0] = made(n, TUS_WHOLE, TUS_LENGTH_UNKNOWN);
		u[1] = made(n + 1, TUS_PARTIAL, 2);
		u[2] = made(n + 2, TUS_PARTIAL, 4);
		for (int k = 0; k < 3; k++)
			note(tus_uploads_add(db, asking(&a, ANN), 0, &unlimited,
					     &u[k], NULL),
			     ERR_OK);
		note(tus_uploads_hold(db, asking(&a, ANN), &unlimited, &u[0], 5,
				      NULL),
		     ERR_OK);
		note(tus_uploads_measured(db, asking(&a, ANN), &unlimited,
					  &u[0], 9, NULL),
		     ERR_OK);
		f = file_of(&u[0]);
		note(i % 3 == 0 ? tus_uploads_remove(db, &u[0], NULL)
				: tus_uploads_finish(db, asking(&a, ANN), &u[0],
						     &f, NULL, NULL),
		     ERR_OK);
		whole.finished_at = NOW;
		f = file_of(&whole);
		note(tus_uploads_join(db, asking(&a, ANN), &unlimited, &whole,
				      &f, u + 1, 2, NULL, NULL),
		     ERR_OK);
		if (i % 2 == 0)
			note(files_remove(db, asking(&a, ANN), 0,
					  span_of(whole.id), NULL, NULL),
			     ERR_OK);
	}
	db_thread_end();
	return NULL;
}

static void *recount(void *arg)
{
	struct amount was, is;

	(void)arg;
	while (!atomic_load(&enough)) {
		enum err e = quota_recount(db, ANN, &was, &is, NULL);

		if (e == ERR_OK &&
		    (was.bytes != is.bytes || was.files != is.files))
			atomic_fetch_add(&missed, 1);
		note(e, ERR_OK);
	}
	db_thread_end();
	return NULL;
}

static void a_recount_agrees_while_uploads_are_under_way(void **state)
{
	pthread_t counter;

	(void)state;
	atomic_store(&enough, false);
	atomic_store(&missed, 0);
	assert_int_equal(pthread_create(&counter, NULL, recount, NULL), 0);
	all(live);
	atomic_store(&enough, true);
	assert_int_equal(pthread_join(counter, NULL), 0);
	assert_int_equal(atomic_load(&missed), 0);
	/* Of each thread 10 of 15 were finished, and of its 15 joined 7 stay */
	assert_usage(THREADS * (10 * 9 + 7 * 6), THREADS * (10 + 7));
}

#define UPLOAD(name) cmocka_unit_test_setup(name, owners_clear)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		UPLOAD(what_is_added_is_found_as_it_was),
		UPLOAD(so_is_what_was_left_out),
		UPLOAD(the_longest_of_everything_fits),
		UPLOAD(what_is_not_the_caller_s_is_not_found),
		UPLOAD(an_ended_session_may_nothing),
		UPLOAD(a_length_counts_from_the_beginning),
		UPLOAD(so_does_a_file_but_not_a_part_of_one),
		UPLOAD(bytes_of_no_known_length_are_held_before_they_come),
		UPLOAD(a_length_is_told_once_and_not_below_what_is_held),
		UPLOAD(who_read_an_older_row_looks_again),
		UPLOAD(a_lowered_limit_keeps_nobody_from_finishing),
		UPLOAD(it_becomes_a_file_once),
		UPLOAD(what_is_removed_gives_back_what_it_held),
		UPLOAD(parts_become_one_file),
		UPLOAD(or_stay_what_they_are),
		UPLOAD(what_has_expired_is_dropped_and_nothing_else),
		UPLOAD(the_expired_come_in_order_from_behind_one),
		UPLOAD(bytes_are_wanted_by_an_upload_and_then_by_its_file),
		UPLOAD(there_is_no_moment_when_nobody_wants_them),
		UPLOAD(of_many_exactly_as_many_begin_as_fit),
		UPLOAD(of_many_that_bring_bytes_none_counts_twice),
		UPLOAD(a_recount_agrees_while_uploads_are_under_way),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, owners_open, owners_close);
}
