#include "common/base/clock.h"

#include <time.h>

static int64_t read_us(clockid_t which)
{
	struct timespec t = { 0, 0 };

	(void)clock_gettime(which, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_monotonic_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

int64_t clock_monotonic_ms(void)
{
	return clock_monotonic_us() / 1000;
}

int64_t clock_real_us(void)
{
	return read_us(CLOCK_REALTIME);
}
