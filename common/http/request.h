/* request.h - one request, in whichever way it came (RFC 3875 4.1).
 *
 * Method and path live as long as the arena's contents, all other spans until
 * the transport's finish. Nothing in it is trusted: a client wrote it.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "common/base/arena.h"
#include "common/base/err.h"
#include "common/base/span.h"
#include "common/codec/ident.h"
#include "common/http/transport.h"
#include "common/token/bearer_id.h"
#include "common/token/claims.h"

enum {
	REQUEST_ID_MAX = 64,	     /* characters of a request id */
	REQUEST_PATH_MAX = 4096,     /* bytes */
	REQUEST_LENGTH_UNKNOWN = -1, /* no CONTENT_LENGTH */
};

struct request {
	struct transport *transport; /* borrowed */
	struct arena *arena;	     /* borrowed; reset after the answer */
	int64_t now_ms;		     /* the clock, read once, since 1970 */
	int64_t now;		     /* the same in seconds */
	/* Reads it again, for request_time(); NULL: no time passes */
	int64_t (*clock)(void);
	char id[REQUEST_ID_MAX + 1]; /* X-Request-ID, theirs or ours */
	struct span method;	     /* as sent: "GET" */
	bool head;		     /* HEAD: route as GET, send no body */
	/* FastCGI's Authorizer role: the server asks whether the request may
	 * pass; its path is not ours, and its body does not come here */
	bool authorizer;
	struct span path;	/* decoded, behind the program's own name */
	struct span prefix;	/* what stands before `path` in our URLs */
	struct span query;	/* raw */
	int64_t content_length; /* bytes announced, or REQUEST_LENGTH_UNKNOWN */
	int64_t body_read;	/* bytes handed out so far */
	int route;		/* its index in the table, or -1: none yet */
	struct span param;	/* what matched the "*" of the route */
	struct bearer_id bearer_id; /* what bearer_check() found */
	bool authenticated;	    /* then `claims` is the caller's */
	struct claims claims;
	/* The check of the token's session (session_check.h), borrowed; NULL on
	 * a route that needs no token */
	struct session_check *session;
};

/* Fill *rq from what `t` accepted. ERR_FORMAT for an invalid path or
 * length, ERR_MEMORY; method, id and times are filled even then, so that the
 * failure can be answered and logged. `program` is the program's own name: when
 * SCRIPT_NAME ends in it (also as NAME.cgi, NAME.fcgi), the path is PATH_INFO,
 * else it is SCRIPT_NAME and PATH_INFO together. */
enum err request_init(struct request *rq, struct transport *t,
		      struct arena *arena, const char *program,
		      int64_t now_ms) MUST_CHECK;

/* A CGI variable; the empty span when it is not there. */
struct span request_variable(const struct request *rq, const char *name);

/* A header by its name in HTTP, "If-None-Match"; empty when it is not there. */
struct span request_header(const struct request *rq, const char *name);

struct span request_content_type(const struct request *rq);

/* The Authorization header, also from where Apache hides it from CGI. */
struct span request_authorization(const struct request *rq);

/* The decoded value of a query parameter, in the arena.
 * ERR_NOT_FOUND, ERR_FORMAT, ERR_MEMORY. */
enum err request_query(const struct request *rq, const char *name,
		       struct span *out) MUST_CHECK;

/* The next bytes of the body, where they lie, valid until the next call;
 * out->len is 0 at its end. ERR_TRUNCATED when it ended before
 * content_length; ERR_CLOSED when the connection broke. */
enum err request_read(struct request *rq, struct span *out) MUST_CHECK;

/* Seconds since 1970, after a body that may have taken hours to come. */
int64_t request_time(const struct request *rq);

/* Whether request_read() would answer without waiting for the client. */
bool request_ready(const struct request *rq);

/* Read a small body into the arena. ERR_TOO_LARGE beyond `max`. */
enum err request_read_all(struct request *rq, size_t max,
			  struct span *out) MUST_CHECK;

#endif
