/* range.h - byte ranges and conditions of a GET (RFC 9110 13 and 14).
 *
 * For where no server in front does it for us.
 */
#ifndef RANGE_H
#define RANGE_H

#include "common/base/err.h"
#include "common/base/span.h"

struct range {
	int64_t first, length; /* bytes */
};

/* The one range that `field` asks of `size` bytes.
 *
 *   ERR_OK         *out is within the file and not empty
 *   ERR_NOT_FOUND  send the whole: no field, another unit, malformed, or
 *                  several ranges (14.2: a server may ignore them)
 *   ERR_RANGE      nothing of it is in the file: 416
 */
enum err range_parse(struct span field, int64_t size,
		     struct range *out) MUST_CHECK;

/* What a client has of the file already, as its headers say; empty: not sent.
 */
struct conditions {
	struct span if_none_match, if_modified_since, if_range;
};

/* Whether a 304 answers the request (13.2.2). `etag` is strong, with quotes. */
bool condition_not_modified(const struct conditions *c, struct span etag,
			    int64_t modified);

/* Whether Range is to be heeded (13.1.5). */
bool condition_range_holds(const struct conditions *c, struct span etag,
			   int64_t modified);

#endif
