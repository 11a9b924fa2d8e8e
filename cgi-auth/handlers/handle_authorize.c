/* FastCGI's Authorizer role (FastCGI 1.0, 6.3): the web server asks before it
 * serves a protected path, and passes the Variable-* headers of the answer to
 * the program behind it. The question has no body, whatever the method is.
 *
 * GUARD_SCOPE is a scope that the token must have. The server's configuration
 * sets this variable for a path; a client cannot.
 */
#include "cgi-auth/app/auth.h"
#include "common/access/bearer.h"
#include "common/access/session_check.h"

static enum err check_token(struct auth *a, struct request *rq,
			    struct response *rs)
{
	struct span scope = request_variable(rq, "GUARD_SCOPE");
	struct session_check session;
	enum err e = bearer_check(rq, a->service->keys, &a->service->rules, "");

	e = bearer_explain(rq, rs, e);
	if (e == ERR_OK) {
		session_check_init(&session, rq, "");
		e = session_check_now(a->service->db, &session, &rs->why);
	}
	if (e != ERR_OK || scope.len == 0 ||
	    span_list_has(span_of(rq->claims.scope), scope))
		return e;
	return response_explain(rs, ERR_SCOPE,
				"This path requires the scope \"%.*s\"; the "
				"token has \"%s\".",
				SPAN_ARG(scope), rq->claims.scope);
}

/* The program behind the server trusts these variables to be ours. The server's
 * configuration removes the usual spellings of such headers; a remaining one
 * has another spelling ("X.Auth.User" is the same variable to CGI). */
static bool has_identity_header(const struct request *rq)
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

	if (has_identity_header(rq))
		return response_explain(rs, ERR_FORMAT,
					"The request has a header that names a "
					"user, such as X-Auth-User. Remove it; "
					"the token names the user.");
	e = check_token(app, rq, rs);
	if (e != ERR_OK)
		return e;
	response_header_str(rs, "Variable-AUTHUSER", c->email);
	response_header_int(rs, "Variable-AUTHID", (int64_t)c->user_id);
	response_header_str(rs, "Variable-AUTHSCOPE", c->scope);
	/* For programs that read the standard variable (RFC 3875 4.1.11) */
	response_header_str(rs, "Variable-REMOTE_USER", c->email);
	return response_empty(rs, 200);
}
