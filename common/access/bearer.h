/* bearer.h - the bearer token of a request (RFC 6750).
 *
 * The token itself is checked here, without the database: signature, times,
 * scope. Whether its session is valid, and all data of an API token, are in the
 * database (session_check.h).
 */
#ifndef BEARER_H
#define BEARER_H

#include "common/base/err.h"
#include "common/http/request.h"
#include "common/http/response.h"
#include "common/token/jwt.h"
#include "common/token/keyring_file.h"

/* Read the Authorization header and fill rq->bearer_id; for an access token
 * rq->claims too.
 *
 *   ERR_NO_TOKEN       there is no such header, or its scheme is another
 *   ERR_TOKEN_REQUEST  "Bearer", but no token of the form of RFC 6750 2.1
 *   ERR_BAD_TOKEN      not genuine, or not ours
 *   ERR_EXPIRED        genuine, but expired
 *   ERR_NOT_YET        genuine, but issued by a clock that is ahead of ours by
 *                      more than JWT_LEEWAY; see bearer_explain()
 *   ERR_SCOPE          an access token lacks a word of `scope`, which may be
 *                      "" */
enum err bearer_check(struct request *rq, struct keyring_file *keys,
		      const struct jwt_rules *rules,
		      const char *scope) MUST_CHECK;

/* After ERR_NOT_YET from bearer_check(), write by how much the clocks differ:
 * for the client, and for the operator's log. Returns `e`; any other value
 * changes nothing. */
enum err bearer_explain(const struct request *rq, struct response *rs,
			enum err e) MUST_CHECK;

/* Extract the token from the value of an Authorization header. ERR_NO_TOKEN,
 * ERR_TOKEN_REQUEST: as above. */
enum err bearer_token(struct span authorization, struct span *out) MUST_CHECK;

/* Check the text of a token as bearer_check() checks that of a request. */
enum err bearer_verify(struct span token, struct keyring_file *keys,
		       const struct jwt_rules *rules, int64_t now,
		       struct bearer_id *bearer_id,
		       struct claims *claims) MUST_CHECK;

#endif
