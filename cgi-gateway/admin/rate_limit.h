/* rate_limit.h - not more than so many bytes a second, by waiting in between.
 *
 *	rate_limit_init(&p, rate)
 *	for each piece: after it, wait rate_limit_wait(&p, now, bytes)
 *
 * Nothing here reads a clock or waits: the caller passes `now`, so a test can
 * choose it. Times are microseconds on one clock that only goes forward.
 *
 * From any moment on, as long as each wait is kept, no more is let through than
 * `rate` times the time, and what RATE_LIMIT_SLACK and two pieces allow. Time that
 * passed with nothing to do is not made up for.
 */
#ifndef RATE_LIMIT_H
#define RATE_LIMIT_H

#include <stdint.h>

enum {
	RATE_LIMIT_ANY = 0,	   /* as a rate: as fast as it goes */
	RATE_LIMIT_SLACK = 100000, /* microseconds that may be made up for */
};

struct rate_limit {
	int64_t rate; /* bytes a second */
	int64_t due;  /* when all that was let through should have been */
};

void rate_limit_init(struct rate_limit *p, int64_t rate);

/* `bytes` (below 2^32) are done at `now`: how long to wait. */
int64_t rate_limit_wait(struct rate_limit *p, int64_t now, int64_t bytes);

#endif
