/* worker_slots.h - how many threads work at the same time, and in which order.
 *
 * A process has a thread for each open request, but only a few slots. A thread
 * works while it has a slot; while it waits, another thread has it
 * (worker_wait.h). So a request that waits for its client costs a stack and
 * some buffers, and delays no other.
 *
 * Slots are handed out by turns: first between requests without a body and
 * those with one, so that a thousand uploads that end at once do not stand
 * before a download; then between users; then in order of arrival. A user has
 * at most half of the slots, and so have all requests with a body together; at
 * least one.
 *
 * The order is fairness, not mutual exclusion: after WORKER_PATIENCE a thread
 * works without a slot, so a mistake in the use of this module cannot stop the
 * process.
 */
#ifndef WORKER_SLOTS_H
#define WORKER_SLOTS_H

#include "common/base/err.h"

#include <stddef.h>
#include <stdint.h>

enum {
	WORKER_PATIENCE = 10, /* seconds */
	WORKER_SHARE = 2,     /* a user has one of so many slots, or places */
};

enum worker_class {
	WORKER_READS, /* a request without a body */
	WORKER_STORES,
	WORKER_CLASSES,
};

struct worker_slots;

/* `slots` threads work at the same time. Of all requests, `places` may go at
 * the pace of their clients at the same time (worker_pace()). ERR_MEMORY. */
enum err worker_slots_new(size_t slots, size_t places,
			  struct worker_slots **out) MUST_CHECK;

/* No thread may be between worker_enter() and worker_leave(). NULL is fine. */
void worker_slots_free(struct worker_slots *s);

/* Begin a request in this thread: wait for a slot. */
void worker_enter(struct worker_slots *s, enum worker_class c);

/* End the request: return its slot, and its place if it has one. */
void worker_leave(void);

#endif
