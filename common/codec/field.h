/* field.h - the small grammars inside HTTP field values (RFC 9110 5.6).
 *
 * Pure: bytes in, spans into them out.
 */
#ifndef FIELD_H
#define FIELD_H

#include "common/base/err.h"
#include "common/base/span.h"

/* True for one or more tchar (RFC 9110 5.6.2). */
bool field_is_token(struct span s);

/* Read the next `; name=value` (or `; name="value"`), and remove it from *rest.
 * A quoted value is returned without its quotes but with its backslashes, see
 * field_unquote(). ERR_NOT_FOUND at the end; ERR_FORMAT for any other text. */
enum err field_next_param(struct span *rest, struct span *name,
			  struct span *value) MUST_CHECK;

/* Remove the backslash of `\"` and `\\` (only these: older browsers send
 * Windows paths without escaping). `out` has at least s.len bytes; returns the
 * new length. */
size_t field_unquote(struct span s, char *out);

/* The value of `wanted` among the parameters after the first ";" of `value`.
 * ERR_NOT_FOUND, ERR_FORMAT. */
enum err field_param(struct span value, struct span wanted,
		     struct span *out) MUST_CHECK;

/* Whether an Accept field (RFC 9110 12.5.1) prefers `type` to `other`; false if
 * it is empty or they are equal. Types are "type/subtype". */
bool field_accept_prefers(struct span accept, struct span type,
			  struct span other);

/* Whether a list of entity tags (If-None-Match, RFC 9110 13.1.2) is "*" or
 * contains `etag`, with its quotes, by the weak comparison. */
bool field_etag_matches(struct span list, struct span etag);

#endif
