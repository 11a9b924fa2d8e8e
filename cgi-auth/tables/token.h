/* token.h - what a new access token says about its user. */
#ifndef TOKEN_H
#define TOKEN_H

#include "cgi-auth/tables/users.h"
#include "common/token/claims.h"
#include "common/token/jwt.h"

/* Claims for `u` in `session` from `now` on for `life` seconds, under a new
 * random token id (RFC 9068 2.2). What `rules` demands of a token is what it
 * gets. ERR_CONFIG when the issuer or the audience is longer than a claim may
 * be. */
enum err token_claims(const struct user *u, const struct jwt_rules *rules,
		      const char *session, int64_t now, int64_t life,
		      struct claims *out) MUST_CHECK;

#endif
