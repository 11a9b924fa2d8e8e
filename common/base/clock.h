/* clock.h - the system's clocks, in whole units (clock_gettime(2)).
 *
 * For limits of time and for what a request took. What a request decides by the
 * time of day uses request_begun() and request_time() of common/http, so that a
 * test can choose it.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

/* Since an unknown moment; never set back. */
int64_t clock_monotonic_us(void);
int64_t clock_monotonic_ms(void);

/* Microseconds since 1970 UTC. */
int64_t clock_real_us(void);

#endif
