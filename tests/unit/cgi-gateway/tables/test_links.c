#include "cgi-gateway/tables/links.h"
#include "tests/unit/cgi-gateway/owners.h"

#include <pthread.h>

enum { TRIES = 20, SIZE = 1000000 };

static struct file file;
static char token[LINK_TOKEN_LEN + 1];

static struct session_check *by(uint64_t user)
{
	static struct request rq;
	static struct session_check c;

	rq = (struct request) { .now = NOW };
	session_show(&rq, session_of(user), NULL);
	session_check_init(&c, &rq, "");
	return &c;
}

/* A file of Ann's, as a row alone */
static int clear(void **state)
{
	(void)owners_clear(state);
	file = (struct file) { .id = "0190b3a2-0000-7000-8000-0000000000ab",
			       .owner = ANN,
			       .name = "a",
			       .type = "text/plain",
			       .size = 10,
			       .created_at = NOW };
	assert_ok(db_change(
		db,
		"INSERT INTO file (id, owner, name, type, size, sha256,"
		" created_at) VALUES (?, 42, 'a', 'text/plain', 10, ?, ?)",
		DB_IN(db_text(span_of(file.id)),
		      db_bytes((struct span) { (char *)file.sha256,
					       SHA256_LEN }),
		      db_int(NOW)),
		&why));
	return 0;
}

static void lose_file(void)
{
	assert_ok(db_change(db, "DELETE FROM file", DB_NONE, &why));
}

static struct link share(int64_t max_downloads, int64_t expires_at)
{
	struct link l = { .max_downloads = max_downloads,
			  .expires_at = expires_at };

	assert_ok(links_add(db, by(ANN), &file, &l, token, &why));
	return l;
}

static enum err find(int64_t now, struct link *l)
{
	struct file f;

	return links_find(db, span_of(token), now, l, &f, &why);
}

static int64_t downloads_of(const struct link *l)
{
	int64_t n;

	assert_ok(db_row(db, "SELECT downloads FROM link WHERE id = ?",
			 DB_IN(db_text(span_of(l->id))), DB_OUT(db_to_int(&n)),
			 &why));
	return n;
}

/* Charge `length` bytes of a file of SIZE bytes */
static enum err charge(const struct link *l, int64_t length, int64_t now)
{
	const struct link_charge c = { SIZE, length, false };

	return links_charge(db, l, &c, now, &why);
}

static void a_token_finds_the_link_and_its_file(void **state)
{
	struct link made = share(3, NOW + 60), l;
	struct file f;

	(void)state;
	assert_int_equal(strlen(token), LINK_TOKEN_LEN);
	assert_ok(links_find(db, span_of(token), NOW, &l, &f, &why));
	assert_string_equal(l.id, made.id);
	assert_int_equal(l.created_at, NOW);
	assert_int_equal(l.expires_at, NOW + 60);
	assert_int_equal(l.max_downloads, 3);
	assert_int_equal(l.downloads, 0);
	assert_string_equal(f.id, file.id);
	assert_int_equal(f.size, 10);
}

static void an_invalid_token_finds_nothing(void **state)
{
	struct link made = share(1, LINK_NEVER), l = { .downloads = -7 };
	struct file f;
	static const char *const wrong[] = { "", "x",
					     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
					     "%", "' OR 1 -- " };

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_err(links_find(db, span_of(wrong[i]), NOW, &l, &f, &why),
			   ERR_NOT_FOUND);
	assert_err(links_find(db, span_of(made.id), NOW, &l, &f, &why),
		   ERR_NOT_FOUND);
	assert_int_equal(l.downloads, -7);
}

static void a_link_has_ended_in_the_second_of_its_expiry(void **state)
{
	struct link l = share(9, NOW + 10), got;

	(void)state;
	assert_ok(find(NOW + 9, &got));
	assert_err(find(NOW + 10, &got), ERR_GONE);
	assert_ok(charge(&l, SIZE, NOW + 9));
	assert_err(charge(&l, SIZE, NOW + 10), ERR_GONE);
	assert_err(charge(&l, 1, NOW + 10), ERR_GONE);
}

static void a_link_ends_with_its_file(void **state)
{
	struct link l;

	(void)state;
	(void)share(LINK_NO_LIMIT, LINK_NEVER);
	assert_ok(db_change(db, "UPDATE file SET expires_at = ?",
			    DB_IN(db_int(NOW + 5)), &why));
	assert_ok(find(NOW + 4, &l));
	assert_err(find(NOW + 5, &l), ERR_GONE);
	lose_file();
	assert_err(find(NOW, &l), ERR_GONE);
}

static void a_link_that_is_revoked_meanwhile_is_not_counted(void **state)
{
	struct link l = share(9, LINK_NEVER), got;

	(void)state;
	assert_ok(charge(&l, SIZE, NOW));
	assert_ok(links_revoke(db, by(ANN), 0, span_of(l.id), &why));
	assert_err(charge(&l, SIZE, NOW), ERR_GONE);
	assert_err(charge(&l, 1, NOW), ERR_GONE);
	assert_err(find(NOW, &got), ERR_GONE);
	assert_err(links_revoke(db, by(ANN), 0, span_of(l.id), &why),
		   ERR_NOT_FOUND);
}

static void another_user_cannot_revoke_a_link(void **state)
{
	struct link l = share(1, LINK_NEVER);

	(void)state;
	assert_err(links_revoke(db, by(BOB), 0, span_of(l.id), &why),
		   ERR_NOT_FOUND);
	sessions_revoke(db, session_of(ANN));
	assert_err(links_revoke(db, by(ANN), 0, span_of(l.id), &why),
		   ERR_BAD_TOKEN);
	assert_ok(charge(&l, SIZE, NOW));
}

static void a_session_that_has_ended_adds_no_link(void **state)
{
	struct link l = { .id = "" };

	(void)state;
	sessions_revoke(db, session_of(ANN));
	assert_err(links_add(db, by(ANN), &file, &l, token, &why),
		   ERR_BAD_TOKEN);
}

static struct link crowded;

static void *try_to_count(void *arg)
{
	enum err *e = arg;
	const struct link_charge c = { SIZE, SIZE, false };

	*e = links_charge(db, &crowded, &c, NOW, NULL);
	db_thread_end();
	return NULL;
}

static void exactly_the_allowed_downloads_of_twenty_at_once_are_counted(
	void **state)
{
	pthread_t threads[TRIES];
	enum err e[TRIES];

	(void)state;
	for (int64_t max = 1; max <= 7; max += 3) {
		int64_t counted = 0;

		crowded = share(max, LINK_NEVER);
		for (size_t i = 0; i < TRIES; i++)
			assert_int_equal(pthread_create(&threads[i], NULL,
							try_to_count, &e[i]),
					 0);
		for (size_t i = 0; i < TRIES; i++) {
			(void)pthread_join(threads[i], NULL);
			assert_true(e[i] == ERR_OK || e[i] == ERR_GONE);
			counted += e[i] == ERR_OK;
		}
		assert_int_equal(counted, max);
		assert_int_equal(downloads_of(&crowded), max);
	}
}

static void what_fits_belongs_to_the_counted_download(void **state)
{
	struct link l = share(1, LINK_NEVER);

	(void)state;
	assert_ok(charge(&l, 2, NOW));
	assert_ok(charge(&l, SIZE / 2, NOW + 1));
	assert_ok(charge(&l, SIZE / 2, NOW + 2));
	assert_int_equal(downloads_of(&l), 1);
	/* 2 bytes of the tolerance are used */
	assert_err(charge(&l, SIZE / 2 - 1, NOW + 3), ERR_GONE);
	assert_ok(charge(&l, SIZE / 2 - 2, NOW + 3));
	assert_err(charge(&l, 1, NOW + 3), ERR_GONE);
	assert_int_equal(downloads_of(&l), 1);
}

static void what_does_not_fit_is_another_download(void **state)
{
	struct link l = share(3, LINK_NEVER), got;

	(void)state;
	for (int64_t i = 1; i <= 3; i++) {
		assert_ok(charge(&l, SIZE, NOW));
		assert_int_equal(downloads_of(&l), i);
	}
	assert_err(charge(&l, SIZE, NOW), ERR_GONE);
	assert_ok(find(NOW, &got));
	assert_false(link_has_left(&got, NOW));
}

static void a_download_can_be_resumed_for_an_hour(void **state)
{
	struct link l = share(1, LINK_NEVER), got;
	const struct link_charge c = { SIZE, SIZE, true };

	(void)state;
	assert_ok(links_charge(db, &l, &c, NOW, &why));
	assert_ok(links_end_charge(db, &l, &c, SIZE - 10, &why));
	assert_ok(find(NOW, &got));
	assert_int_equal(got.bytes_left, SIZE - 10);
	assert_true(link_has_left(&got, NOW + LINK_GRACE - 1));
	assert_false(link_has_left(&got, NOW + LINK_GRACE));
	assert_err(charge(&l, 10, NOW + LINK_GRACE), ERR_GONE);
	assert_ok(charge(&l, SIZE - 10, NOW + LINK_GRACE - 1));
	assert_int_equal(downloads_of(&l), 1);
}

static void what_an_old_download_did_not_send_is_lost(void **state)
{
	struct link l = share(2, LINK_NEVER), got;

	(void)state;
	assert_ok(charge(&l, 10, NOW));
	assert_ok(charge(&l, 10, NOW + LINK_GRACE));
	assert_int_equal(downloads_of(&l), 2);
	assert_ok(find(NOW, &got));
	assert_int_equal(got.bytes_left, SIZE - 10);
}

static void an_open_charge_may_still_give_back(void **state)
{
	struct link l = share(1, LINK_NEVER), got;
	const struct link_charge all = { SIZE, SIZE, true },
				 rest = { SIZE, SIZE - 10, true };

	(void)state;
	assert_ok(links_charge(db, &l, &all, NOW, &why));
	assert_ok(find(NOW, &got));
	assert_int_equal(got.bytes_sending, SIZE);
	assert_true(link_charge_may_fit(&got, &rest, NOW));
	assert_false(link_charge_may_fit(&got, &rest, NOW + LINK_GRACE));
	assert_ok(links_end_charge(db, &l, &all, 0, &why));
	assert_ok(find(NOW, &got));
	assert_int_equal(got.bytes_sending, 0);
	assert_false(link_charge_may_fit(&got, &rest, NOW));
}

static void a_file_is_sent_twice_in_a_small_part_only(void **state)
{
	static const struct {
		int64_t size, tolerance;
	} all[] = { { 0, 0 },
		    { 2, 0 },
		    { 3, 2 },
		    { LINK_IN_FLIGHT_FROM - 1, 2 },
		    { LINK_IN_FLIGHT_FROM, LINK_IN_FLIGHT_FROM / 2 },
		    { SIZE, SIZE / 2 },
		    { INT64_C(1) << 40, LINK_IN_FLIGHT } };

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++)
		assert_int_equal(link_tolerance(all[i].size), all[i].tolerance);
}

static void an_empty_file_counts(void **state)
{
	struct link l = share(1, LINK_NEVER);
	const struct link_charge c = { 0, 0, false };

	(void)state;
	assert_ok(links_charge(db, &l, &c, NOW, &why));
	assert_err(links_charge(db, &l, &c, NOW, &why), ERR_GONE);
}

static void a_link_without_a_limit_counts_its_downloads(void **state)
{
	struct link l = share(LINK_NO_LIMIT, LINK_NEVER);

	(void)state;
	assert_true(link_has_left(&l, NOW));
	for (int i = 0; i < 5; i++)
		assert_ok(charge(&l, SIZE, NOW));
	assert_int_equal(downloads_of(&l), 5);
}

static void a_file_has_a_hundred_links_at_most(void **state)
{
	struct link l;

	(void)state;
	for (int i = 0; i < LINK_FILE_MAX; i++)
		l = share(1, LINK_NEVER);
	assert_err(links_add(db, by(ANN), &file, &l, token, &why),
		   ERR_TOO_MANY);
	assert_ok(links_revoke(db, by(ANN), 0, span_of(l.id), &why));
	(void)share(1, LINK_NEVER);
}

static void a_link_that_could_not_be_added_leaves_its_arguments_alone(
	void **state)
{
	const struct link asked = { .max_downloads = 7, .downloads = -7 };
	struct link l = asked;

	(void)state;
	lose_file();
	memset(token, 'x', LINK_TOKEN_LEN);
	assert_err(links_add(db, by(ANN), &file, &l, token, &why),
		   ERR_BAD_TOKEN);
	assert_memory_equal(&l, &asked, sizeof(l));
	assert_string_equal(token, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
}

static void gc_removes_a_link_thirty_days_after_its_end(void **state)
{
	struct link l = share(1, NOW + 10), got;
	const int64_t end = NOW + 10 + LINK_KEPT;
	int64_t n = -1;

	(void)state;
	(void)l;
	assert_ok(links_gc(db, end, false, &n, &why));
	assert_int_equal(n, 0);
	assert_ok(links_gc(db, end + 1, true, &n, &why));
	assert_int_equal(n, 1);
	assert_err(find(NOW + 10, &got), ERR_GONE);
	assert_ok(links_gc(db, end + 1, false, &n, &why));
	assert_int_equal(n, 1);
	assert_err(find(NOW + 10, &got), ERR_NOT_FOUND);
}

static void gc_revokes_the_link_of_a_deleted_file_first(void **state)
{
	struct link got;
	int64_t n;

	(void)state;
	(void)share(LINK_NO_LIMIT, LINK_NEVER);
	assert_ok(links_gc(db, NOW + 10 * LINK_KEPT, false, &n, &why));
	assert_ok(find(NOW, &got)); /* live, for its file exists */
	lose_file();
	assert_ok(links_gc(db, NOW, false, &n, &why));
	assert_int_equal(n, 0);
	assert_err(find(NOW, &got), ERR_GONE);
	assert_ok(links_gc(db, NOW + LINK_KEPT + 1, false, &n, &why));
	assert_int_equal(n, 1);
}

static void gc_does_not_wait_for_a_live_link(void **state)
{
	struct link alive = share(9, LINK_NEVER);
	struct db_conn *c;
	int64_t n;

	(void)state;
	(void)share(1, NOW + 10);
	assert_ok(db_begin(db, &c, &why));
	assert_ok(db_tx_change(c, "UPDATE link SET downloads = 1 WHERE id = ?",
			       DB_IN(db_text(span_of(alive.id))), &why));
	assert_ok(links_gc(db, NOW + 11 + LINK_KEPT, false, &n, &why));
	assert_int_equal(n, 1);
	db_rollback(c);
}

struct sweeper {
	pthread_t thread;
	int64_t removed;
	enum err e;
};

static void *run_gc(void *arg)
{
	struct sweeper *s = arg;

	s->e = links_gc(db, NOW, false, &s->removed, NULL);
	return NULL;
}

static void gcs_at_the_same_time_share_the_work(void **state)
{
	struct sweeper s[3] = { 0 };
	int64_t sum = 0;

	(void)state;
	assert_ok(db_change(db,
			    "INSERT INTO link (id, hash, file_id, owner,"
			    " created_at, expires_at)"
			    " SELECT LPAD(seq, 22, 'x'), UNHEX(SHA2(seq, 256)),"
			    " 'x', 1, 1, 2 FROM seq_1_to_3500",
			    DB_NONE, &why));
	(void)share(1, LINK_NEVER);
	for (size_t i = 0; i < COUNT(s); i++)
		assert_int_equal(
			pthread_create(&s[i].thread, NULL, run_gc, &s[i]), 0);
	for (size_t i = 0; i < COUNT(s); i++) {
		assert_int_equal(pthread_join(s[i].thread, NULL), 0);
		assert_ok(s[i].e);
		sum += s[i].removed;
	}
	assert_int_equal(sum, 3500);
}

#define LINK(name) cmocka_unit_test_setup(name, clear)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		LINK(a_token_finds_the_link_and_its_file),
		LINK(an_invalid_token_finds_nothing),
		LINK(a_link_has_ended_in_the_second_of_its_expiry),
		LINK(a_link_ends_with_its_file),
		LINK(a_link_that_is_revoked_meanwhile_is_not_counted),
		LINK(another_user_cannot_revoke_a_link),
		LINK(a_session_that_has_ended_adds_no_link),
		LINK(exactly_the_allowed_downloads_of_twenty_at_once_are_counted),
		LINK(a_download_can_be_resumed_for_an_hour),
		LINK(what_fits_belongs_to_the_counted_download),
		LINK(what_does_not_fit_is_another_download),
		LINK(what_an_old_download_did_not_send_is_lost),
		LINK(an_open_charge_may_still_give_back),
		LINK(a_file_is_sent_twice_in_a_small_part_only),
		LINK(an_empty_file_counts),
		LINK(a_link_without_a_limit_counts_its_downloads),
		LINK(a_file_has_a_hundred_links_at_most),
		LINK(a_link_that_could_not_be_added_leaves_its_arguments_alone),
		LINK(gc_removes_a_link_thirty_days_after_its_end),
		LINK(gc_revokes_the_link_of_a_deleted_file_first),
		LINK(gc_does_not_wait_for_a_live_link),
		LINK(gcs_at_the_same_time_share_the_work),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, owners_open, owners_close);
}
