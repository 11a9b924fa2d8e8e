/* bearer.h - who is asking: the token of a request (RFC 6750).
 *
 * What a token says for itself is checked here, without the database. Whether
 * its session still lives, and all that is to know of an API token, is in the
 * table: caller.h asks, together with what the request is about.
 */
#ifndef BEARER_H
#define BEARER_H

#include "common/base/err.h"
#include "common/http/request.h"
#include "common/token/jwt.h"
#include "common/token/keyring_file.h"

/* Read the Authorization header and fill rq->bearer_id; for an access token
 * rq->claims too.
 *
 *   ERR_NO_TOKEN       none, or one of another scheme
 *   ERR_TOKEN_REQUEST  "Bearer", but no token as RFC 6750 2.1 writes it
 *   ERR_BAD_TOKEN           not genuine, or none of ours
 *   ERR_EXPIRED        genuine, but not at this time
 *   ERR_SCOPE          an access token whose scopes `scope` is not among; ""
 *                      is among all
 */
enum err bearer_check(struct request *rq, struct keyring_file *keys,
		      const struct jwt_rules *rules,
		      const char *scope) MUST_CHECK;

/* The token in an Authorization header's value: ERR_NO_TOKEN,
 * ERR_TOKEN_REQUEST. */
enum err bearer_token(struct span authorization, struct span *out) MUST_CHECK;

/* Check any token text, as bearer_check() does with a request's. */
enum err bearer_verify(struct span token, struct keyring_file *keys,
		       const struct jwt_rules *rules, int64_t now,
		       struct bearer_id *bearer_id,
		       struct claims *claims) MUST_CHECK;

#endif
