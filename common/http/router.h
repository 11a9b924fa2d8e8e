/* router.h - the table of routes, and the search for the route of a request. */
#ifndef ROUTER_H
#define ROUTER_H

#include "common/base/err.h"
#include "common/http/request.h"
#include "common/http/response.h"

/* Answer `rq` through `rs`, or return an error; `app` is the program's own. */
typedef enum err handler_fn(void *app, struct request *rq, struct response *rs);

/* When the session behind a token is checked (session_check.h), and for which
 * tokens: one of the first three, with or without the other bits */
enum route_session {
	/* Before the handler runs, in a round trip of its own */
	SESSION_BEFORE = 0,
	/* In the handler's statement, which also returns the user */
	SESSION_IN_STATEMENT = 1,
	/* An access token in the handler's statement; an API token before the
	 * handler. For statements that do not return the user, or that run only
	 * after bytes were stored: nothing is known of an API token without the
	 * database. */
	SESSION_API_BEFORE = 2,
	SESSION_WHEN = 3, /* mask of the above */
	/* Refuse API tokens: if one leaks, it must not create others, end
	 * logins or change the password */
	LOGIN_ONLY = 4,
	/* The resource has an ETag, and the handler checks the conditions of
	 * the request. For all other routes dispatch.c does. */
	HAS_ETAG = 8,
	/* The handler reads the body. Without this flag a body is refused
	 * (route_input.h), so that a client does not expect an effect of
	 * it; a body of GET is ignored. */
	TAKES_BODY = 16,
	/* Which listener of the server has the route; the public one without
	 * these. The server's configuration decides that; the program needs it
	 * for a request whose path the server has not looked at
	 * (server_error.h). */
	INTERNAL_ONLY = 32,
	INTERNAL_TOO = 64,
	/* The server asks before it receives the body (program.h): the handler
	 * checks, if rq->authorizer is set, whether it may. */
	ASKED_FIRST = 128,
};

struct route {
	const char *method; /* "GET" serves HEAD too */
	/* Must match the whole path. A "*" at the end matches one or more
	 * bytes, slashes included; any other "*" matches one segment. rq->param
	 * is the matched text; with two "*", from the start of the first match
	 * to the end of the second. The first pattern that matches the path is
	 * used, regardless of the method, so specific patterns precede general
	 * ones.
	 * After a "?" follow the query parameters that the handler reads,
	 * separated by "&": "/logout?all". Of a request that changes something
	 * another one is refused (route_input.h); "?*" takes all. GET ignores
	 * what it does not know, because people paste links with more in them,
	 * so its rows name none. */
	const char *pattern;
	handler_fn *handle;
	/* Required of a token: a word, several with blanks between them, or
	 * ANY_SCOPE. An API token on a route with several is checked before the
	 * handler. */
	const char *scope;
	unsigned session; /* enum route_session */
};

/* The last two members of a route that needs no token: its scope is NULL.
 * "NO_AUTH | TAKES_BODY" sets that flag. */
#define NO_AUTH NULL, 0
#define ANY_SCOPE ""

struct router {
	const struct route *routes;
	size_t count;
};

/* Return the part of a route's pattern that its path must match, and in
 * *parameters what follows the "?". */
struct span route_path(const struct route *route, struct span *parameters);
/* Drop one slash from the end of the path where it means nothing: /login/. A PUT
 * names a file in its path, which may end so; it keeps the slash unless there is
 * no route with it. */
void router_drop_slash(const struct router *r, struct request *rq);

/* Find the route of `rq` and set rq->route and rq->param.
 * ERR_NOT_FOUND, or ERR_METHOD with an Allow header set in `rs`. */
enum err router_find(const struct router *r, struct request *rq,
		     struct response *rs, const struct route **out) MUST_CHECK;

/* Return rq->route; if the method has no route, the first one whose pattern
 * matches the path; -1 for a path without a route. */
int router_index(const struct router *r, const struct request *rq);

/* Whether the path of `rq` has a route on that listener. */
bool router_serves(const struct router *r, const struct request *rq,
		   bool internal);

/* Append the methods that the path of `rq` accepts, "GET, HEAD, PUT", to `out`;
 * nothing for a path without a route. */
void router_methods(const struct router *r, const struct request *rq,
		    struct buf *out);

#endif
