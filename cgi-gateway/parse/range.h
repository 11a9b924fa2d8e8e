/* range.h - byte ranges of a GET (RFC 9110 14), for files that the gateway
 * itself sends.
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
 *   ERR_OK         *out is inside the file and not empty. Of several ranges, it
 *                  is the only one that is inside the file
 *   ERR_FORMAT     no field, another unit, or malformed: send the whole file
 *   ERR_TOO_MANY   several ranges inside the file: the whole has them all
 *   ERR_RANGE      all ranges are outside the file: 416 */
enum err range_parse(struct span field, int64_t size,
		     struct range *out) MUST_CHECK;

/* Return true if every HTTP server understands the field in the same way, and
 * as range_parse() does: the usual spelling of one range or several, well formed,
 * of numbers that fit into 64 bits. Whether they are inside the file is not checked. */
bool range_is_plain(struct span field);

#endif
