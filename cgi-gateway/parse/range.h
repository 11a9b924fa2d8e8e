/* range.h - byte ranges and conditions of a GET (RFC 9110 13 and 14), for files
 * that the gateway itself sends.
 */
#ifndef RANGE_H
#define RANGE_H

#include "common/base/err.h"
#include "common/base/span.h"

struct range {
	int64_t first, length; /* bytes */
};

/* Parse the header field Range for a file of `size` bytes.
 *
 *   ERR_OK         *out is inside the file and not empty
 *   ERR_NOT_FOUND  send the whole file: no field, another unit, malformed, or
 *                  several ranges (14.2: a server may ignore them)
 *   ERR_RANGE      the range is outside the file: 416 */
enum err range_parse(struct span field, int64_t size,
		     struct range *out) MUST_CHECK;

/* The header fields of a conditional request; empty: not sent. */
struct conditions {
	struct span if_none_match, if_modified_since, if_range;
};

/* Return true if the response is a 304 (13.2.2). `etag` is strong, with quotes.
 */
bool condition_not_modified(const struct conditions *c, struct span etag,
			    int64_t modified);

/* Return true if Range applies, false if it must be ignored (13.1.5). */
bool condition_range_holds(const struct conditions *c, struct span etag,
			   int64_t modified);

#endif
