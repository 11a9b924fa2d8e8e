/* token.h - the claims of a new access token. */
#ifndef TOKEN_H
#define TOKEN_H

#include "cgi-auth/tables/users.h"
#include "common/token/claims.h"
#include "common/token/jwt.h"

/* Claims for `u` in `session`, valid from `now` for `life` seconds, with a new
 * random token id (RFC 9068 2.2), and the issuer and audience that `rules`
 * demands. ERR_CONFIG: the issuer or the audience is longer than a claim may
 * be. */
enum err token_claims(const struct user *u, const struct jwt_rules *rules,
		      const char *session, int64_t now, int64_t life,
		      struct claims *out) MUST_CHECK;

#endif
