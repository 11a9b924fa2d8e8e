#include "common/base/worker_slots.h"

#include "common/base/worker_wait.h"
#include "tests/unit/unit.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

/* A request in a thread of its own, which says when it has a slot, and ends when
 * may_end is posted */
struct requester {
	struct worker_slots *slots;
	enum worker_class class;
	uint64_t user;
	enum err (*step)(void); /* done with the slot; may be NULL */
	enum err e;
	sem_t has_slot, may_end;
	pthread_t thread;
};

static atomic_int order;

static void *run(void *arg)
{
	struct requester *r = arg;

	worker_enter(r->slots, r->class);
	worker_act_for(r->user);
	if (r->step != NULL)
		r->e = r->step();
	(void)sem_post(&r->has_slot);
	(void)sem_wait(&r->may_end);
	worker_leave();
	return NULL;
}

static void begin(struct requester *r, struct worker_slots *s,
		  enum worker_class c, uint64_t user)
{
	r->slots = s;
	r->class = c;
	r->user = user;
	(void)sem_init(&r->has_slot, 0, 0);
	(void)sem_init(&r->may_end, 0, 0);
	assert_int_equal(pthread_create(&r->thread, NULL, run, r), 0);
}

static void has_slot(struct requester *r)
{
	(void)sem_wait(&r->has_slot);
}

static bool has_slot_soon(struct requester *r)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 50000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return sem_timedwait(&r->has_slot, &until) == 0;
}

static void end(struct requester *r)
{
	(void)sem_post(&r->may_end);
	(void)pthread_join(r->thread, NULL);
	(void)sem_destroy(&r->has_slot);
	(void)sem_destroy(&r->may_end);
}

static void no_more_threads_work_than_there_are_slots(void **state)
{
	struct requester r[3] = { 0 };
	struct worker_slots *s;

	(void)state;
	assert_ok(worker_slots_new(2, 9, &s));
	for (int i = 0; i < 3; i++)
		begin(&r[i], s, WORKER_READS, 0);
	for (int i = 0, with = 0; i < 3; i++) {
		with += has_slot_soon(&r[i]);
		assert_true(with <= 2);
		if (i == 2)
			assert_int_equal(with, 2);
	}
	for (int i = 0; i < 3; i++)
		(void)sem_post(&r[i].may_end);
	for (int i = 0; i < 3; i++)
		end(&r[i]);
	worker_slots_free(s);
}

static void a_thread_that_waits_gives_its_slot_to_another(void **state)
{
	struct requester other = { 0 };
	struct worker_slots *s;

	(void)state;
	assert_ok(worker_slots_new(1, 9, &s));
	worker_enter(s, WORKER_READS);
	begin(&other, s, WORKER_READS, 0);
	assert_false(has_slot_soon(&other));
	assert_true(worker_is_awaited());
	worker_wait_begin();
	worker_wait_begin(); /* pairs nest */
	has_slot(&other);
	worker_wait_end();
	end(&other);
	worker_wait_end();
	assert_false(worker_is_awaited());
	worker_leave();
	worker_slots_free(s);
}

static void a_user_has_half_of_the_slots(void **state)
{
	struct requester ann[4] = { 0 }, bob = { 0 };
	struct worker_slots *s;
	int with = 0;

	(void)state;
	assert_ok(worker_slots_new(4, 9, &s));
	for (int i = 0; i < 4; i++)
		begin(&ann[i], s, WORKER_READS, 7);
	for (int i = 0; i < 4; i++)
		with += has_slot_soon(&ann[i]);
	assert_int_equal(with, 2);
	begin(&bob, s, WORKER_READS, 8);
	has_slot(&bob);
	for (int i = 0; i < 4; i++)
		(void)sem_post(&ann[i].may_end);
	for (int i = 0; i < 4; i++)
		end(&ann[i]);
	end(&bob);
	worker_slots_free(s);
}

static sem_t log_lock;
static uint64_t arrived[16];

/* Note whose turn it was, and end at once */
static void *run_in_turn(void *arg)
{
	struct requester *r = arg;

	worker_enter(r->slots, r->class);
	worker_act_for(r->user);
	worker_wait_begin();
	(void)sem_post(&r->has_slot);
	(void)sem_wait(&r->may_end);
	worker_wait_end();
	(void)sem_wait(&log_lock);
	arrived[atomic_fetch_add(&order, 1)] = r->user;
	(void)sem_post(&log_lock);
	worker_leave();
	return NULL;
}

/* Let all of them wait in the order given, then end the request that has the
 * only slot */
static void in_turn(struct worker_slots *s, struct requester *r, int n)
{
	struct timespec t = { 0, 20000000 };

	(void)sem_init(&log_lock, 0, 1);
	atomic_store(&order, 0);
	for (int i = 0; i < n; i++) {
		r[i].slots = s;
		(void)sem_init(&r[i].has_slot, 0, 0);
		(void)sem_init(&r[i].may_end, 0, 0);
		assert_int_equal(
			pthread_create(&r[i].thread, NULL, run_in_turn, &r[i]),
			0);
		has_slot(&r[i]);
	}
	worker_enter(s, WORKER_READS);
	for (int i = 0; i < n; i++) {
		(void)sem_post(&r[i].may_end);
		(void)nanosleep(&t, NULL); /* until it is in the queue */
	}
	worker_leave();
	for (int i = 0; i < n; i++)
		end(&r[i]);
	(void)sem_destroy(&log_lock);
}

static void users_take_turns(void **state)
{
	struct requester r[4] = {
		{ .class = WORKER_STORES, .user = 1 },
		{ .class = WORKER_STORES, .user = 1 },
		{ .class = WORKER_STORES, .user = 1 },
		{ .class = WORKER_STORES, .user = 2 },
	};
	struct worker_slots *s;

	(void)state;
	assert_ok(worker_slots_new(1, 9, &s));
	in_turn(s, r, 4);
	assert_int_equal(arrived[0], 1);
	assert_int_equal(arrived[1], 2);
	assert_int_equal(arrived[2], 1);
	assert_int_equal(arrived[3], 1);
	worker_slots_free(s);
}

static void a_request_without_a_body_does_not_stand_behind_those_with_one(
	void **state)
{
	struct requester r[5] = {
		{ .class = WORKER_STORES, .user = 1 },
		{ .class = WORKER_STORES, .user = 2 },
		{ .class = WORKER_STORES, .user = 3 },
		{ .class = WORKER_STORES, .user = 4 },
		{ .class = WORKER_READS, .user = 5 },
	};
	struct worker_slots *s;

	(void)state;
	assert_ok(worker_slots_new(1, 9, &s));
	in_turn(s, r, 5);
	assert_true(arrived[0] == 5 || arrived[1] == 5);
	worker_slots_free(s);
}

static void places_are_limited_in_all_and_by_user(void **state)
{
	struct requester ann[3] = { 0 }, bob[2] = { 0 };
	struct worker_slots *s;

	(void)state;
	assert_ok(worker_slots_new(64, 4, &s));
	for (int i = 0; i < 3; i++) {
		ann[i].step = worker_pace;
		begin(&ann[i], s, WORKER_STORES, 7);
		has_slot(&ann[i]);
	}
	assert_ok(ann[1].e);
	assert_err(ann[2].e, ERR_TOO_MANY_UPLOADS);
	for (int i = 0; i < 2; i++) {
		bob[i].step = worker_pace;
		begin(&bob[i], s, WORKER_STORES, 8);
		has_slot(&bob[i]);
		assert_ok(bob[i].e);
	}
	end(&ann[2]);
	worker_enter(s, WORKER_STORES);
	assert_err(worker_pace(), ERR_OVERLOADED);
	end(&ann[0]);
	assert_ok(worker_pace());
	assert_ok(worker_pace()); /* of which it has one */
	worker_leave();
	end(&ann[1]);
	end(&bob[0]);
	end(&bob[1]);
	worker_slots_free(s);
}

static void a_short_wait_for_the_client_takes_no_place(void **state)
{
	struct timespec t = { 0, 2 * WORKER_PACE_MS * 1000000L };
	struct worker_slots *s;

	(void)state;
	assert_ok(worker_slots_new(1, 1, &s));
	worker_enter(s, WORKER_STORES);
	assert_ok(worker_client_wait_begin());
	worker_client_wait_end();
	worker_wait_begin();
	{
		struct requester other = { .step = worker_pace };

		begin(&other, s, WORKER_STORES, 0);
		has_slot(&other);
		assert_ok(other.e);
		end(&other);
	}
	worker_wait_end();
	assert_ok(worker_client_wait_begin());
	(void)nanosleep(&t, NULL);
	worker_client_wait_end();
	worker_wait_begin();
	{
		struct requester other = { .step = worker_client_wait_begin };

		begin(&other, s, WORKER_STORES, 0);
		has_slot(&other);
		assert_err(other.e, ERR_OVERLOADED);
		end(&other);
	}
	worker_wait_end();
	worker_leave();
	worker_slots_free(s);
}

static void without_a_request_nothing_waits(void **state)
{
	(void)state;
	worker_wait_begin();
	worker_wait_end();
	worker_act_for(7);
	assert_false(worker_is_awaited());
	assert_ok(worker_pace());
	assert_ok(worker_client_wait_begin());
	worker_client_wait_end();
}

static atomic_int working, too_many;

static void *many_requests(void *arg)
{
	struct worker_slots *s = arg;

	for (int i = 0; i < 2000; i++) {
		worker_enter(s, (enum worker_class)(i % WORKER_CLASSES));
		worker_act_for((uint64_t)(i % 5));
		if (atomic_fetch_add(&working, 1) >= 3)
			atomic_fetch_add(&too_many, 1);
		atomic_fetch_sub(&working, 1);
		worker_wait_begin();
		worker_wait_end();
		if (worker_client_wait_begin() != ERR_OK)
			atomic_fetch_add(&too_many, 1);
		worker_client_wait_end();
		worker_leave();
	}
	return NULL;
}

static void every_thread_gets_its_turn(void **state)
{
	pthread_t threads[16];
	struct worker_slots *s;

	(void)state;
	assert_ok(worker_slots_new(3, 99, &s));
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, many_requests, s), 0);
	for (size_t i = 0; i < COUNT(threads); i++)
		(void)pthread_join(threads[i], NULL);
	assert_int_equal(too_many, 0);
	worker_slots_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_more_threads_work_than_there_are_slots),
		cmocka_unit_test(a_thread_that_waits_gives_its_slot_to_another),
		cmocka_unit_test(a_user_has_half_of_the_slots),
		cmocka_unit_test(users_take_turns),
		cmocka_unit_test(
			a_request_without_a_body_does_not_stand_behind_those_with_one),
		cmocka_unit_test(places_are_limited_in_all_and_by_user),
		cmocka_unit_test(a_short_wait_for_the_client_takes_no_place),
		cmocka_unit_test(without_a_request_nothing_waits),
		cmocka_unit_test(every_thread_gets_its_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
