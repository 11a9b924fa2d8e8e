#include "cgi-gateway/admin/rate_limit.h"

void rate_limit_init(struct rate_limit *p, int64_t rate)
{
	*p = (struct rate_limit) { rate, INT64_MIN };
}

int64_t rate_limit_wait(struct rate_limit *p, int64_t now, int64_t bytes)
{
	int64_t cost;

	if (p->rate == RATE_LIMIT_ANY)
		return 0;
	/* Rounded up, so that many small pieces are not too many */
	cost = bytes * 1000000 / p->rate + (bytes * 1000000 % p->rate != 0);
	/* A piece that took longer than it had to owes nothing */
	if (p->due < now - cost - RATE_LIMIT_SLACK)
		p->due = now - cost - RATE_LIMIT_SLACK;
	p->due += cost;
	return p->due > now ? p->due - now : 0;
}
