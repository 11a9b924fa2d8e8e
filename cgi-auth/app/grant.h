/* grant.h - the answer of /login and /refresh: a new access token, and usually
 * a refresh token with it. */
#ifndef GRANT_H
#define GRANT_H

#include "cgi-auth/app/auth.h"
#include "cgi-auth/tables/users.h"

struct grant {
	const struct user *user; /* id, email, admin, scope */
	const char *session;
	int64_t session_ends; /* no token expires later */
	const char *refresh;  /* NULL: none, the client wants text only */
	int64_t refresh_ends;
	bool cookie; /* send `refresh` in the cookie, not in the JSON */
	bool bare;   /* send the access token alone */
};

/* Whether the client prefers the access token alone, as text. If it prefers
 * neither text nor JSON, `otherwise`. */
bool grant_is_bare(const struct request *rq, bool otherwise);

/* Sign the access token and send the answer. Text that the client asked for ends
 * with a newline, for a terminal. Text by the setting LOGIN_ANSWER does not: a
 * gateway puts it into a header as it is. */
enum err grant_answer(struct auth *a, const struct request *rq,
		      const struct grant *g, struct response *rs) MUST_CHECK;

#endif
