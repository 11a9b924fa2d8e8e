#include "cgi-auth/password/fifo_semaphore.h"

#include "common/base/worker_wait.h"

#include <stdbool.h>
#include <time.h>

struct fifo_semaphore_waiter {
	pthread_cond_t admission;
	bool admitted;
	struct fifo_semaphore_waiter *next;
};

enum err fifo_semaphore_init(struct fifo_semaphore *t, size_t slots,
			     const size_t max_waiting[static FIFO_QUEUES])
{
	*t = (struct fifo_semaphore) { .free = slots };
	for (size_t i = 0; i < FIFO_QUEUES; i++)
		t->queues[i].max_waiting = max_waiting[i];
	return pthread_mutex_init(&t->lock, NULL) == 0 ? ERR_OK : ERR_MEMORY;
}

void fifo_semaphore_release(struct fifo_semaphore *t)
{
	(void)pthread_mutex_destroy(&t->lock);
}

/* A condition whose time limits use the clock that cannot be set */
static bool init_condition(pthread_cond_t *c)
{
	pthread_condattr_t attr;
	bool ok;

	if (pthread_condattr_init(&attr) != 0)
		return false;
	ok = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
	     pthread_cond_init(c, &attr) == 0;
	(void)pthread_condattr_destroy(&attr);
	return ok;
}

static struct timespec deadline(int64_t ms)
{
	struct timespec t;
	int64_t ns;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	ns = t.tv_nsec + ms % 1000 * 1000000;
	t.tv_sec += ms / 1000 + ns / 1000000000;
	t.tv_nsec = ns % 1000000000;
	return t;
}

static void enqueue(struct fifo_queue *q, struct fifo_semaphore_waiter *w)
{
	if (q->last != NULL)
		q->last->next = w;
	else
		q->first = w;
	q->last = w;
	q->waiting++;
}

static void dequeue(struct fifo_queue *q, struct fifo_semaphore_waiter *w)
{
	struct fifo_semaphore_waiter *before = NULL;

	for (struct fifo_semaphore_waiter *i = q->first; i != w; i = i->next)
		before = i;
	if (before != NULL)
		before->next = w->next;
	else
		q->first = w->next;
	if (q->last == w)
		q->last = before;
	q->waiting--;
}

static bool is_full(const struct fifo_queue *q)
{
	return q->waiting >= q->max_waiting;
}

/* Called with the lock held; the wait releases it */
static enum err wait_for_slot(struct fifo_semaphore *t, enum fifo_queue_name n,
			      int64_t wait_ms)
{
	struct fifo_semaphore_waiter w = { .admitted = false };
	struct timespec until = deadline(wait_ms);
	struct fifo_queue *q = &t->queues[n];
	int timed_out = 0;

	if (is_full(q))
		q = &t->queues[FIFO_ANYBODY];
	if (is_full(q) || !init_condition(&w.admission))
		return ERR_UNAVAILABLE;
	enqueue(q, &w);
	while (!w.admitted && timed_out == 0)
		timed_out =
			pthread_cond_timedwait(&w.admission, &t->lock, &until);
	if (!w.admitted)
		dequeue(q, &w);
	(void)pthread_cond_destroy(&w.admission);
	return w.admitted ? ERR_OK : ERR_UNAVAILABLE;
}

enum err fifo_semaphore_enter(struct fifo_semaphore *t, enum fifo_queue_name q,
			      int64_t wait_ms)
{
	enum err e = ERR_OK;

	worker_wait_begin();
	(void)pthread_mutex_lock(&t->lock);
	if (t->free > 0)
		t->free--;
	else
		e = wait_for_slot(t, q, wait_ms);
	(void)pthread_mutex_unlock(&t->lock);
	worker_wait_end();
	return e;
}

/* Return the next queue in turn that is not empty; NULL if all are
 */
static struct fifo_queue *next_queue(struct fifo_semaphore *t)
{
	for (size_t i = 0; i < FIFO_QUEUES; i++) {
		size_t n = (t->turn + i) % FIFO_QUEUES;

		if (t->queues[n].first != NULL) {
			t->turn = (n + 1) % FIFO_QUEUES;
			return &t->queues[n];
		}
	}
	return NULL;
}

/* Hand the slot to a waiter, so that no newcomer can take it in between; `free`
 * is above 0 only while the queues are empty. */
void fifo_semaphore_leave(struct fifo_semaphore *t)
{
	struct fifo_semaphore_waiter *w;
	struct fifo_queue *q;

	(void)pthread_mutex_lock(&t->lock);
	q = next_queue(t);
	if (q == NULL) {
		t->free++;
	} else {
		w = q->first;
		dequeue(q, w);
		w->admitted = true;
		(void)pthread_cond_signal(&w->admission);
	}
	(void)pthread_mutex_unlock(&t->lock);
}
