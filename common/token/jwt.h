/* jwt.h - compact HS256 JSON Web Tokens (RFC 7515, RFC 7519, RFC 9068).
 *
 * The format is base64url(head) "." base64url(claims) "." base64url(mac).
 * Nothing here logs, keeps state or reads the clock: the caller passes `now`,
 * so a test can choose it.
 */
#ifndef JWT_H
#define JWT_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/span.h"
#include "common/token/claims.h"
#include "common/token/keyring.h"

enum {
	JWT_TOKEN_MAX = 2048, /* bytes; a longer token is refused unread */
	JWT_HEAD_MAX = 256,   /* bytes of the header's JSON */
	JWT_LEEWAY = 60, /* seconds that another machine's clock may be ahead */
};

/* The issuer and the audience that a token must have. */
struct jwt_rules {
	const char *issuer;   /* "iss" must be this */
	const char *audience; /* "aud" must be this; "": there must be none */
};

/* Sign with the ring's signer and append the token. buf's errors, ERR_MEMORY,
 * or ERR_TOO_LARGE for a token over JWT_TOKEN_MAX; `out` then contains part of
 * it. */
enum err jwt_sign(const struct claims *c, const struct keyring *ring,
		  struct buf *out) MUST_CHECK;

/* Check `token` against every live key of `ring` at time `now`.
 *
 *   ERR_OK         *out is filled; after any other value *out is untouched,
 *                  except after ERR_NOT_YET
 *   ERR_FORMAT     not three base64url parts, or not the claims that we issue
 *   ERR_BAD_TOKEN  no key's MAC matches; or alg, kid, iss or aud is not ours
 *   ERR_EXPIRED    genuine, but now >= exp
 *   ERR_NOT_YET    genuine, but nbf or iat is more than JWT_LEEWAY seconds after
 *                  now; *out is filled, for jwt_early()
 *
 * The leeway is for nbf and iat only (RFC 7519 4.1.5 "to account for clock
 * skew"): exp is exact, so no token is valid longer than it says.
 *
 * The MAC is compared in constant time, and before any JSON is parsed: each key
 * is tried (there are few), and only then is `kid` compared with it. */
enum err jwt_verify(struct span token, const struct keyring *ring,
		    const struct jwt_rules *rules, int64_t now,
		    struct claims *out) MUST_CHECK;

/* How many seconds the later of nbf and iat is after `now`; 0 if it is not. */
int64_t jwt_early(const struct claims *c, int64_t now);

/* Check the claims of a token that is genuine, as jwt_verify() does: ERR_OK,
 * ERR_BAD_TOKEN (another issuer or audience), ERR_EXPIRED, ERR_NOT_YET. */
enum err jwt_check_claims(const struct claims *c, const struct jwt_rules *rules,
			  int64_t now) MUST_CHECK;

#endif
