/* fifo_semaphore.h - a counting semaphore with a bounded queue: a limited
 * number of threads at a time, in order of arrival, with a time limit.
 *
 * For work that must not be done by more threads than there are cores. POSIX
 * semaphores promise no order: under load one waiter could be passed over again
 * and again. Shared by threads, not by processes.
 */
#ifndef FIFO_SEMAPHORE_H
#define FIFO_SEMAPHORE_H

#include "common/base/err.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct fifo_semaphore {
	pthread_mutex_t lock;
	size_t free;	    /* slots that are not taken */
	size_t waiting;	    /* threads in the queue */
	size_t max_waiting; /* the queue's limit */
	/* The queue; each waiter is on its thread's stack */
	struct fifo_semaphore_waiter *first, *last;
};

/* `slots` is at least 1; up to `max_waiting` threads wait for one.
 * ERR_MEMORY. */
enum err fifo_semaphore_init(struct fifo_semaphore *t, size_t slots,
			     size_t max_waiting) MUST_CHECK;

/* No thread may hold a slot or wait for one. */
void fifo_semaphore_release(struct fifo_semaphore *t);

/* Take a slot, or wait for one in the queue for at most `wait_ms` milliseconds.
 * ERR_UNAVAILABLE: not in time, `max_waiting` threads are waiting already, or
 * no memory. After ERR_OK, and only then, call fifo_semaphore_leave(). */
enum err fifo_semaphore_enter(struct fifo_semaphore *t,
			      int64_t wait_ms) MUST_CHECK;
void fifo_semaphore_leave(struct fifo_semaphore *t);

#endif
