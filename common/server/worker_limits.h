/* worker_limits.h - what the system allows a process with threads: address space,
 * threads and descriptors; and the log lines if that is too little.
 */
#ifndef WORKER_LIMITS_H
#define WORKER_LIMITS_H

#include "common/base/err.h"

#include <stddef.h>

/* Reserve address space without using memory; NULL if there is none. Where the
 * system limits it, the stacks of threads must not take all of it, or the first
 * request would end the process. */
void *worker_limits_reserve(size_t size);
void worker_limits_release(void *at, size_t size); /* NULL is fine */

/* Log that threads could not be started, for the errno `failed`: at the start,
 * and later; or that a connection could not be accepted. The last two are logged
 * at most once a minute, because they repeat. */
void worker_limits_report_fewer(size_t count, size_t wanted, int failed);
void worker_limits_report_start(size_t count, int failed);
void worker_limits_report_accept(enum err e);

#endif
