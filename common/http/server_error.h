/* server_error.h - requests that the web server could not serve, and passes to
 * a program for their answer (lighttpd's server.error-handler).
 *
 * The server repeats such a request as a GET without a body, with its own
 * status in REDIRECT_STATUS and the client's URL in REQUEST_URI, at one of these
 * paths, which say where it was (lighttpd/parts/errors.conf):
 *
 *   /.error/request        before a program was asked
 *   /.error/internal       the same, on the internal listener
 *   /.error/program        in a request to a program
 *   /.error/program/head   the same, and it was the HEAD of a resumable upload
 *   /.error/program/body   the same, and it had a body that the server buffers
 *
 * A client cannot imitate that: it may request these paths, but not set
 * REDIRECT_STATUS, which is 200 in every request that the server could serve.
 * In the Authorizer role there is no path, and REDIRECT_URI has it.
 */
#ifndef SERVER_ERROR_H
#define SERVER_ERROR_H

#include "common/http/request.h"

enum server_error_place {
	AT_REQUEST,
	AT_INTERNAL,
	AT_PROGRAM,
	AT_PROGRAM_HEAD,
	AT_PROGRAM_BODY,
};

struct server_error {
	int status; /* the server's: 400 to 599 */
	enum server_error_place place;
	bool authorizer; /* a response of 200 passes the request on */
	/* Over HTTP/2 a body needs no Content-Length (RFC 9113 8.1.1) */
	bool http2;
	bool typed; /* the request has a Content-Type */
};

/* If `rq` is such a request, fill *out, make path, method and query of `rq`
 * those of the client's request as far as they are known, and return true. The
 * method stays GET unless the status is that of a POST without a length. A path
 * that cannot be decoded becomes the empty span. */
bool server_error_read(struct request *rq, struct server_error *out);

/* Whether the client sent a POST without a body, which lighttpd refuses before
 * it looks at the path, because it has no Content-Length. A program can answer
 * it. Over HTTP/1 there is no body without a length (RFC 9112 6.3); over HTTP/2
 * it is taken for one without a body if it has no Content-Type. */
bool server_error_is_empty_post(const struct server_error *e);

#endif
