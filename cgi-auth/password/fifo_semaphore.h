/* fifo_semaphore.h - a counting semaphore with two bounded queues: a limited
 * number of threads at a time, each queue in order of arrival, with a time
 * limit.
 *
 * For work that must not be done by more threads than there are cores. POSIX
 * semaphores promise no order: under load one waiter could be passed over again
 * and again. Shared by threads, not by processes.
 *
 * Each queue has places of its own, and they are served by turns. So a flood in
 * one queue neither takes the places of the other nor delays it by more than
 * half, and no queue can starve.
 */
#ifndef FIFO_SEMAPHORE_H
#define FIFO_SEMAPHORE_H

#include "common/base/err.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

enum fifo_queue_name {
	FIFO_ANYBODY,
	FIFO_KNOWN, /* if its places are taken, it uses those of FIFO_ANYBODY */
	FIFO_QUEUES,
};

struct fifo_queue {
	size_t waiting;	    /* threads in the queue */
	size_t max_waiting; /* the queue's limit */
	/* Each waiter is on its thread's stack */
	struct fifo_semaphore_waiter *first, *last;
};

struct fifo_semaphore {
	pthread_mutex_t lock;
	size_t free; /* slots that are not taken */
	size_t turn; /* index of the queue that is served next */
	struct fifo_queue queues[FIFO_QUEUES];
};

/* `slots` is at least 1; up to max_waiting[q] threads wait in queue q.
 * ERR_MEMORY. */
enum err fifo_semaphore_init(struct fifo_semaphore *t, size_t slots,
			     const size_t max_waiting[static FIFO_QUEUES])
	MUST_CHECK;

/* No thread may hold a slot or wait for one. */
void fifo_semaphore_release(struct fifo_semaphore *t);

/* Take a slot, or wait for one in the queue `q` for at most `wait_ms`
 * milliseconds. ERR_UNAVAILABLE: not in time, no place to wait, or no memory.
 * After ERR_OK, and only then, call fifo_semaphore_leave(). */
enum err fifo_semaphore_enter(struct fifo_semaphore *t, enum fifo_queue_name q,
			      int64_t wait_ms) MUST_CHECK;
void fifo_semaphore_leave(struct fifo_semaphore *t);

#endif
