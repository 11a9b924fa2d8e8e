/* router.h - a table of routes, and the way from a request to its handler. */
#ifndef ROUTER_H
#define ROUTER_H

#include "common/base/err.h"
#include "common/http/request.h"
#include "common/http/response.h"

/* Answers `rq` through `rs`, or returns why it could not; `app` is the
 * program's own. */
typedef enum err handler_fn(void *app, struct request *rq, struct response *rs);

/* When the session behind a token is checked (session_check.h), and for which
 * tokens: one of the first three, with or without LOGIN_ONLY */
enum route_session {
	/* Before the handler runs, in a round trip of its own */
	SESSION_BEFORE = 0,
	/* In the handler's statement, which also says whose session it is */
	SESSION_IN_STATEMENT = 1,
	/* In the handler's statement, which does not say whose it is, or runs
	 * only after bytes were stored. Nothing is known of an API token
	 * without the database, so that is checked before. */
	SESSION_API_BEFORE = 2,
	SESSION_WHEN = 3, /* the bits of these */
	/* Not for an API token: if one leaks, it must not make others, end
	 * logins or change the password */
	LOGIN_ONLY = 4,
};

struct route {
	const char *method; /* "GET" serves HEAD too */
	/* The whole path. A "*" at its end takes one or more bytes, slashes
	 * included; one in the middle takes a segment. The handler finds it in
	 * rq->param; where there are two, all from the first to the end of the
	 * last. A path is of the first pattern that it matches, whatever the
	 * methods: what says more stands above what takes everything. */
	const char *pattern;
	handler_fn *handle;
	const char *scope; /* that a token must have, or ANY_SCOPE */
	unsigned session;  /* enum route_session */
};

/* The last two members of a route that needs no token: its scope is NULL */
#define NO_AUTH NULL, 0
#define ANY_SCOPE ""

struct router {
	const struct route *routes;
	size_t count;
};

/* Find the route of `rq` and set rq->route and rq->param.
 * ERR_NOT_FOUND, or ERR_METHOD with an Allow header set in `rs`. */
enum err router_find(const struct router *r, struct request *rq,
		     struct response *rs, const struct route **out) MUST_CHECK;

/* rq->route, or where no route was found the first whose pattern is that of the
 * path, whatever its method; -1 for a path that is not in the table. */
int router_index(const struct router *r, const struct request *rq);

/* Append the methods that the path of `rq` takes, "GET, HEAD, PUT", to `out`;
 * nothing for a path that is not in the table. */
void router_methods(const struct router *r, const struct request *rq,
		    struct buf *out);

#endif
