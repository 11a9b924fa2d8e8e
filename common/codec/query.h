/* query.h - the query string of a URL (application/x-www-form-urlencoded). */
#ifndef QUERY_H
#define QUERY_H

#include "common/base/err.h"
#include "common/base/span.h"

enum {
	QUERY_VALUE_MAX = 4096, /* bytes of one decoded value */
};

/* Decode the first value of `name` in `query` into out (not terminated; it may
 * contain any byte) and set *len. A name without "=" has the empty value.
 * ERR_NOT_FOUND; ERR_FORMAT for a stray "%"; ERR_TOO_LARGE if the text is
 * longer than `cap`. */
enum err query_get(struct span query, struct span name, char *out, size_t cap,
		   size_t *len) MUST_CHECK;

#endif
