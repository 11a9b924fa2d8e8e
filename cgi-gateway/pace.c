#include "pace.h"

void pace_init(struct pace *p, int64_t rate)
{
	*p = (struct pace) { rate, INT64_MIN };
}

int64_t pace_wait(struct pace *p, int64_t now, int64_t bytes)
{
	int64_t cost;

	if (p->rate == PACE_ANY)
		return 0;
	/* Rounded up, so that many small pieces are not too many */
	cost = bytes * 1000000 / p->rate + (bytes * 1000000 % p->rate != 0);
	/* A piece that took longer than it had to owes nothing */
	if (p->due < now - cost - PACE_SLACK)
		p->due = now - cost - PACE_SLACK;
	p->due += cost;
	return p->due > now ? p->due - now : 0;
}
