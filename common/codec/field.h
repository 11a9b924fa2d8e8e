/* field.h - the small grammars inside HTTP field values (RFC 9110 5.6).
 *
 * Pure: bytes in, spans into them out.
 */
#ifndef FIELD_H
#define FIELD_H

#include "common/base/err.h"
#include "common/base/span.h"

/* Return true for one or more tchar (RFC 9110 5.6.2). */
bool field_is_token(struct span s);

/* Take the next `; name=value` (or `; name="value"`) off the front of *rest. A
 * quoted value is returned without its quotes but with its backslashes, see
 * field_unquote(). ERR_NOT_FOUND at the end; ERR_FORMAT for anything else. */
enum err field_next_param(struct span *rest, struct span *name,
			  struct span *value) MUST_CHECK;

/* Remove the backslash of `\"` and `\\` (only these: old browsers sent Windows
 * paths with unescaped backslashes). `out` has room for s.len bytes. Returns
 * the new length. */
size_t field_unquote(struct span s, char *out);

/* Find the value of `wanted` among the parameters after the first ";" of
 * `value`. ERR_NOT_FOUND, ERR_FORMAT as above. */
enum err field_param(struct span value, struct span wanted,
		     struct span *out) MUST_CHECK;

/* Whether an Accept field (RFC 9110 12.5.1) ranks `type` above `other`; false
 * if it is empty or ranks them equal. Types are "type/subtype". */
bool field_accept_prefers(struct span accept, struct span type,
			  struct span other);

/* Take the next entity tag (RFC 9110 8.8.3), with its quotes, off the front of
 * a list. Returns false at its end, and at anything that is not an entity tag.
 */
bool field_next_etag(struct span *rest, struct span *tag, bool *weak);

enum etag_comparison { ETAG_STRONG, ETAG_WEAK }; /* RFC 9110 8.8.3.2 */

/* Whether a list of entity tags is "*" or contains `etag`, a strong one with
 * its quotes. If-Match compares strongly, If-None-Match weakly. */
bool field_etag_matches(struct span list, struct span etag,
			enum etag_comparison how);

#endif
