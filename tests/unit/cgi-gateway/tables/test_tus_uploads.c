#include "cgi-gateway/tables/tus_uploads.h"

#include "cgi-gateway/tables/files.h"
#include "tests/unit/cgi-gateway/owners.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
	LIFE = 1000,
	MANY = 100000, /* unfinished uploads: no limit here */
};

/* Upload number `n` of ANN */
static struct tus_upload sample(int n, enum tus_concat concat, int64_t length)
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

static enum err add_upload(struct tus_upload *u,
			   const struct quota_limits *limits)
{
	struct asker a;

	return tus_uploads_add(db, asking(&a, ANN), 0, limits, MANY, u, &why);
}

static struct tus_upload added_upload(int n, enum tus_concat concat,
				      int64_t length)
{
	struct tus_upload u = sample(n, concat, length);

	assert_ok(add_upload(&u, &unlimited));
	return u;
}

static enum err find_upload(int n, struct tus_upload *out)
{
	struct tus_upload u = sample(n, TUS_WHOLE, 0);
	struct asker a;

	return tus_uploads_find(db, asking(&a, ANN), 0, span_of(u.id), out,
				&why);
}

static struct tus_upload found_upload(int n)
{
	struct tus_upload u;

	assert_ok(find_upload(n, &u));
	return u;
}

static enum err reserve(struct tus_upload *u, int64_t bytes,
			const struct quota_limits *limits)
{
	struct asker a;

	return tus_uploads_reserve(db, asking(&a, ANN), limits, u, bytes, &why);
}

static enum err set_length(struct tus_upload *u, int64_t length,
			   const struct quota_limits *limits)
{
	struct asker a;

	return tus_uploads_set_length(db, asking(&a, ANN), limits, u, length,
				      &why);
}

static enum err finish_upload(const struct tus_upload *u)
{
	const struct file f = file_of(u);
	struct asker a;

	return tus_uploads_finish(db, asking(&a, ANN), u, &f, NULL, &why);
}

static enum err join_parts(int n, const struct tus_upload *parts, size_t count,
			   const struct quota_limits *limits)
{
	struct tus_upload whole = sample(n, TUS_FINAL, 0);
	struct asker a;
	struct file f;

	whole.finished_at = NOW;
	for (size_t i = 0; i < count; i++)
		whole.length += parts[i].length;
	f = file_of(&whole);
	return tus_uploads_join(db, asking(&a, ANN), limits, &whole, &f, parts,
				count, NULL, &why);
}

/* The quota of ANN, and that it agrees with the rows */
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

static void an_added_upload_is_found_unchanged(void **state)
{
	struct tus_upload u = sample(1, TUS_PARTIAL, 5000000000), got;
	struct asker a;

	(void)state;
	(void)snprintf(u.concat_sent, sizeof(u.concat_sent), "partial");
	(void)snprintf(u.name, sizeof(u.name), "%s",
		       "\xc3\xbc \xf0\x9f\x8e\x89");
	(void)snprintf(u.metadata, sizeof(u.metadata), "filename YQ==,b");
	u.has_sha256 = true;
	memset(u.sha256, 0xab, sizeof(u.sha256));
	u.life = 77;
	assert_ok(add_upload(&u, &unlimited));
	assert_ok(tus_uploads_find(db, asking(&a, ANN), 0, span_of(u.id), &got,
				   &why));
	assert_true(a.session.user_id == ANN);
	assert_string_equal(got.id, u.id);
	assert_true(got.owner == ANN);
	assert_int_equal(got.concat, TUS_PARTIAL);
	assert_string_equal(got.concat_sent, "partial");
	assert_string_equal(got.name, u.name);
	assert_string_equal(got.type, "text/plain");
	assert_string_equal(got.metadata, "filename YQ==,b");
	assert_int_equal(got.length, 5000000000);
	assert_int_equal(got.reserved.bytes, 5000000000);
	assert_int_equal(got.reserved.files, 0);
	assert_true(got.has_sha256);
	assert_memory_equal(got.sha256, u.sha256, SHA256_LEN);
	assert_int_equal(got.life, 77);
	assert_int_equal(got.created_at, NOW);
	assert_int_equal(got.expires_at, NOW + LIFE);
	assert_int_equal(got.finished_at, TUS_UNFINISHED);
	assert_err(add_upload(&u, &unlimited), ERR_CONFLICT);
	assert_usage(5000000000, 0);
}

static void absent_values_are_found_as_absent(void **state)
{
	struct tus_upload got;

	(void)state;
	(void)added_upload(1, TUS_WHOLE, TUS_LENGTH_UNKNOWN);
	got = found_upload(1);
	assert_int_equal(got.length, TUS_LENGTH_UNKNOWN);
	assert_int_equal(got.reserved.bytes, 0);
	assert_int_equal(got.reserved.files, 1);
	assert_false(got.has_sha256);
	assert_int_equal(got.life, FILES_NEVER);
	assert_string_equal(got.metadata, "");
	assert_string_equal(got.concat_sent, "");
	assert_usage(0, 1);
}

static void the_longest_values_fit(void **state)
{
	struct tus_upload u = sample(1, TUS_FINAL, 1), got;

	(void)state;
	memset(u.concat_sent, 'c', TUS_CONCAT_MAX);
	memset(u.metadata, 'm', TUS_METADATA_MAX);
	memset(u.name, 'n', FILE_NAME_MAX);
	memset(u.type, 't', FILE_TYPE_MAX);
	assert_ok(add_upload(&u, &unlimited));
	got = found_upload(1);
	assert_string_equal(got.concat_sent, u.concat_sent);
	assert_string_equal(got.metadata, u.metadata);
	assert_string_equal(got.name, u.name);
	assert_string_equal(got.type, u.type);
}

static void an_upload_of_another_owner_is_not_found(void **state)
{
	struct tus_upload u = added_upload(1, TUS_WHOLE, 3), got;
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
	assert_err(find_upload(2, &got), ERR_NOT_FOUND);
	assert_err(tus_uploads_find(db, asking(&a, ANN), 0, SPAN("' OR 1 --"),
				    &got, &why),
		   ERR_NOT_FOUND);
}

static void a_failed_find_leaves_its_output_unchanged(void **state)
{
	struct tus_upload u = added_upload(1, TUS_WHOLE, 3), got, before;
	struct asker a;

	(void)state;
	memset(&got, 0xa5, sizeof(got));
	before = got;
	assert_err(tus_uploads_find(db, asking(&a, BOB), 0, span_of(u.id), &got,
				    &why),
		   ERR_NOT_FOUND);
	assert_memory_equal(&got, &before, sizeof(got));
	sessions_revoke(db, session_of(ANN));
	assert_err(find_upload(1, &got), ERR_BAD_TOKEN);
	assert_memory_equal(&got, &before, sizeof(got));
}

static void an_ended_session_is_refused_by_every_call(void **state)
{
	struct tus_upload u = added_upload(1, TUS_WHOLE, TUS_LENGTH_UNKNOWN),
			  got;
	struct tus_upload part = added_upload(2, TUS_PARTIAL, 5);
	struct tus_upload more = sample(3, TUS_WHOLE, 3);
	struct tus_upload nothing = sample(4, TUS_PARTIAL, 0);

	(void)state;
	sessions_revoke(db, session_of(ANN));
	assert_err(add_upload(&more, &unlimited), ERR_BAD_TOKEN);
	assert_err(add_upload(&nothing, &unlimited), ERR_BAD_TOKEN);
	assert_err(find_upload(1, &got), ERR_BAD_TOKEN);
	assert_err(reserve(&u, 10, &unlimited), ERR_BAD_TOKEN);
	assert_err(set_length(&u, 10, &unlimited), ERR_BAD_TOKEN);
	assert_err(join_parts(5, &part, 1, &unlimited), ERR_BAD_TOKEN);
	u.length = 0;
	assert_err(finish_upload(&u), ERR_BAD_TOKEN);
	sessions_put(db, &(struct session) { .user = ANN });
	assert_int_equal(file_table_rows(db), 0);
	assert_usage(5, 1);
	assert_int_equal(found_upload(1).finished_at, TUS_UNFINISHED);
}

/* --- the quota ------------------------------------------------------------ */

static void a_length_is_reserved_at_creation(void **state)
{
	const struct quota_limits l = { 100, QUOTA_NONE };
	struct tus_upload u = sample(1, TUS_WHOLE, 101),
			  more = sample(2, TUS_WHOLE, 2);
	struct tus_upload part = sample(3, TUS_PARTIAL, 1);

	(void)state;
	assert_err(add_upload(&u, &l), ERR_QUOTA);
	u.length = 99;
	assert_ok(add_upload(&u, &l));
	assert_err(add_upload(&more, &l), ERR_QUOTA);
	assert_ok(add_upload(&part, &l));
	part = sample(4, TUS_PARTIAL, 1);
	assert_err(add_upload(&part, &l), ERR_QUOTA);
	assert_usage(100, 1);
	assert_err(find_upload(4, &u), ERR_NOT_FOUND);
}

static void a_file_is_reserved_at_creation_but_not_a_part(void **state)
{
	const struct quota_limits l = { QUOTA_NONE, 1 };
	struct tus_upload u = sample(1, TUS_WHOLE, 0),
			  second = sample(2, TUS_WHOLE, 0);
	struct tus_upload part = sample(3, TUS_PARTIAL, 9);

	(void)state;
	assert_ok(add_upload(&u, &l));
	assert_err(add_upload(&second, &l), ERR_QUOTA_FILES);
	assert_ok(add_upload(&part, &l));
	assert_usage(9, 1);
}

static void bytes_of_unknown_length_are_reserved_in_advance(void **state)
{
	const struct quota_limits l = { 100, QUOTA_NONE };
	struct tus_upload u = added_upload(1, TUS_WHOLE, TUS_LENGTH_UNKNOWN);

	(void)state;
	assert_err(reserve(&u, 101, &l), ERR_QUOTA);
	assert_int_equal(u.reserved.bytes, 0);
	assert_ok(reserve(&u, 60, &l));
	assert_int_equal(u.reserved.bytes, 60);
	assert_usage(60, 1);
	/* what is reserved already needs no space */
	assert_ok(reserve(&u, 60, &l));
	assert_ok(reserve(&u, 10, &l));
	assert_usage(60, 1);
	assert_ok(reserve(&u, 100, &l));
	assert_err(reserve(&u, 101, &l), ERR_QUOTA);
	assert_usage(100, 1);
	assert_int_equal(found_upload(1).reserved.bytes, 100);
	assert_int_equal(found_upload(1).length, TUS_LENGTH_UNKNOWN);
}

static void a_length_is_set_once_and_not_below_what_is_reserved(void **state)
{
	const struct quota_limits l = { 100, QUOTA_NONE };
	struct tus_upload u = added_upload(1, TUS_WHOLE, TUS_LENGTH_UNKNOWN),
			  other;

	(void)state;
	assert_ok(reserve(&u, 60, &l));
	other = u;
	assert_err(set_length(&u, 59, &l), ERR_INVALID);
	assert_err(set_length(&u, 101, &l), ERR_QUOTA);
	assert_int_equal(u.length, TUS_LENGTH_UNKNOWN);
	assert_ok(set_length(&u, 80, &l));
	assert_int_equal(u.length, 80);
	assert_int_equal(u.reserved.bytes, 80);
	assert_usage(80, 1);
	/* another request, whose row has no length yet */
	assert_err(set_length(&other, 90, &unlimited), ERR_CONFLICT);
	assert_err(reserve(&other, 70, &unlimited), ERR_CONFLICT);
	assert_usage(80, 1);
	assert_int_equal(found_upload(1).length, 80);
}

static void a_change_from_an_older_row_is_refused(void **state)
{
	struct tus_upload u = added_upload(1, TUS_WHOLE, TUS_LENGTH_UNKNOWN);
	struct tus_upload older = u;

	(void)state;
	assert_ok(reserve(&u, 60, &unlimited));
	assert_err(reserve(&older, 50, &unlimited), ERR_CONFLICT);
	/* or the length could be less than what is written */
	assert_err(set_length(&older, 50, &unlimited), ERR_CONFLICT);
	assert_usage(60, 1);
}

static void a_lowered_limit_does_not_prevent_finishing(void **state)
{
	const struct quota_limits wide = { 100, 9 }, narrow = { 10, 9 };
	struct tus_upload u = added_upload(1, TUS_WHOLE, TUS_LENGTH_UNKNOWN);

	(void)state;
	assert_ok(reserve(&u, 60, &wide));
	assert_err(set_length(&u, 61, &narrow), ERR_QUOTA);
	assert_ok(set_length(&u, 60, &narrow));
	assert_ok(finish_upload(&u));
	assert_usage(60, 1);
}

/* --- becoming a file, or removed ------------------------------------------ */

static void an_upload_becomes_a_file_once(void **state)
{
	struct tus_upload u = added_upload(1, TUS_WHOLE, 7), got;
	struct file f;
	struct asker a;

	(void)state;
	u.expires_at = NOW + 2 * LIFE;
	assert_ok(finish_upload(&u));
	assert_usage(7, 1);
	assert_ok(files_find(db, asking(&a, ANN), 0, span_of(u.id), &f, &why));
	assert_int_equal(f.size, 7);
	got = found_upload(1);
	assert_int_equal(got.finished_at, NOW);
	assert_int_equal(got.expires_at, NOW + 2 * LIFE);
	assert_int_equal(got.reserved.bytes + got.reserved.files, 0);
	assert_int_equal(got.length, 7);
	assert_err(finish_upload(&u), ERR_NOT_FOUND);
	assert_err(tus_uploads_remove(db, &u, &why), ERR_NOT_FOUND);
	assert_err(tus_uploads_remove(db, &got, &why), ERR_NOT_FOUND);
	assert_usage(7, 1);
	assert_ok(files_remove(db, asking(&a, ANN), 0, span_of(u.id), NULL,
			       &why));
	assert_usage(0, 0);
}

static void a_removed_upload_gives_back_what_it_reserved(void **state)
{
	struct tus_upload u = added_upload(1, TUS_WHOLE, TUS_LENGTH_UNKNOWN),
			  older = u;

	(void)state;
	(void)added_upload(2, TUS_PARTIAL, 3);
	assert_ok(reserve(&u, 60, &unlimited));
	/* reserves less than the row does */
	assert_err(tus_uploads_remove(db, &older, &why), ERR_NOT_FOUND);
	assert_usage(63, 1);
	assert_ok(tus_uploads_remove(db, &u, &why));
	assert_err(tus_uploads_remove(db, &u, &why), ERR_NOT_FOUND);
	assert_usage(3, 0);
	assert_err(finish_upload(&u), ERR_NOT_FOUND);
	assert_err(reserve(&u, 70, &unlimited), ERR_CONFLICT);
	assert_usage(3, 0);
}

static void parts_become_one_file(void **state)
{
	const struct quota_limits l = { 30, 1 };
	const struct tus_upload parts[] = { added_upload(1, TUS_PARTIAL, 10),
					    added_upload(2, TUS_PARTIAL, 20) };
	struct tus_upload got;

	(void)state;
	assert_usage(30, 0);
	assert_ok(join_parts(3, parts, 2, &l));
	assert_usage(30, 1);
	assert_err(find_upload(1, &got), ERR_NOT_FOUND);
	assert_err(find_upload(2, &got), ERR_NOT_FOUND);
	got = found_upload(3);
	assert_int_equal(got.concat, TUS_FINAL);
	assert_int_equal(got.finished_at, NOW);
	assert_int_equal(got.length, 30);
	assert_int_equal(file_table_rows(db), 1);
	assert_err(join_parts(4, parts, 2, &unlimited), ERR_CONFLICT);
	assert_usage(30, 1);
}

static void parts_that_cannot_be_joined_stay_unchanged(void **state)
{
	const struct quota_limits l = { QUOTA_NONE, 1 };
	const struct tus_upload parts[] = { added_upload(1, TUS_PARTIAL, 10),
					    added_upload(2, TUS_PARTIAL, 20) };
	const struct tus_upload whole[] = { parts[0],
					    added_upload(3, TUS_WHOLE, 1) };
	struct tus_upload got;

	(void)state;
	assert_err(join_parts(4, whole, 2, &unlimited), ERR_CONFLICT);
	assert_err(join_parts(4, parts, 2, &l),
		   ERR_QUOTA_FILES); /* there is one already */
	assert_ok(tus_uploads_remove(db, &parts[1], &why));
	assert_err(join_parts(4, parts, 2, &unlimited), ERR_CONFLICT);
	assert_usage(11, 1);
	assert_int_equal(found_upload(1).length, 10);
	assert_err(find_upload(4, &got), ERR_NOT_FOUND);
	assert_int_equal(file_table_rows(db), 0);
}

/* --- for gateway-admin ---------------------------------------------------- */

static void delete_expired_deletes_only_expired_rows(void **state)
{
	struct tus_upload u = added_upload(1, TUS_WHOLE, 10),
			  done = added_upload(2, TUS_WHOLE, 5);

	(void)state;
	assert_ok(finish_upload(&done));
	assert_err(tus_uploads_delete_expired(db, &u, NOW + LIFE - 1, &why),
		   ERR_NOT_FOUND);
	assert_ok(tus_uploads_prolong(db, &u, NOW + LIFE + 1, &why));
	assert_err(tus_uploads_prolong(db, &u, NOW, &why), ERR_NOT_FOUND);
	assert_err(tus_uploads_delete_expired(db, &u, NOW + LIFE, &why),
		   ERR_NOT_FOUND);
	assert_usage(15, 2);
	assert_ok(tus_uploads_delete_expired(db, &u, NOW + LIFE + 1, &why));
	assert_usage(5, 1);
	/* of a finished upload only its row */
	assert_err(tus_uploads_delete_expired(db, &done, NOW + LIFE, &why),
		   ERR_NOT_FOUND);
	done = found_upload(2);
	assert_ok(tus_uploads_delete_expired(db, &done, NOW + LIFE, &why));
	assert_usage(5, 1);
	assert_int_equal(file_table_rows(db), 1);
}

struct collected {
	struct tus_upload row;
	char ids[8][UUID_LEN + 1];
	size_t count;
};

static enum err collect_id(void *arg)
{
	struct collected *s = arg;

	assert_true(s->count < COUNT(s->ids));
	memcpy(s->ids[s->count++], s->row.id, UUID_LEN + 1);
	return ERR_OK;
}

static void expired_uploads_are_listed_in_order_after_an_id(void **state)
{
	struct collected s = { .count = 0 };
	struct tus_upload u[4];

	(void)state;
	for (int i = 0; i < 4; i++) {
		u[i] = sample(4 - i, TUS_WHOLE, i);
		u[i].expires_at = i == 2 ? NOW + 1 : NOW;
		assert_ok(add_upload(&u[i], &unlimited));
	}
	assert_ok(tus_uploads_expired(db, NOW, SPAN(""), &s.row, collect_id, &s,
				      &why));
	assert_int_equal(s.count, 3);
	assert_string_equal(s.ids[0], u[3].id);
	assert_string_equal(s.ids[1], u[1].id);
	assert_string_equal(s.ids[2], u[0].id);
	assert_int_equal(s.row.reserved.bytes, 0);
	assert_int_equal(s.row.reserved.files, 1);
	assert_true(s.row.owner == ANN);
	s.count = 0;
	assert_ok(tus_uploads_expired(db, NOW, span_of(u[1].id), &s.row,
				      collect_id, &s, &why));
	assert_int_equal(s.count, 1);
}

static void bytes_belong_to_an_upload_and_then_to_its_file(void **state)
{
	struct tus_upload u = added_upload(1, TUS_WHOLE, 10);
	struct span id = span_of(u.id);
	struct asker a;

	(void)state;
	assert_ok(tus_uploads_is_unfinished(db, id, &why));
	assert_ok(tus_uploads_is_unfinished_or_file(db, id, &why));
	assert_ok(finish_upload(&u));
	assert_err(tus_uploads_is_unfinished(db, id, &why), ERR_NOT_FOUND);
	assert_ok(tus_uploads_is_unfinished_or_file(db, id, &why));
	assert_ok(files_remove(db, asking(&a, ANN), 0, id, NULL, &why));
	assert_err(tus_uploads_is_unfinished_or_file(db, id, &why),
		   ERR_NOT_FOUND);
}

/* --- many at once --------------------------------------------------------- */

enum { THREADS = 8, EACH = 15 };

static atomic_bool stop;
static atomic_int turn; /* the upload that becomes a file now */
static atomic_int missed, unexpected_errors;

static void count_unexpected(enum err e, enum err also_expected)
{
	if (e != ERR_OK && e != also_expected &&
	    atomic_fetch_add(&unexpected_errors, 1) == 0)
		print_error("%s\n", err_text(e));
}

static void *look_for_bytes(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		int n = atomic_load(&turn);
		const struct tus_upload u = sample(n, TUS_WHOLE, 1);
		enum err e = tus_uploads_is_unfinished_or_file(
			db, span_of(u.id), NULL);

		if (e == ERR_NOT_FOUND && n == atomic_load(&turn))
			atomic_fetch_add(&missed, 1);
		count_unexpected(e, ERR_NOT_FOUND);
	}
	db_thread_end();
	return NULL;
}

static void bytes_always_belong_to_an_upload_or_its_file(void **state)
{
	pthread_t threads[3];

	(void)state;
	atomic_store(&stop, false);
	atomic_store(&turn, 0);
	atomic_store(&missed, 0);
	atomic_store(&unexpected_errors, 0);
	(void)added_upload(0, TUS_WHOLE, 1);
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, look_for_bytes, NULL),
			0);
	for (int n = 0; n < 200; n++) {
		const struct tus_upload u = sample(n, TUS_WHOLE, 1);

		(void)added_upload(n + 1, TUS_WHOLE, 1);
		assert_ok(finish_upload(&u));
		atomic_store(&turn, n + 1);
	}
	atomic_store(&stop, true);
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(atomic_load(&unexpected_errors), 0);
	assert_int_equal(atomic_load(&missed), 0);
}

static const struct quota_limits tight = { 100, 12 };
static atomic_int created;

static void *create_many(void *arg)
{
	int number = *(int *)arg;
	struct asker a;

	for (int i = 0; i < EACH; i++) {
		struct tus_upload u = sample(number * EACH + i, TUS_WHOLE, 7);
		enum err e = tus_uploads_add(db, asking(&a, ANN), 0, &tight,
					     MANY, &u, NULL);

		if (e == ERR_OK)
			atomic_fetch_add(&created, 1);
		count_unexpected(e,
				 e == ERR_QUOTA ? ERR_QUOTA : ERR_QUOTA_FILES);
	}
	db_thread_end();
	return NULL;
}

static void run_in_threads(void *(*work)(void *))
{
	static int numbers[THREADS];
	pthread_t threads[THREADS];

	atomic_store(&unexpected_errors, 0);
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		assert_int_equal(
			pthread_create(&threads[i], NULL, work, &numbers[i]),
			0);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(atomic_load(&unexpected_errors), 0);
}

static void concurrent_creations_fill_the_quota_exactly(void **state)
{
	(void)state;
	atomic_store(&created, 0);
	run_in_threads(create_many);
	assert_int_equal(atomic_load(&created), 12);
	assert_usage(84, 12);
}

static void *create_parts(void *arg)
{
	int number = *(int *)arg;
	struct asker a;

	for (int i = 0; i < EACH; i++) {
		/* They take nothing of the quota */
		struct tus_upload u = sample(number * EACH + i, TUS_PARTIAL, 0);
		enum err e = tus_uploads_add(db, asking(&a, ANN), 0, &unlimited,
					     9, &u, NULL);

		if (e == ERR_OK)
			atomic_fetch_add(&created, 1);
		count_unexpected(e, ERR_TOO_MANY_UPLOADS);
	}
	db_thread_end();
	return NULL;
}

static void concurrent_creations_stop_exactly_at_the_maximum(void **state)
{
	struct tus_upload u = sample(1, TUS_WHOLE, 7);
	struct asker a;

	(void)state;
	atomic_store(&created, 0);
	run_in_threads(create_parts);
	assert_int_equal(atomic_load(&created), 9);
	/* Those that are finished or have expired do not count */
	u = sample(THREADS * EACH, TUS_WHOLE, 7);
	assert_int_equal(tus_uploads_add(db, asking(&a, ANN), 0, &unlimited, 9,
					 &u, &why),
			 ERR_TOO_MANY_UPLOADS);
	assert_ok(db_change(db, "UPDATE upload SET expires_at = ? LIMIT 1",
			    DB_IN(db_int(NOW)), &why));
	assert_ok(tus_uploads_add(db, asking(&a, ANN), 0, &unlimited, 9, &u,
				  &why));
	assert_ok(finish_upload(&u));
	u = sample(THREADS * EACH + 1, TUS_WHOLE, 7);
	assert_ok(tus_uploads_add(db, asking(&a, ANN), 0, &unlimited, 9, &u,
				  &why));
}

/* Many requests reserve for one upload, each from the row that it read */
static void *reserve_many(void *arg)
{
	int number = *(int *)arg;
	struct asker a;
	struct tus_upload u = sample(1, TUS_WHOLE, 0);

	for (int i = 1; i <= EACH; i++) {
		struct tus_upload now;

		count_unexpected(tus_uploads_find(db, asking(&a, ANN), 0,
						  span_of(u.id), &now, NULL),
				 ERR_OK);
		count_unexpected(tus_uploads_reserve(db, asking(&a, ANN),
						     &tight, &now,
						     i * 5 + number, NULL),
				 ERR_CONFLICT);
	}
	db_thread_end();
	return NULL;
}

static void concurrent_reservations_count_once(void **state)
{
	struct tus_upload u;

	(void)state;
	(void)added_upload(1, TUS_WHOLE, TUS_LENGTH_UNKNOWN);
	run_in_threads(reserve_many);
	u = found_upload(1);
	assert_true(u.reserved.bytes >= EACH * 5);
	assert_true(u.reserved.bytes < EACH * 5 + THREADS);
	assert_usage(u.reserved.bytes, 1);
}

/* All that can happen to uploads */
static void *live_through(void *arg)
{
	int number = *(int *)arg;
	struct asker a;

	for (int i = 0; i < EACH; i++) {
		int n = (number * EACH + i) * 4;
		struct tus_upload u[4];
		struct tus_upload whole = sample(n + 3, TUS_FINAL, 6);
		struct file f;

		u[0] = sample(n, TUS_WHOLE, TUS_LENGTH_UNKNOWN);
		u[1] = sample(n + 1, TUS_PARTIAL, 2);
		u[2] = sample(n + 2, TUS_PARTIAL, 4);
		for (int k = 0; k < 3; k++)
			count_unexpected(tus_uploads_add(db, asking(&a, ANN), 0,
							 &unlimited, MANY,
							 &u[k], NULL),
					 ERR_OK);
		count_unexpected(tus_uploads_reserve(db, asking(&a, ANN),
						     &unlimited, &u[0], 5,
						     NULL),
				 ERR_OK);
		count_unexpected(tus_uploads_set_length(db, asking(&a, ANN),
							&unlimited, &u[0], 9,
							NULL),
				 ERR_OK);
		f = file_of(&u[0]);
		count_unexpected(
			i % 3 == 0 ? tus_uploads_remove(db, &u[0], NULL)
				   : tus_uploads_finish(db, asking(&a, ANN),
							&u[0], &f, NULL, NULL),
			ERR_OK);
		whole.finished_at = NOW;
		f = file_of(&whole);
		count_unexpected(tus_uploads_join(db, asking(&a, ANN),
						  &unlimited, &whole, &f, u + 1,
						  2, NULL, NULL),
				 ERR_OK);
		if (i % 2 == 0)
			count_unexpected(files_remove(db, asking(&a, ANN), 0,
						      span_of(whole.id), NULL,
						      NULL),
					 ERR_OK);
	}
	db_thread_end();
	return NULL;
}

static void *recount(void *arg)
{
	struct amount was, is;

	(void)arg;
	while (!atomic_load(&stop)) {
		enum err e = quota_recount(db, ANN, &was, &is, NULL);

		if (e == ERR_OK &&
		    (was.bytes != is.bytes || was.files != is.files))
			atomic_fetch_add(&missed, 1);
		count_unexpected(e, ERR_OK);
	}
	db_thread_end();
	return NULL;
}

static void a_recount_agrees_while_uploads_change(void **state)
{
	pthread_t counter;

	(void)state;
	atomic_store(&stop, false);
	atomic_store(&missed, 0);
	assert_int_equal(pthread_create(&counter, NULL, recount, NULL), 0);
	run_in_threads(live_through);
	atomic_store(&stop, true);
	assert_int_equal(pthread_join(counter, NULL), 0);
	assert_int_equal(atomic_load(&missed), 0);
	/* Of 15 in each thread, 10 were finished; of 15 joined, 7 stay */
	assert_usage(THREADS * (10 * 9 + 7 * 6), THREADS * (10 + 7));
}

#define UPLOAD(name) cmocka_unit_test_setup(name, owners_clear)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		UPLOAD(an_added_upload_is_found_unchanged),
		UPLOAD(absent_values_are_found_as_absent),
		UPLOAD(the_longest_values_fit),
		UPLOAD(an_upload_of_another_owner_is_not_found),
		UPLOAD(a_failed_find_leaves_its_output_unchanged),
		UPLOAD(an_ended_session_is_refused_by_every_call),
		UPLOAD(a_length_is_reserved_at_creation),
		UPLOAD(a_file_is_reserved_at_creation_but_not_a_part),
		UPLOAD(bytes_of_unknown_length_are_reserved_in_advance),
		UPLOAD(a_length_is_set_once_and_not_below_what_is_reserved),
		UPLOAD(a_change_from_an_older_row_is_refused),
		UPLOAD(a_lowered_limit_does_not_prevent_finishing),
		UPLOAD(an_upload_becomes_a_file_once),
		UPLOAD(a_removed_upload_gives_back_what_it_reserved),
		UPLOAD(parts_become_one_file),
		UPLOAD(parts_that_cannot_be_joined_stay_unchanged),
		UPLOAD(delete_expired_deletes_only_expired_rows),
		UPLOAD(expired_uploads_are_listed_in_order_after_an_id),
		UPLOAD(bytes_belong_to_an_upload_and_then_to_its_file),
		UPLOAD(bytes_always_belong_to_an_upload_or_its_file),
		UPLOAD(concurrent_creations_fill_the_quota_exactly),
		UPLOAD(concurrent_creations_stop_exactly_at_the_maximum),
		UPLOAD(concurrent_reservations_count_once),
		UPLOAD(a_recount_agrees_while_uploads_change),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, owners_open, owners_close);
}
