/* claims.h - the claims of a token (RFC 7519 4.1, RFC 9068): a plain value.
 *
 * Texts are terminated, UTF-8, and free of control characters. Times are
 * whole seconds since 1970 UTC.
 */
#ifndef CLAIMS_H
#define CLAIMS_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/span.h"

enum {
	CLAIMS_EMAIL_MAX = 255, /* bytes, as the column */
	CLAIMS_SCOPE_MAX = 255,
	CLAIMS_ISSUER_MAX = 127,
	CLAIMS_ID_MAX = 63,
	CLAIMS_JSON_MAX = 1536, /* bytes of the whole object */
	KID_MAX = 63,
	CLAIMS_NO_END = 0, /* expires_at of an API token that never expires */
};

struct json_object; /* json.h */

struct claims {
	uint64_t user_id; /* "sub", a string of decimal digits; never 0 */
	char email[CLAIMS_EMAIL_MAX + 1];     /* "username" */
	char scope[CLAIMS_SCOPE_MAX + 1];     /* space-separated words */
	char issuer[CLAIMS_ISSUER_MAX + 1];   /* "iss" */
	char audience[CLAIMS_ISSUER_MAX + 1]; /* "aud"; "" when absent */
	char token_id[CLAIMS_ID_MAX + 1];     /* "jti" */
	char session[CLAIMS_ID_MAX + 1];      /* "sid": ended by a logout */
	bool admin;
	int64_t issued_at, not_before, expires_at;
};

/* Make the JSON object, owned: json_object_put(). NULL when out of memory. An
 * API token has no "jti" and, if it never expires, no "exp". */
struct json_object *claims_json(const struct claims *c);

/* Append the claims as JSON text. Check buf_error(out). */
void claims_write(const struct claims *c, struct buf *out);

/* Read the JSON text `json`. ERR_FORMAT for anything but one object with the
 * members above, each of the right type and size, without duplicates. Unknown
 * members are ignored, as RFC 7519 4 requires. `aud` may be a string or an
 * array of one string. */
enum err claims_parse(struct span json, struct claims *out) MUST_CHECK;

/* Read the JOSE header of a token (RFC 7515 4.1). ERR_BAD_TOKEN unless alg is
 * exactly HS256; ERR_FORMAT if it is malformed, has a "crit" (RFC 7515 4.1.11:
 * no extension is supported), or a typ other than "at+jwt" or "JWT". `kid`
 * receives the name of the key, at most KID_MAX bytes. */
enum err claims_parse_head(struct span json,
			   char kid[static KID_MAX + 1]) MUST_CHECK;

#endif
