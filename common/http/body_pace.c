#include "common/http/body_pace.h"

#include "common/base/clock.h"

enum err body_pace_begin(struct body_pace *p)
{
	if (p->bytes == 0)
		return ERR_OK;
	if (p->waited_ms >= p->period_ms) {
		if (p->arrived < p->bytes)
			return ERR_SLOW;
		p->arrived = p->waited_ms = 0;
	}
	p->began_ms = clock_monotonic_ms();
	return ERR_OK;
}

void body_pace_end(struct body_pace *p, size_t bytes)
{
	if (p->bytes == 0)
		return;
	p->waited_ms += clock_monotonic_ms() - p->began_ms;
	p->arrived += (int64_t)bytes;
}
