/* worker_wait.h - what a thread calls around a wait, so that another thread
 * works in the meantime (worker_slots.h).
 *
 *	worker_wait_begin();
 *	... fsync(), a condition variable, a semaphore, another service ...
 *	worker_wait_end();
 *
 * Wrap every wait that takes longer than a statement of the database. Between
 * the two calls a thread must not hold what a thread with a slot may wait for:
 * no mutex, no lock of a file, no transaction. worker_wait_end() may wait for a
 * slot, and its owner would wait for this thread.
 *
 * Pairs nest; only the outermost has an effect. In a thread without a request
 * (plain CGI, the admin tools, tests) these functions do nothing.
 */
#ifndef WORKER_WAIT_H
#define WORKER_WAIT_H

#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	WORKER_PACE_MS = 20, /* a shorter wait for a client takes no place */
};

void worker_wait_begin(void);
void worker_wait_end(void);

/* Whether another thread waits for a slot that this one has. */
bool worker_is_awaited(void);

/* Count this request from now on as one of `user`, 0 for no user. It may have
 * to wait: a user has at most half of the slots. */
void worker_act_for(uint64_t user);

/* Take a place among the requests that go at the pace of their clients: whose
 * bodies arrive slowly, or whose answers are read slowly. The request keeps it
 * until it ends; to call this again is fine.
 *
 *   ERR_OVERLOADED    all places are taken
 *   ERR_TOO_MANY_UPLOADS  the user has half of them already */
enum err worker_pace(void) MUST_CHECK;

/* As worker_wait_begin(), before a wait for the client; fails as worker_pace()
 * does, and then the wait has not begun. After a wait of less than
 * WORKER_PACE_MS, worker_client_wait_end() returns the place that was taken for
 * it. */
enum err worker_client_wait_begin(void) MUST_CHECK;
void worker_client_wait_end(void);

#endif
