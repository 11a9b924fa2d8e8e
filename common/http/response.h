/* response.h - one response: status, then headers, then body, in that order.
 *
 * Header lines are collected in memory until the first byte of the body, so
 * that a failure before it can still be answered with a problem. A header value
 * with a control character is never sent: the first write returns ERR_IO, and
 * the response becomes a 500. A HEAD request and the statuses without a body
 * (RFC 9110 6.4.1) get no body, whatever is written.
 */
#ifndef RESPONSE_H
#define RESPONSE_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/span.h"
#include "common/codec/json_list.h"
#include "common/http/transport.h"

enum {
	RESPONSE_HEAD_MAX = 16 * 1024, /* bytes of all header lines */
};

struct response {
	struct transport *transport; /* borrowed */
	int status;		     /* 200 by default */
	bool head_only;		     /* the request was HEAD */
	bool started;		     /* the header lines were sent */
	bool never_200;	     /* a body with 200 becomes a 204 without it */
	int64_t body_sent;   /* bytes of the body so far */
	struct buf head;     /* header lines so far */
	size_t head_kept;    /* of these, bytes that response_restart keeps */
	const char *cache;   /* Cache-Control; "no-store" by default */
	int64_t retry_after; /* seconds; Retry-After of an ERR_LIMITED */
	char detail[256];    /* for the client, see response_explain() */
	struct errmsg why;   /* for the log alone */
};

void response_init(struct response *rs, struct transport *t, bool head_only);
void response_release(struct response *rs);

void response_status(struct response *rs, int status);
void response_header(struct response *rs, const char *name, struct span value);
void response_header_str(struct response *rs, const char *name,
			 const char *value);
void response_header_int(struct response *rs, const char *name, int64_t n);

/* Set Cache-Control; `value` is a literal. */
void response_cache(struct response *rs, const char *value);

/* Send bytes of the body; the first call sends the header lines. ERR_CLOSED if
 * the client has closed the connection; ERR_IO, with nothing sent, if a header
 * cannot be sent. */
enum err response_write(struct response *rs, struct span bytes) MUST_CHECK;

/* Send a whole response: Content-Type, Content-Length, body. */
enum err response_body(struct response *rs, int status, const char *type,
		       struct span body) MUST_CHECK;
/* The same with a newline after `text`, so that a terminal's prompt does not
 * follow it. */
enum err response_line(struct response *rs, int status, const char *type,
		       struct span text) MUST_CHECK;
enum err response_json(struct response *rs, int status,
		       struct json_object *o) MUST_CHECK;
/* End the list with `members` (json_list.h), and send it with 200. */
enum err response_list(struct response *rs, struct json_list *l,
		       const char *members) MUST_CHECK;
/* Send a response without a body: 204, 304, or one whose body X-Sendfile
 * supplies. */
enum err response_empty(struct response *rs, int status) MUST_CHECK;

/* Send a local redirect (RFC 3875 6.2.2) in place of a response: the server then
 * answers the request as if it were for `path` and `rest`, which are literals.
 * CGI alone. */
enum err response_redirect(struct response *rs, const char *path,
			   const char *rest) MUST_CHECK;

/* Drop the status and all headers except those marked by response_keep(), for
 * the problem that replaces a response. */
void response_restart(struct response *rs);
void response_keep(struct response *rs);

/* Leave a sentence for the client (what was wrong, which limit, what to do)
 * and return `e`, so that a handler ends with
 *
 *	return response_explain(rs, ERR_TOO_LARGE, "The name is longer ...");
 */
enum err response_explain(struct response *rs, enum err e, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

#endif
