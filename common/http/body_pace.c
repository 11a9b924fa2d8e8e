#include "common/http/body_pace.h"

#include <time.h>

static int64_t clock_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

enum err body_pace_begin(struct body_pace *p)
{
	if (p->bytes == 0)
		return ERR_OK;
	if (p->waited_ms >= p->period_ms) {
		if (p->arrived < p->bytes)
			return ERR_SLOW;
		p->arrived = p->waited_ms = 0;
	}
	p->began_ms = clock_ms();
	return ERR_OK;
}

void body_pace_end(struct body_pace *p, size_t bytes)
{
	if (p->bytes == 0)
		return;
	p->waited_ms += clock_ms() - p->began_ms;
	p->arrived += (int64_t)bytes;
}
