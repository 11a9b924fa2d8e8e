/* request.h - one request, over any transport (RFC 3875 4.1).
 *
 * Method and path are valid as long as the arena's contents, all other spans
 * until the transport's finish. Nothing in it is trusted: it comes from a
 * client.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "common/base/arena.h"
#include "common/base/err.h"
#include "common/base/span.h"
#include "common/codec/ident.h"
#include "common/http/body_pace.h"
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
	int64_t now_ms;		     /* the clock, read once; since 1970 */
	int64_t now;		     /* the same in seconds */
	/* Read the clock again, for request_time(); NULL: use `now` */
	int64_t (*clock)(void);
	char id[REQUEST_ID_MAX + 1]; /* X-Request-ID, or generated */
	struct span method;	     /* as sent: "GET" */
	bool head;		     /* HEAD: route as GET, send no body */
	/* The server asks whether the request may pass, and sends no body:
	 * FastCGI's Authorizer role, or the variable ADMISSION_ONLY from a
	 * server without that role. content_length is what the client
	 * announced. */
	bool authorizer;
	/* ADMISSION_ONLY is "status": the server uses the status alone, 200 or
	 * 403, and sends a refused request itself for its response. */
	bool status_only;
	/* When the program, in that role, let this request pass: seconds since
	 * 1970; 0: it was not asked. The body was received after that. */
	int64_t admitted_at;
	char admission[IDENT_LEN + 1]; /* what it reserved then, or "" */
	/* Status of the answer to OPTIONS; 0: 204. `arrive` of struct program
	 * may set it */
	int options_status;
	struct span path;   /* decoded, after the program's own name */
	struct span prefix; /* what precedes `path` in our URLs */
	/* What precedes even that for a client of a proxy that cuts it off;
	 * dispatch.c fills it (client_prefix()) */
	struct span outer_prefix;
	struct span query;	/* raw */
	int64_t content_length; /* bytes announced, or REQUEST_LENGTH_UNKNOWN */
	int64_t body_read;	/* bytes handed out so far */
	struct body_pace pace;
	int route;		    /* index in the table, or -1: none yet */
	struct span param;	    /* what matched the "*" of the route */
	struct bearer_id bearer_id; /* what bearer_check() found */
	bool authenticated;	    /* then `claims` is the caller's */
	struct claims claims;
	/* The check of the token's session (session_check.h), borrowed; NULL on
	 * a route that needs no token */
	struct session_check *session;
};

/* Fill *rq from the request that `t` accepted. ERR_FORMAT for an invalid path
 * or length; ERR_MEMORY. Method, id and times are filled even then, so that the
 * failure can be answered and logged. `program` is the program's own name: when
 * SCRIPT_NAME ends in it (also as NAME.cgi, NAME.fcgi), the path is PATH_INFO,
 * else it is SCRIPT_NAME and PATH_INFO together. */
enum err request_init(struct request *rq, struct transport *t,
		      struct arena *arena, const char *program,
		      int64_t now_ms) MUST_CHECK;

/* Return a CGI variable; the empty span if it is not set. */
struct span request_variable(const struct request *rq, const char *name);

/* Return a header by its HTTP name, such as "If-None-Match"; empty if absent.
 */
struct span request_header(const struct request *rq, const char *name);

struct span request_content_type(const struct request *rq);

/* Return the Authorization header, including from the variable to which Apache
 * can move it for CGI programs. */
struct span request_authorization(const struct request *rq);

/* Decode the value of a query parameter into the arena. ERR_NOT_FOUND,
 * ERR_FORMAT, ERR_MEMORY. */
enum err request_query(const struct request *rq, const char *name,
		       struct span *out) MUST_CHECK;

/* Return the next bytes of the body, not copied, valid until the next call;
 * out->len is 0 at its end. ERR_TRUNCATED if it ended before content_length;
 * ERR_CLOSED if the connection broke; ERR_SLOW if it arrives more slowly than
 * rq->pace allows. Errors of worker_pace(). */
enum err request_read(struct request *rq, struct span *out) MUST_CHECK;

/* Return the time now, in seconds since 1970: receiving a body may have taken
 * hours. */
int64_t request_time(const struct request *rq);

/* Return the time at which the request began, as of which its token is judged:
 * when it was admitted, or `now` if it reached the program before its body. */
int64_t request_begun(const struct request *rq);

/* Whether request_read() would return without waiting for the client. */
bool request_ready(const struct request *rq);

/* The same, but wait at most `ms` milliseconds for it. */
bool request_ready_within(const struct request *rq, int ms);

/* Read a small body into the arena. ERR_TOO_LARGE beyond `max` bytes. */
enum err request_read_all(struct request *rq, size_t max,
			  struct span *out) MUST_CHECK;

#endif
