#include "common/db/db_share.h"
#include "tests/unit/unit.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct errmsg why;

/* `seconds` may be negative: a time that has passed */
static struct timespec in(int seconds)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += seconds;
	return t;
}

static enum err take(struct db_shares *s, uint64_t user, int seconds,
		     struct db_share **out)
{
	struct timespec until = in(seconds);
	enum err e;

	(void)pthread_mutex_lock(&lock);
	e = db_share_take(s, user, &lock, &until, out, &why);
	(void)pthread_mutex_unlock(&lock);
	return e;
}

static void give(struct db_shares *s, struct db_share *share)
{
	(void)pthread_mutex_lock(&lock);
	db_share_give(s, share);
	(void)pthread_mutex_unlock(&lock);
}

static void a_share_is_half_of_the_pool_and_at_least_one(void **state)
{
	static const struct {
		size_t pool, want;
	} cases[] = { { 1, 1 }, { 2, 1 }, { 3, 1 }, { 8, 4 }, { 256, 128 } };
	struct db_shares s;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		db_shares_init(&s, cases[i].pool);
		assert_int_equal(s.max, cases[i].want);
		db_shares_release(&s);
	}
}

static void a_user_holds_no_more_than_the_share(void **state)
{
	struct db_share *held[3] = { NULL }, *other = NULL;
	struct db_shares s;

	(void)state;
	db_shares_init(&s, 4);
	assert_ok(take(&s, 1, 60, &held[0]));
	assert_ok(take(&s, 1, 60, &held[1]));
	assert_err(take(&s, 1, -1, &held[2]), ERR_OVERLOADED);
	assert_contains(why.text, "user 1 held 2 database connections");
	assert_null(held[2]);
	assert_ok(take(&s, 2, 60, &other));
	give(&s, held[0]);
	assert_ok(take(&s, 1, 60, &held[2]));
	give(&s, held[1]);
	give(&s, held[2]);
	give(&s, other);
	assert_null(s.active);
	db_shares_release(&s);
}

struct waiter {
	struct db_shares *shares;
	struct db_share *share;
	enum err e;
	pthread_t thread;
};

static void *wait_for_share(void *arg)
{
	struct waiter *w = arg;

	w->e = take(w->shares, 1, 60, &w->share);
	if (w->e == ERR_OK)
		give(w->shares, w->share);
	return NULL;
}

static void waiting_threads_get_a_connection_one_after_another(void **state)
{
	struct waiter w[8] = { { NULL } };
	struct db_share *held = NULL;
	struct db_shares s;

	(void)state;
	db_shares_init(&s, 2);
	assert_ok(take(&s, 1, 60, &held));
	for (size_t i = 0; i < COUNT(w); i++) {
		w[i].shares = &s;
		assert_int_equal(pthread_create(&w[i].thread, NULL,
						wait_for_share, &w[i]),
				 0);
	}
	give(&s, held);
	for (size_t i = 0; i < COUNT(w); i++) {
		assert_int_equal(pthread_join(w[i].thread, NULL), 0);
		assert_ok(w[i].e);
	}
	assert_null(s.active);
	db_shares_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_share_is_half_of_the_pool_and_at_least_one),
		TEST(a_user_holds_no_more_than_the_share),
		TEST(waiting_threads_get_a_connection_one_after_another),
	};

	return RUN(tests);
}
