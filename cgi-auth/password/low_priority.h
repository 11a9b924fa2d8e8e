/* low_priority.h - work that must not slow down other work.
 *
 * On Linux each thread has a nice value of its own, and a raised one cannot be
 * lowered again without privileges. So the work gets a thread of its own: that
 * costs some 50 microseconds, and hashing a password takes 10,000 or more.
 */
#ifndef LOW_PRIORITY_H
#define LOW_PRIORITY_H

#include "common/base/err.h"

enum {
	LOW_PRIORITY_NICE = 19, /* 1/70 of a core that others use */
};

/* Run work(arg) in a thread of low priority and wait for its end.
 * ERR_UNAVAILABLE: no thread could be started, and the work was not done. */
enum err low_priority_run(void (*work)(void *arg), void *arg) MUST_CHECK;

#endif
