/* condition.h - conditional requests (RFC 9110 13).
 */
#ifndef CONDITION_H
#define CONDITION_H

#include "common/base/err.h"
#include "common/base/span.h"

/* The header fields of a request; empty: not sent. */
struct conditions {
	struct span if_match, if_unmodified_since;
	struct span if_none_match, if_modified_since;
	struct span if_range;
	int64_t now; /* seconds since 1970, for dates without a century */
};

/* What the conditions are compared with. */
struct validators {
	struct span etag;  /* strong, with its quotes */
	struct span other; /* an ETag that If-Match accepts too, or "" */
	int64_t modified;  /* seconds since 1970 */
	/* `modified` is exact, and was sent as Last-Modified. If not, it may
	 * have been modified later, and If-Modified-Since is ignored. */
	bool dated;
};

enum condition_result {
	CONDITION_HOLDS,
	CONDITION_NOT_MODIFIED, /* of a GET: 304 */
	CONDITION_FAILED,	/* 412 */
};

/* Evaluate all but If-Range in the order of RFC 9110 13.2.2. `reads`: the
 * request is a GET or HEAD. */
enum condition_result condition_check(const struct conditions *c,
				      const struct validators *v, bool reads);

/* Return true if the result depends on an entity tag that was sent, and so on
 * the current state of what the request changes. */
bool condition_names_state(const struct conditions *c);

/* Return true if Range applies, false if it must be ignored (13.1.5). */
bool condition_range_holds(const struct conditions *c,
			   const struct validators *v);

#endif
