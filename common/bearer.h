/* bearer.h - who is asking: the token of a request (RFC 6750). */
#ifndef BEARER_H
#define BEARER_H

#include "err.h"
#include "jwt.h"
#include "keyring.h"
#include "request.h"

/* Check the Authorization header and fill rq->claims.
 *
 *   ERR_NO_TOKEN       none, or one of another scheme
 *   ERR_TOKEN_REQUEST  "Bearer", but no token as RFC 6750 2.1 writes it
 *   ERR_AUTH           not genuine, or none of ours
 *   ERR_EXPIRED        genuine, but not at this time
 *   ERR_SCOPE          `scope` is neither "" nor among the token's
 */
enum err bearer_check(struct request *rq, const struct keyring *ring,
		      const struct jwt_rules *rules,
		      const char *scope) MUST_CHECK;

/* The token in an Authorization header's value: ERR_NO_TOKEN,
 * ERR_TOKEN_REQUEST. */
enum err bearer_token(struct span authorization, struct span *out) MUST_CHECK;

#endif
