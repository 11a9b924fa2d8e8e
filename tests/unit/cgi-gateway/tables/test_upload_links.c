#include "cgi-gateway/tables/upload_links.h"
#include "tests/unit/cgi-gateway/owners.h"

#include <pthread.h>
#include <stdatomic.h>

enum { TRIES = 50 };

static char token[LINK_TOKEN_LEN + 1];

/* A link of Ann's; its secret is in `token` */
static struct upload_link hand_out(int64_t files, int64_t bytes,
				   int64_t expires_at)
{
	struct upload_link l = { .name = "F\xc3\xaate",
				 .limits = { bytes, files },
				 .expires_at = expires_at };
	struct asker a;

	assert_ok(upload_links_add(db, asking(&a, ANN), 0, &l, token, &why));
	l.owner = ANN;
	return l;
}

static enum err find(int64_t now, struct upload_link *l)
{
	return upload_links_find(db, span_of(token), now, l, &why);
}

static enum err revoke(uint64_t user, uint64_t owner, const char *id)
{
	struct asker a;

	return upload_links_revoke(db, asking(&a, user), owner, span_of(id),
				   &why);
}

/* The rows of so many files of `size` bytes each, at `now` */
static enum err send_many(const struct upload_link *l, size_t count,
			  int64_t size, int64_t now,
			  const struct quota_limits *limits)
{
	struct file files[4];

	assert_true(count <= COUNT(files));
	for (size_t i = 0; i < count; i++) {
		files[i] = (struct file) { .name = "a",
					   .type = "text/plain",
					   .size = size,
					   .created_at = now };
		ident_uuid7(now * INT64_C(1000), files[i].id);
		memcpy(files[i].upload_link, l->id, sizeof(l->id));
	}
	return upload_links_receive(db, l, now, limits, files, count, NULL,
				    NULL);
}

static enum err send(const struct upload_link *l, int64_t size)
{
	return send_many(l, 1, size, NOW, &unlimited);
}

/* The same in the owner's count, the link's and the table of files */
static void assert_used(const struct upload_link *l, int64_t files,
			int64_t bytes)
{
	int64_t n[6];

	assert_ok(db_row(
		db,
		"SELECT COALESCE(SUM(q.files), 0), COALESCE(SUM(q.bytes), 0),"
		" MIN(k.files), MIN(k.bytes),"
		" (SELECT COUNT(*) FROM file WHERE upload_link = MIN(k.id)),"
		" (SELECT CAST(COALESCE(SUM(size), 0) AS SIGNED) FROM file"
		" WHERE upload_link = MIN(k.id) AND owner = MIN(k.owner))"
		" FROM upload_link k LEFT JOIN quota q ON q.owner = k.owner"
		" WHERE k.id = ?",
		DB_IN(db_text(span_of(l->id))),
		DB_OUT(db_to_int(&n[0]), db_to_int(&n[1]), db_to_int(&n[2]),
		       db_to_int(&n[3]), db_to_int(&n[4]), db_to_int(&n[5])),
		&why));
	for (size_t i = 0; i < COUNT(n); i++)
		assert_int_equal(n[i], i % 2 == 0 ? files : bytes);
}

/* --- what a link is ------------------------------------------------------- */

static void a_token_finds_the_link(void **state)
{
	struct upload_link made = hand_out(3, 100, NOW + 60), l;

	(void)state;
	assert_int_equal(strlen(token), LINK_TOKEN_LEN);
	assert_ok(find(NOW, &l));
	assert_string_equal(l.id, made.id);
	assert_int_equal(l.owner, ANN);
	assert_string_equal(l.name, "F\xc3\xaate");
	assert_int_equal(l.created_at, NOW);
	assert_int_equal(l.expires_at, NOW + 60);
	assert_int_equal(l.limits.files, 3);
	assert_int_equal(l.limits.bytes, 100);
	assert_int_equal(l.max_file_bytes, UPLOAD_LINK_NO_LIMIT);
	assert_int_equal(l.used.files, 0);
	assert_int_equal(l.used.bytes, 0);
}

static void only_the_hash_of_the_token_is_stored(void **state)
{
	struct upload_link l = hand_out(1, 1, NOW + 60);
	unsigned char hash[SHA256_LEN], kept[SHA256_LEN];

	(void)state;
	sha256_of(span_of(token), hash);
	assert_ok(db_row(db, "SELECT hash FROM upload_link WHERE id = ?",
			 DB_IN(db_text(span_of(l.id))),
			 DB_OUT(db_to_bytes(kept, sizeof(kept))), &why));
	assert_memory_equal(kept, hash, SHA256_LEN);
}

static void an_invalid_token_finds_nothing(void **state)
{
	struct upload_link made = hand_out(1, 1, UPLOAD_LINK_NEVER);
	struct upload_link l = { .owner = 77 };
	const char *const wrong[] = { "",
				      "x",
				      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
				      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'",
				      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\xc5",
				      made.id };

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_err(
			upload_links_find(db, span_of(wrong[i]), NOW, &l, &why),
			ERR_NOT_FOUND);
	assert_int_equal(l.owner, 77);
}

static void the_room_left_is_a_number_or_unlimited(void **state)
{
	struct upload_link l = { .limits = { 100, 3 }, .used = { 40, 1 } };

	(void)state;
	assert_int_equal(upload_link_left(&l).files, 2);
	assert_int_equal(upload_link_left(&l).bytes, 60);
	l.limits =
		(struct amount) { UPLOAD_LINK_NO_LIMIT, UPLOAD_LINK_NO_LIMIT };
	assert_true(upload_link_left(&l).files == INT64_MAX);
	assert_true(upload_link_left(&l).bytes == INT64_MAX);
	assert_int_equal(upload_link_max_file(&l, 70), 70);
	l.max_file_bytes = 60;
	assert_int_equal(upload_link_max_file(&l, 70), 60);
	assert_int_equal(upload_link_max_file(&l, 50), 50);
}

/* --- receiving files ------------------------------------------------------ */

static void a_file_is_counted_for_its_owner_and_in_the_link(void **state)
{
	struct upload_link l = hand_out(9, 100, NOW + 60);

	(void)state;
	assert_ok(send(&l, 10)); /* and the owner had no count yet */
	assert_used(&l, 1, 10);
	assert_ok(send_many(&l, 3, 20, NOW, &unlimited));
	assert_used(&l, 4, 70);
}

static void the_last_file_and_the_last_byte_are_accepted_and_no_more(
	void **state)
{
	struct upload_link files = hand_out(2, UPLOAD_LINK_NO_LIMIT, NOW + 60);
	struct upload_link bytes, got;

	(void)state;
	assert_err(send_many(&files, 3, 1, NOW, &unlimited), ERR_GONE);
	assert_ok(send_many(&files, 2, 1, NOW, &unlimited));
	assert_err(send(&files, 0), ERR_GONE);
	assert_err(find(NOW, &got), ERR_GONE);
	assert_used(&files, 2, 2);
	(void)owners_clear(state);
	bytes = hand_out(UPLOAD_LINK_NO_LIMIT, 10, NOW + 60);
	assert_err(send(&bytes, 11), ERR_GONE);
	assert_ok(send(&bytes, 9));
	assert_err(send(&bytes, 2), ERR_GONE);
	assert_ok(find(NOW, &got));
	assert_ok(send(&bytes, 1));
	assert_err(find(NOW, &got), ERR_GONE);
	assert_err(send(&bytes, 0), ERR_GONE);
	assert_used(&bytes, 2, 10);
}

static void a_link_without_limits_is_limited_by_the_owner_s_quota(void **state)
{
	struct upload_link l = hand_out(
		UPLOAD_LINK_NO_LIMIT, UPLOAD_LINK_NO_LIMIT, UPLOAD_LINK_NEVER);
	const struct quota_limits most = { 100, 2 };

	(void)state;
	assert_ok(send(&l, INT64_C(1) << 50));
	assert_err(send_many(&l, 1, 1, NOW, &most), ERR_QUOTA);
	assert_used(&l, 1, INT64_C(1) << 50);
}

static void a_file_beyond_the_owner_s_quota_is_not_counted_in_the_link(
	void **state)
{
	struct upload_link l = hand_out(9, 1000, NOW + 60);
	const struct quota_limits bytes = { 100, QUOTA_NONE };
	const struct quota_limits files = { QUOTA_NONE, 1 };

	(void)state;
	assert_err(send_many(&l, 1, 101, NOW, &bytes), ERR_QUOTA);
	assert_used(&l, 0, 0);
	assert_ok(send_many(&l, 1, 100, NOW, &bytes));
	assert_err(send_many(&l, 1, 1, NOW, &bytes), ERR_QUOTA);
	assert_err(send_many(&l, 1, 0, NOW, &files), ERR_QUOTA_FILES);
	assert_used(&l, 1, 100);
}

static void a_link_has_ended_in_the_second_of_its_expiry(void **state)
{
	struct upload_link l = hand_out(9, 100, NOW + 10), got;

	(void)state;
	assert_ok(find(NOW + 9, &got));
	assert_err(find(NOW + 10, &got), ERR_GONE);
	assert_ok(send_many(&l, 1, 1, NOW + 9, &unlimited));
	assert_err(send_many(&l, 1, 1, NOW + 10, &unlimited), ERR_GONE);
	assert_used(&l, 1, 1);
}

static void a_link_that_is_revoked_meanwhile_accepts_nothing(void **state)
{
	struct upload_link l = hand_out(9, 100, UPLOAD_LINK_NEVER), got;

	(void)state;
	assert_ok(find(NOW, &got));
	assert_ok(revoke(ANN, 0, l.id));
	assert_err(send(&l, 1), ERR_GONE);
	assert_err(find(NOW, &got), ERR_GONE);
	assert_used(&l, 0, 0);
	assert_err(revoke(ANN, 0, l.id), ERR_NOT_FOUND);
}

static void a_link_accepts_nothing_while_its_owner_is_disabled(void **state)
{
	struct upload_link l = hand_out(9, 100, NOW + 60), got;

	(void)state;
	sessions_disable(db, ANN, true);
	assert_err(find(NOW, &got), ERR_GONE);
	assert_err(send(&l, 1), ERR_GONE);
	assert_used(&l, 0, 0);
	sessions_disable(db, ANN, false);
	sessions_revoke(db, session_of(ANN)); /* a link needs no session */
	assert_ok(find(NOW, &got));
	assert_ok(send(&l, 1));
}

static void a_link_without_its_owner_accepts_nothing(void **state)
{
	struct upload_link l = hand_out(9, 100, NOW + 60), got;

	(void)state;
	assert_ok(db_change(db, "UPDATE upload_link SET owner = 99", DB_NONE,
			    &why));
	l.owner = 99;
	assert_err(find(NOW, &got), ERR_GONE);
	assert_err(send(&l, 1), ERR_GONE);
	assert_int_equal(file_table_rows(db), 0);
}

/* --- many at once --------------------------------------------------------- */

static struct upload_link crowded;
static atomic_int tickets;

static void *try_to_send(void *arg)
{
	enum err *e = arg;

	*e = send(&crowded, 7);
	db_thread_end();
	return NULL;
}

/* How many of TRIES at the same instant got through */
static int64_t crowd(void *(*run)(void *))
{
	pthread_t threads[TRIES];
	enum err e[TRIES];
	int64_t taken = 0;

	for (size_t i = 0; i < TRIES; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run, &e[i]),
				 0);
	for (size_t i = 0; i < TRIES; i++) {
		(void)pthread_join(threads[i], NULL);
		assert_true(e[i] == ERR_OK || e[i] == ERR_GONE ||
			    e[i] == ERR_QUOTA);
		taken += e[i] == ERR_OK;
	}
	return taken;
}

static void exactly_the_allowed_files_of_fifty_at_once_are_accepted(
	void **state)
{
	(void)state;
	for (int64_t max = 1; max <= 7; max += 3) {
		(void)owners_clear(state);
		crowded = hand_out(max, UPLOAD_LINK_NO_LIMIT, NOW + 60);
		assert_int_equal(crowd(try_to_send), max);
		assert_used(&crowded, max, max * 7);
	}
}

static void exactly_the_allowed_bytes_of_fifty_at_once_are_accepted(
	void **state)
{
	(void)state;
	crowded = hand_out(UPLOAD_LINK_NO_LIMIT, 7 * 11 + 6, NOW + 60);
	assert_int_equal(crowd(try_to_send), 11);
	assert_used(&crowded, 11, 77);
}

/* Each third by the link, each third with a session into the same space; and
 * each third revokes a link */
static void *do_anything(void *arg)
{
	static char id[IDENT_LEN + 1] = "AAAAAAAAAAAAAAAAAAAAAA";
	int ticket = atomic_fetch_add(&tickets, 1);
	enum err *e = arg;
	struct file f = {
		.name = "a", .type = "text/plain", .size = 7, .created_at = NOW
	};
	struct asker a;

	ident_uuid7(NOW * INT64_C(1000), f.id);
	if (ticket % 3 == 0)
		*e = send(&crowded, 7);
	else if (ticket % 3 == 1)
		*e = files_add(db, asking(&a, ANN), 0, &unlimited, &f, 1, NULL,
			       NULL);
	else
		*e = revoke(ANN, 0, id) == ERR_NOT_FOUND ? ERR_GONE
							 : ERR_UNAVAILABLE;
	db_thread_end();
	return NULL;
}

static void sessions_and_links_never_deadlock(void **state)
{
	const int64_t by_link = (TRIES + 2) / 3, by_session = (TRIES + 1) / 3;

	(void)state;
	atomic_store(&tickets, 0);
	crowded =
		hand_out(UPLOAD_LINK_NO_LIMIT, UPLOAD_LINK_NO_LIMIT, NOW + 60);
	assert_int_equal(crowd(do_anything), by_link + by_session);
	assert_int_equal(file_table_rows(db), by_link + by_session);
}

/* --- the owner ------------------------------------------------------------ */

static void another_user_cannot_revoke_a_link(void **state)
{
	struct upload_link l = hand_out(1, 1, NOW + 60), got;

	(void)state;
	assert_err(revoke(BOB, 0, l.id), ERR_NOT_FOUND);
	assert_err(revoke(ROOT, BOB, l.id), ERR_NOT_FOUND);
	sessions_revoke(db, session_of(ANN));
	assert_err(revoke(ANN, 0, l.id), ERR_BAD_TOKEN);
	assert_ok(find(NOW, &got));
	assert_ok(revoke(ROOT, ANN, l.id));
}

static void a_session_that_has_ended_adds_no_link(void **state)
{
	struct upload_link l = { .name = "" };
	struct asker a;

	(void)state;
	sessions_revoke(db, session_of(ANN));
	assert_err(upload_links_add(db, asking(&a, ANN), 0, &l, token, &why),
		   ERR_BAD_TOKEN);
}

static void a_link_for_another_user_belongs_to_them_if_they_exist(void **state)
{
	struct upload_link l = { .name = "" }, got;
	struct asker a;

	(void)state;
	assert_ok(upload_links_add(db, asking(&a, ROOT), BOB, &l, token, &why));
	assert_ok(find(NOW, &got));
	assert_int_equal(got.owner, BOB);
	assert_err(upload_links_add(db, asking(&a, ROOT), 99, &l, token, &why),
		   ERR_NOT_FOUND);
}

struct seen {
	struct upload_link row;
	char ids[8][IDENT_LEN + 1];
	size_t count;
};

static enum err see(void *arg)
{
	struct seen *s = arg;

	assert_true(s->count < COUNT(s->ids));
	memcpy(s->ids[s->count++], s->row.id, sizeof(s->row.id));
	return ERR_OK;
}

static void the_list_has_links_that_are_not_revoked_newest_first(void **state)
{
	struct upload_link one = hand_out(1, 1, NOW - 10);
	struct upload_link two = hand_out(1, 1, NOW + 60);
	struct upload_link three = hand_out(1, 1, NOW + 60);
	struct seen s = { .count = 0 };
	struct asker a;

	(void)state;
	assert_ok(db_change(db,
			    "UPDATE upload_link SET created_at = created_at - 1"
			    " WHERE id = ?",
			    DB_IN(db_text(span_of(one.id))), &why));
	assert_ok(revoke(ANN, 0, three.id));
	assert_ok(upload_links_list(db, asking(&a, ANN), 0, &s.row, see, &s,
				    &why));
	assert_int_equal(s.count, 2);
	assert_string_equal(s.ids[0], two.id);
	assert_string_equal(s.ids[1], one.id);
	assert_ok(upload_links_list(db, asking(&a, BOB), 0, &s.row, see, &s,
				    &why));
	assert_int_equal(s.count, 2);
	assert_ok(upload_links_list(db, asking(&a, ROOT), ANN, &s.row, see, &s,
				    &why));
	assert_int_equal(s.count, 4);
	sessions_revoke(db, session_of(ANN));
	assert_err(upload_links_list(db, asking(&a, ANN), 0, &s.row, see, &s,
				     &why),
		   ERR_BAD_TOKEN);
	assert_int_equal(s.count, 4);
}

static void a_link_that_could_not_be_added_leaves_its_arguments_alone(
	void **state)
{
	const struct upload_link asked = { .limits = { 7, 7 },
					   .used = { -7, -7 } };
	struct upload_link l = asked;
	struct asker a;

	(void)state;
	memset(token, 'x', LINK_TOKEN_LEN);
	/* There is no such owner */
	assert_err(
		upload_links_add(db, asking(&a, ROOT), 12345, &l, token, &why),
		ERR_NOT_FOUND);
	assert_memory_equal(&l, &asked, sizeof(l));
	assert_string_equal(token, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
}

static void an_owner_has_a_hundred_links_at_most(void **state)
{
	struct upload_link l, last;
	struct asker a;

	(void)state;
	for (int i = 0; i < UPLOAD_LINK_OWNER_MAX; i++)
		last = hand_out(1, 1, NOW + 60);
	l = last;
	assert_err(upload_links_add(db, asking(&a, ANN), 0, &l, token, &why),
		   ERR_TOO_MANY);
	assert_err(upload_links_add(db, asking(&a, ROOT), ANN, &l, token, &why),
		   ERR_TOO_MANY);
	assert_ok(upload_links_add(db, asking(&a, BOB), 0, &l, token, &why));
	assert_ok(revoke(ANN, 0, last.id));
	(void)hand_out(1, 1, NOW + 60);
}

/* --- the run_gc ----------------------------------------------------------- */

static int64_t run_gc(int64_t now, bool dry)
{
	int64_t n = -1;

	assert_ok(upload_links_gc(db, now, dry, &n, &why));
	return n;
}

static void gc_removes_a_link_thirty_days_after_its_end(void **state)
{
	struct upload_link l = hand_out(1, 1, NOW + 10), got;
	const int64_t end = NOW + 10 + UPLOAD_LINK_KEPT;

	(void)state;
	(void)l;
	assert_int_equal(run_gc(end, false), 0);
	assert_int_equal(run_gc(end + 1, true), 1);
	assert_err(find(NOW + 10, &got), ERR_GONE);
	assert_int_equal(run_gc(end + 1, false), 1);
	assert_err(find(NOW + 10, &got), ERR_NOT_FOUND);
}

static void gc_removes_used_up_and_revoked_links_too(void **state)
{
	struct upload_link files = hand_out(1, 9, UPLOAD_LINK_NEVER);
	struct upload_link bytes = hand_out(9, 1, UPLOAD_LINK_NEVER);
	struct upload_link revoked = hand_out(9, 9, UPLOAD_LINK_NEVER);
	struct upload_link alive = hand_out(9, 9, UPLOAD_LINK_NEVER), got;

	(void)state;
	assert_ok(send(&files, 1));
	assert_ok(send(&bytes, 1));
	assert_ok(send(&alive, 1));
	assert_ok(revoke(ANN, 0, revoked.id));
	assert_int_equal(run_gc(NOW + UPLOAD_LINK_KEPT, false), 0);
	assert_int_equal(run_gc(NOW + UPLOAD_LINK_KEPT + 1, false), 3);
	assert_ok(find(NOW, &got));
	assert_string_equal(got.id, alive.id);
	assert_int_equal(file_table_rows(db), 3);
}

static void gc_does_not_wait_for_a_live_link(void **state)
{
	struct upload_link alive = hand_out(9, 9, UPLOAD_LINK_NEVER);
	struct db_conn *c;

	(void)state;
	(void)hand_out(1, 1, NOW + 10);
	assert_ok(db_begin(db, &c, &why));
	assert_ok(db_tx_change(c,
			       "UPDATE upload_link SET files = 1 WHERE id = ?",
			       DB_IN(db_text(span_of(alive.id))), &why));
	assert_int_equal(run_gc(NOW + 11 + UPLOAD_LINK_KEPT, false), 1);
	db_rollback(c);
}

#define LINK(name) cmocka_unit_test_setup(name, owners_clear)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		LINK(a_token_finds_the_link),
		LINK(only_the_hash_of_the_token_is_stored),
		LINK(an_invalid_token_finds_nothing),
		LINK(the_room_left_is_a_number_or_unlimited),
		LINK(a_file_is_counted_for_its_owner_and_in_the_link),
		LINK(the_last_file_and_the_last_byte_are_accepted_and_no_more),
		LINK(a_link_without_limits_is_limited_by_the_owner_s_quota),
		LINK(a_file_beyond_the_owner_s_quota_is_not_counted_in_the_link),
		LINK(a_link_has_ended_in_the_second_of_its_expiry),
		LINK(a_link_that_is_revoked_meanwhile_accepts_nothing),
		LINK(a_link_accepts_nothing_while_its_owner_is_disabled),
		LINK(a_link_without_its_owner_accepts_nothing),
		LINK(exactly_the_allowed_files_of_fifty_at_once_are_accepted),
		LINK(exactly_the_allowed_bytes_of_fifty_at_once_are_accepted),
		LINK(sessions_and_links_never_deadlock),
		LINK(another_user_cannot_revoke_a_link),
		LINK(a_session_that_has_ended_adds_no_link),
		LINK(a_link_for_another_user_belongs_to_them_if_they_exist),
		LINK(the_list_has_links_that_are_not_revoked_newest_first),
		LINK(a_link_that_could_not_be_added_leaves_its_arguments_alone),
		LINK(an_owner_has_a_hundred_links_at_most),
		LINK(gc_removes_a_link_thirty_days_after_its_end),
		LINK(gc_removes_used_up_and_revoked_links_too),
		LINK(gc_does_not_wait_for_a_live_link),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, owners_open, owners_close);
}
