/* low_priority.h - work that must not hold up anybody else's.
 *
 * On Linux each thread has a nice value of its own, and one that was raised is
 * not lowered again without privileges. So the work gets a thread that lives as
 * long as it does: some 50 microseconds, where it is for a password's hash of
 * ten thousand and more.
 */
#ifndef LOW_PRIORITY_H
#define LOW_PRIORITY_H

#include "common/base/err.h"

enum {
	LOW_PRIORITY_NICE = 19, /* a 70th of a core that others want */
};

/* Run work(arg) in a thread of low priority and wait for its end.
 * ERR_UNAVAILABLE: there is no thread to be had, and nothing was done. */
enum err low_priority_run(void (*work)(void *arg), void *arg) MUST_CHECK;

#endif
