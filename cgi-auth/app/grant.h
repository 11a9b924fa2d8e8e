/* grant.h - the answer to whoever has proved who they are: a new access token,
 * and a refresh token with it. The same for /login and /refresh. */
#ifndef GRANT_H
#define GRANT_H

#include "cgi-auth/app/auth.h"
#include "cgi-auth/tables/users.h"

struct grant {
	const struct user *user; /* id, email, admin, scope */
	const char *session;
	int64_t session_ends; /* no token outlives it */
	const char *refresh;  /* NULL: none, the client cannot take it */
	int64_t refresh_ends;
	bool cookie; /* `refresh` goes into the cookie, not into the JSON */
};

/* Whether the client asks for the bare access token, as text. */
bool grant_is_bare(const struct request *rq);

/* Sign the access token and answer. */
enum err grant_answer(struct auth *a, const struct request *rq,
		      const struct grant *g, struct response *rs) MUST_CHECK;

#endif
