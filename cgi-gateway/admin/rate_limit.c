#include "cgi-gateway/admin/rate_limit.h"

void rate_limit_init(struct rate_limit *l, int64_t rate)
{
	*l = (struct rate_limit) { rate, INT64_MIN };
}

int64_t rate_limit_wait(struct rate_limit *l, int64_t now, int64_t bytes)
{
	int64_t cost;

	if (l->rate == RATE_LIMIT_ANY)
		return 0;
	/* Rounded up, so that many small pieces do not exceed the rate */
	cost = bytes * 1000000 / l->rate + (bytes * 1000000 % l->rate != 0);
	/* A piece that took longer than its cost needs no wait */
	if (l->due < now - cost - RATE_LIMIT_SLACK)
		l->due = now - cost - RATE_LIMIT_SLACK;
	l->due += cost;
	return l->due > now ? l->due - now : 0;
}
