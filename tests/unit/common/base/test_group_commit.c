#include "common/base/group_commit.h"
#include "tests/unit/unit.h"

#include <sched.h>
#include <stdatomic.h>

enum { THREADS = 12 };

/* One thread's work: to add `n` to the sum */
struct work {
	struct group_member member;
	pthread_t thread;
	int n;
	bool shared;
	size_t of; /* how many were in its group */
};

static struct group_commit group;
static struct work works[THREADS];
static atomic_int runs, running, sum;
static atomic_bool open_gate; /* false: the first run() waits */

static void run(void *arg, struct group_member **members, size_t count)
{
	assert_ptr_equal(arg, &sum);
	assert_int_equal(atomic_fetch_add(&running, 1), 0);
	while (!atomic_load(&open_gate))
		(void)sched_yield();
	for (size_t i = 0; i < count; i++) {
		struct work *w = (struct work *)members[i];

		w->of = count;
		(void)atomic_fetch_add(&sum, w->n);
	}
	(void)atomic_fetch_add(&runs, 1);
	(void)atomic_fetch_sub(&running, 1);
}

static void *join(void *work)
{
	struct work *w = work;

	w->shared = group_commit_join(&group, &w->member);
	return NULL;
}

static void start(int i)
{
	works[i].n = 1 << i;
	works[i].of = 0;
	assert_int_equal(
		pthread_create(&works[i].thread, NULL, join, &works[i]), 0);
}

static void finish(int i)
{
	assert_int_equal(pthread_join(works[i].thread, NULL), 0);
}

/* How many wait */
static size_t queued(void)
{
	size_t n = 0;

	(void)pthread_mutex_lock(&group.lock);
	for (const struct group_member *m = group.first; m != NULL; m = m->next)
		n++;
	(void)pthread_mutex_unlock(&group.lock);
	return n;
}

static int set_up(void **state)
{
	(void)state;
	group_commit_init(&group, run, &sum);
	atomic_store(&runs, 0);
	atomic_store(&sum, 0);
	atomic_store(&open_gate, true);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	group_commit_release(&group);
	return 0;
}

static void a_lone_thread_does_its_own_work(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		works[i].n = 1;
		(void)join(&works[i]);
		assert_true(works[i].shared);
		assert_int_equal(works[i].of, 1);
	}
	assert_int_equal(runs, 3);
}

/* The first waits in run() while the others arrive. If they are not fast enough
 * on a busy machine, some do their own work: that is another test. */
static void those_who_wait_are_done_together(void **state)
{
	int expected = 0, shared = 0;

	(void)state;
	atomic_store(&open_gate, false);
	start(0);
	while (!atomic_load(&running))
		(void)sched_yield();
	for (int i = 1; i < 6; i++)
		start(i);
	while (queued() < 5 && !group.stuck)
		(void)sched_yield();
	atomic_store(&open_gate, true);
	for (int i = 0; i < 6; i++) {
		finish(i);
		if (works[i].shared)
			expected += works[i].n;
		shared += works[i].shared;
	}
	assert_int_equal(sum, expected);
	assert_true(shared < 6 || runs == 2);
	assert_int_equal(works[0].of, 1);
}

static void a_group_has_a_largest_size(void **state)
{
	int expected = 0;

	(void)state;
	atomic_store(&open_gate, false);
	start(0);
	while (!atomic_load(&running))
		(void)sched_yield();
	for (int i = 1; i < THREADS; i++)
		start(i);
	while (queued() < THREADS - 1 && !group.stuck)
		(void)sched_yield();
	atomic_store(&open_gate, true);
	for (int i = 0; i < THREADS; i++) {
		finish(i);
		assert_true(works[i].of <= GROUP_COMMIT_MAX);
		if (works[i].shared)
			expected += works[i].n;
	}
	assert_int_equal(sum, expected);
	assert_false(group.busy);
}

static void nobody_waits_for_work_that_is_stuck(void **state)
{
	(void)state;
	atomic_store(&open_gate, false);
	start(0);
	while (!atomic_load(&running))
		(void)sched_yield();
	start(1);
	finish(1); /* although the first is still at work */
	assert_false(works[1].shared);
	/* and now nobody waits at all */
	(void)join(&works[2]);
	assert_false(works[2].shared);
	assert_int_equal(queued(), 0);
	atomic_store(&open_gate, true);
	finish(0);
	assert_true(works[0].shared);
	assert_int_equal(sum, works[0].n);
	/* until it is done */
	works[3].n = 0;
	(void)join(&works[3]);
	assert_true(works[3].shared);
}

static void *join_often(void *work)
{
	struct work *w = work;

	for (int i = 0; i < 500; i++)
		if (!group_commit_join(&group, &w->member))
			(void)atomic_fetch_add(&sum, w->n);
	return NULL;
}

static void everybody_s_work_is_done_once(void **state)
{
	(void)state;
	for (int i = 0; i < THREADS; i++) {
		works[i].n = 1;
		assert_int_equal(pthread_create(&works[i].thread, NULL,
						join_often, &works[i]),
				 0);
	}
	for (int i = 0; i < THREADS; i++)
		finish(i);
	assert_int_equal(sum, THREADS * 500);
	assert_int_equal(queued(), 0);
	assert_false(group.busy);
}

#define GROUP(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		GROUP(a_lone_thread_does_its_own_work),
		GROUP(those_who_wait_are_done_together),
		GROUP(a_group_has_a_largest_size),
		GROUP(nobody_waits_for_work_that_is_stuck),
		GROUP(everybody_s_work_is_done_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
