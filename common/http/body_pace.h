/* body_pace.h - the least rate at which a body must arrive.
 *
 * Only the time counts in which the program waits for the client. A body that
 * is slower is cut: its client holds a place that others may need.
 */
#ifndef BODY_PACE_H
#define BODY_PACE_H

#include "common/base/err.h"

#include <stddef.h>
#include <stdint.h>

struct body_pace {
	int64_t bytes;	   /* that must arrive in each period; 0: no limit */
	int64_t period_ms; /* of waiting */
	/* since the period began */
	int64_t arrived, waited_ms;
	int64_t began_ms; /* of this read */
};

/* Call before each read of a body. ERR_SLOW: a period is over, and too few bytes
 * have arrived in it. */
enum err body_pace_begin(struct body_pace *p) MUST_CHECK;

/* Call after it, with the number of bytes that arrived. */
void body_pace_end(struct body_pace *p, size_t bytes);

#endif
