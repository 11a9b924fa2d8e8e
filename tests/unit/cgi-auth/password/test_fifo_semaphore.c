#include "tests/unit/unit.h"

#include "cgi-auth/password/fifo_semaphore.h"

#include <stdatomic.h>
#include <time.h>

enum { THREADS = 8, WAIT = 10 * 1000 };

static const size_t roomy[FIFO_QUEUES] = { 1000, 1000 };
static struct fifo_semaphore semaphore;
static atomic_int inside, most, arrived;
static int order[THREADS], passed;

static void pause_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&t, NULL);
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void *work(void *arg)
{
	int n;

	(void)arg;
	if (fifo_semaphore_enter(&semaphore, FIFO_ANYBODY, WAIT) != ERR_OK)
		return NULL;
	n = atomic_fetch_add(&inside, 1) + 1;
	if (n > atomic_load(&most))
		atomic_store(&most, n);
	pause_ms(5);
	atomic_fetch_sub(&inside, 1);
	fifo_semaphore_leave(&semaphore);
	return NULL;
}

static void a_semaphore_admits_no_more_threads_than_slots(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	assert_ok(fifo_semaphore_init(&semaphore, 3, roomy));
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, NULL),
				 0);
	for (size_t i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	assert_in_range(atomic_load(&most), 1, 3);
	assert_int_equal(semaphore.free, 3);
	assert_null(semaphore.queues[FIFO_ANYBODY].first);
	assert_null(semaphore.queues[FIFO_ANYBODY].last);
	fifo_semaphore_release(&semaphore);
}

static void *record_order(void *arg)
{
	atomic_fetch_add(&arrived, 1);
	if (fifo_semaphore_enter(&semaphore, FIFO_ANYBODY, WAIT) != ERR_OK)
		return NULL;
	order[passed++] = *(int *)arg; /* only one thread has the slot */
	fifo_semaphore_leave(&semaphore);
	return NULL;
}

static void waiters_are_admitted_in_order_of_arrival(void **state)
{
	pthread_t threads[THREADS];
	int names[THREADS];

	(void)state;
	assert_ok(fifo_semaphore_init(&semaphore, 1, roomy));
	assert_ok(fifo_semaphore_enter(&semaphore, FIFO_ANYBODY, WAIT));
	for (int i = 0; i < THREADS; i++) {
		names[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, record_order,
						&names[i]),
				 0);
		/* it is in the queue before the next one starts */
		while (atomic_load(&arrived) != i + 1)
			pause_ms(1);
		pause_ms(10);
	}
	fifo_semaphore_leave(&semaphore);
	for (size_t i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(order[i], i);
	fifo_semaphore_release(&semaphore);
}

static void a_wait_ends_after_its_time_limit(void **state)
{
	int64_t begun;

	(void)state;
	assert_ok(fifo_semaphore_init(&semaphore, 1, roomy));
	assert_ok(fifo_semaphore_enter(&semaphore, FIFO_ANYBODY, WAIT));
	begun = now_ms();
	assert_err(fifo_semaphore_enter(&semaphore, FIFO_ANYBODY, 30),
		   ERR_UNAVAILABLE);
	assert_true(now_ms() - begun >= 29);
	assert_null(semaphore.queues[FIFO_ANYBODY].first);
	assert_null(semaphore.queues[FIFO_ANYBODY].last);
	fifo_semaphore_leave(&semaphore);
	assert_ok(fifo_semaphore_enter(&semaphore, FIFO_ANYBODY, 0));
	fifo_semaphore_leave(&semaphore);
	fifo_semaphore_release(&semaphore);
}

static void *give_up(void *arg)
{
	*(enum err *)arg = fifo_semaphore_enter(&semaphore, FIFO_ANYBODY, 20);
	return NULL;
}

static void a_waiter_that_timed_out_does_not_block_the_next(void **state)
{
	pthread_t impatient, patient;
	enum err e = ERR_OK;

	(void)state;
	assert_ok(fifo_semaphore_init(&semaphore, 1, roomy));
	assert_ok(fifo_semaphore_enter(&semaphore, FIFO_ANYBODY, WAIT));
	assert_int_equal(pthread_create(&impatient, NULL, give_up, &e), 0);
	pause_ms(5);
	atomic_store(&most, 0);
	assert_int_equal(pthread_create(&patient, NULL, work, NULL), 0);
	(void)pthread_join(impatient, NULL);
	assert_err(e, ERR_UNAVAILABLE);
	fifo_semaphore_leave(&semaphore);
	(void)pthread_join(patient, NULL);
	assert_int_equal(atomic_load(&most), 1);
	assert_int_equal(semaphore.free, 1);
	fifo_semaphore_release(&semaphore);
}

struct visitor {
	enum fifo_queue_name queue;
	int name;
	pthread_t thread;
	enum err result;
};

static void *visit(void *arg)
{
	struct visitor *v = arg;

	v->result = fifo_semaphore_enter(&semaphore, v->queue, WAIT);
	if (v->result != ERR_OK)
		return NULL;
	order[passed++] = v->name;
	fifo_semaphore_leave(&semaphore);
	return NULL;
}

static size_t waiting(void)
{
	size_t n;

	(void)pthread_mutex_lock(&semaphore.lock);
	n = semaphore.queues[FIFO_ANYBODY].waiting +
	    semaphore.queues[FIFO_KNOWN].waiting;
	(void)pthread_mutex_unlock(&semaphore.lock);
	return n;
}

/* Start the visitor and return once it is in a queue */
static void let_wait(struct visitor *v)
{
	size_t before = waiting();

	assert_int_equal(pthread_create(&v->thread, NULL, visit, v), 0);
	while (waiting() == before)
		pause_ms(1);
}

static void the_queues_are_served_by_turns_each_in_its_order(void **state)
{
	struct visitor v[] = {
		{ .queue = FIFO_ANYBODY, .name = 0 },
		{ .queue = FIFO_ANYBODY, .name = 1 },
		{ .queue = FIFO_ANYBODY, .name = 2 },
		{ .queue = FIFO_KNOWN, .name = 10 },
		{ .queue = FIFO_KNOWN, .name = 11 },
	};
	static const int expected[] = { 0, 10, 1, 11, 2 };

	(void)state;
	passed = 0;
	assert_ok(fifo_semaphore_init(&semaphore, 1, roomy));
	assert_ok(fifo_semaphore_enter(&semaphore, FIFO_ANYBODY, WAIT));
	for (size_t i = 0; i < COUNT(v); i++)
		let_wait(&v[i]);
	fifo_semaphore_leave(&semaphore);
	for (size_t i = 0; i < COUNT(v); i++)
		(void)pthread_join(v[i].thread, NULL);
	for (size_t i = 0; i < COUNT(v); i++) {
		assert_ok(v[i].result);
		assert_int_equal(order[i], expected[i]);
	}
	fifo_semaphore_release(&semaphore);
}

static void each_queue_has_places_of_its_own(void **state)
{
	static const size_t few[FIFO_QUEUES] = { 2, 1 };
	struct visitor v[] = {
		{ .queue = FIFO_ANYBODY },
		{ .queue = FIFO_ANYBODY },
		{ .queue = FIFO_KNOWN },
	};

	(void)state;
	passed = 0;
	assert_ok(fifo_semaphore_init(&semaphore, 1, few));
	assert_ok(fifo_semaphore_enter(&semaphore, FIFO_KNOWN, WAIT));
	let_wait(&v[0]);
	let_wait(&v[1]);
	/* full for anybody, at once */
	assert_err(fifo_semaphore_enter(&semaphore, FIFO_ANYBODY, WAIT),
		   ERR_UNAVAILABLE);
	let_wait(&v[2]);
	assert_err(fifo_semaphore_enter(&semaphore, FIFO_KNOWN, WAIT),
		   ERR_UNAVAILABLE);
	fifo_semaphore_leave(&semaphore);
	for (size_t i = 0; i < COUNT(v); i++) {
		(void)pthread_join(v[i].thread, NULL);
		assert_ok(v[i].result);
	}
	fifo_semaphore_release(&semaphore);
}

static void the_known_use_the_places_of_anybody_when_theirs_are_taken(
	void **state)
{
	static const size_t few[FIFO_QUEUES] = { 1, 1 };
	struct visitor v[] = {
		{ .queue = FIFO_KNOWN },
		{ .queue = FIFO_KNOWN },
	};

	(void)state;
	passed = 0;
	assert_ok(fifo_semaphore_init(&semaphore, 1, few));
	assert_ok(fifo_semaphore_enter(&semaphore, FIFO_ANYBODY, WAIT));
	let_wait(&v[0]);
	let_wait(&v[1]);
	assert_int_equal(semaphore.queues[FIFO_ANYBODY].waiting, 1);
	assert_err(fifo_semaphore_enter(&semaphore, FIFO_KNOWN, WAIT),
		   ERR_UNAVAILABLE);
	fifo_semaphore_leave(&semaphore);
	for (size_t i = 0; i < COUNT(v); i++) {
		(void)pthread_join(v[i].thread, NULL);
		assert_ok(v[i].result);
	}
	assert_int_equal(semaphore.free, 1);
	fifo_semaphore_release(&semaphore);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_semaphore_admits_no_more_threads_than_slots),
		TEST(waiters_are_admitted_in_order_of_arrival),
		TEST(a_wait_ends_after_its_time_limit),
		TEST(a_waiter_that_timed_out_does_not_block_the_next),
		TEST(the_queues_are_served_by_turns_each_in_its_order),
		TEST(each_queue_has_places_of_its_own),
		TEST(the_known_use_the_places_of_anybody_when_theirs_are_taken),
	};

	return RUN(tests);
}
