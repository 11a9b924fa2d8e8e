/* FastCGI's Authorizer role (FastCGI 1.0, 6.3): the server asks before it
 * serves a path of somebody else's, and passes on what the Variable-* headers
 * say. No body comes with the question, whatever the request's method is.
 *
 * GUARD_SCOPE, a variable that the server's configuration sets for a place and
 * no client can, is a scope that the token must have.
 */
#include "cgi-auth/app/auth.h"
#include "common/access/bearer.h"
#include "common/access/session_check.h"

static enum err check(struct auth *a, struct request *rq, struct response *rs)
{
	struct span scope = request_variable(rq, "GUARD_SCOPE");
	struct session_check session;
	enum err e = bearer_check(rq, a->service->keys, &a->service->rules, "");

	if (e == ERR_OK) {
		session_check_init(&session, rq, "");
		e = session_check_now(a->service->db, &session, &rs->why);
	}
	if (e != ERR_OK || scope.len == 0 ||
	    span_list_has(span_of(rq->claims.scope), scope))
		return e;
	return response_explain(rs, ERR_SCOPE,
				"This needs the scope \"%.*s\"; the token has "
				"\"%s\".",
				SPAN_ARG(scope), rq->claims.scope);
}

/* A guarded program reads these as ours. The server's configuration removes the
 * usual spellings of them; what is left comes from one that it did not know
 * ("X.Auth.User" is the same variable to CGI). */
static bool claims_identity(const struct request *rq)
{
	static const char *const ours[] = {
		"HTTP_X_AUTH_USER", "HTTP_X_AUTH_ID",	  "HTTP_X_AUTH_SCOPE",
		"HTTP_AUTHUSER",    "HTTP_AUTHID",	  "HTTP_AUTHSCOPE",
		"HTTP_AUTH_USER",   "HTTP_AUTH_ID",	  "HTTP_AUTH_SCOPE",
		"HTTP_REMOTE_USER", "HTTP_X_REMOTE_USER",
	};

	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		if (request_variable(rq, ours[i]).len > 0)
			return true;
	return false;
}

enum err handle_authorize(void *app, struct request *rq, struct response *rs)
{
	const struct claims *c = &rq->claims;
	enum err e;

	if (claims_identity(rq))
		return response_explain(rs, ERR_FORMAT,
					"A header of the request says who you "
					"are; only the token does.");
	e = check(app, rq, rs);
	if (e != ERR_OK)
		return e;
	response_header_str(rs, "Variable-AUTHUSER", c->email);
	response_header_int(rs, "Variable-AUTHID", (int64_t)c->user_id);
	response_header_str(rs, "Variable-AUTHSCOPE", c->scope);
	/* What programs that never heard of us look for (RFC 3875 4.1.11) */
	response_header_str(rs, "Variable-REMOTE_USER", c->email);
	return response_empty(rs, 200);
}
