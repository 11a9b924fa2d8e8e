/* rate_limit.h - limits bytes per second, by waiting after each piece.
 *
 *	rate_limit_init(&l, rate)
 *	for each piece: after it, wait rate_limit_wait(&l, now, bytes)
 *
 * Nothing here reads a clock or waits: the caller passes `now`, so a test can
 * choose it. Times are microseconds of a monotonic clock.
 *
 * If each wait is observed, the bytes within any time are at most `rate` times
 * that time, plus what RATE_LIMIT_SLACK allows, plus two pieces. Idle time is
 * not credited.
 */
#ifndef RATE_LIMIT_H
#define RATE_LIMIT_H

#include <stdint.h>

enum {
	RATE_LIMIT_ANY = 0,	   /* as a rate: no limit */
	RATE_LIMIT_SLACK = 100000, /* microseconds that may be made up for */
};

struct rate_limit {
	int64_t rate; /* bytes a second */
	int64_t due;  /* when all bytes so far may be done */
};

void rate_limit_init(struct rate_limit *l, int64_t rate);

/* Count `bytes` (below 2^32), done at `now`. Returns how long to wait. */
int64_t rate_limit_wait(struct rate_limit *l, int64_t now, int64_t bytes);

#endif
