/* fifo_semaphore.h - so many at a time, in order of arrival, and no endless wait.
 *
 * A counting semaphore for work that must not be done by more threads than
 * there are cores. POSIX semaphores promise no order: under load one waiter
 * could be passed over again and again. Shared by threads, not by processes.
 */
#ifndef FIFO_SEMAPHORE_H
#define FIFO_SEMAPHORE_H

#include "common/base/err.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct fifo_semaphore {
	pthread_mutex_t lock;
	size_t free;	    /* how many may still pass at once */
	size_t waiting;	    /* in the queue */
	size_t max_waiting; /* how many may wait */
	struct fifo_semaphore_waiter *first,
		*last; /* each on its thread's stack */
};

/* `slots` is at least 1; up to `max_waiting` may wait for one. ERR_MEMORY. */
enum err fifo_semaphore_init(struct fifo_semaphore *t, size_t slots,
			     size_t max_waiting) MUST_CHECK;
void fifo_semaphore_release(
	struct fifo_semaphore *t); /* nobody may be inside */

/* Pass, or wait for at most `wait_ms` milliseconds behind those who came
 * before. ERR_UNAVAILABLE when that was not enough, when `max_waiting` wait
 * already, or on lack of memory;
 * only after ERR_OK is there a fifo_semaphore_leave(). */
enum err fifo_semaphore_enter(struct fifo_semaphore *t,
			      int64_t wait_ms) MUST_CHECK;
void fifo_semaphore_leave(struct fifo_semaphore *t);

#endif
