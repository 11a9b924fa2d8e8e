/* worker_threads.h - a thread for each open request of a FastCGI process.
 *
 * Threads are started when a request arrives and none waits for one, up to a
 * maximum, and end when more wait than are usually needed. How many of them
 * work at the same time is another question (common/base/worker_slots.h).
 */
#ifndef WORKER_THREADS_H
#define WORKER_THREADS_H

#include "common/server/program.h"

#include <stdbool.h>

struct worker_threads;

/* Start as many threads of THREADS as the system allows; they serve until
 * worker_threads_drain(). If another process that shares the socket shuts it
 * down, `closed` is called once, in one of them. NULL if not even one thread
 * could be started. */
struct worker_threads *worker_threads_start(const struct program *p,
					    const struct service *s,
					    void (*closed)(void));

/* Refuse new connections, serve those in the queue, and wait for requests in
 * progress, at most DRAIN_SECONDS. If that is not enough, return false: threads
 * still use the memory of the process. Else free *t. */
bool worker_threads_drain(struct worker_threads *t);

/* End threads that a burst of requests has left. Returns whether a request was
 * served since the last call. */
bool worker_threads_rest(struct worker_threads *t);

#endif
