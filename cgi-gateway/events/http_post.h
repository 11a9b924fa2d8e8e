/* http_post.h - a client for several HTTP POST requests at a time, in one
 * thread (libcurl's multi interface).
 *
 * Each request has one time limit for everything. Redirects are not followed,
 * and proxies in the environment are not used. At most HTTP_POST_RESPONSE_MAX
 * of a response is read, and only the status is kept. Connections are reused.
 *
 *	http_post_begin(c, &request, context)	any number of times
 *	http_post_wait(c, ms)			until a request may have ended
 *	http_post_next(c, &response)		for each that has ended
 */
#ifndef HTTP_POST_H
#define HTTP_POST_H

#include "common/base/err.h"
#include "common/base/span.h"

enum {
	HTTP_POST_HEADERS_MAX = 4, /* of a request, in addition to libcurl's */
	HTTP_POST_RESPONSE_MAX = 64 * 1024, /* bytes of header and of body */
	HTTP_POST_WHY_MAX = 200,	    /* bytes, ASCII */
};

struct http_post_client;

struct http_post_request {
	const char *url;
	struct span body; /* copied */
	/* "name: value", copied; NULL after the last */
	const char *headers[HTTP_POST_HEADERS_MAX + 1];
};

struct http_post_response {
	void *context;	     /* as given to http_post_begin() */
	bool accepted;	     /* the status is 200 to 299 */
	bool unavailable;    /* no response, or 429, 502, 503 or 504 */
	int64_t retry_after; /* seconds requested by the server, or 0 */
	char why[HTTP_POST_WHY_MAX + 1]; /* what went wrong; or "" */
};

/* Open a client; `timeout` is in seconds. https certificates are checked
 * against those in the file `ca` (borrowed), or the system's if it is "". A
 * process may have only one client open. ERR_MEMORY. */
enum err http_post_open(int64_t timeout, const char *ca,
			struct http_post_client **out) MUST_CHECK;

/* Abort the requests in progress and close. NULL is fine. */
void http_post_close(struct http_post_client *c);

/* ERR_MEMORY. */
enum err http_post_begin(struct http_post_client *c,
			 const struct http_post_request *request,
			 void *context) MUST_CHECK;

/* Send and receive for all requests. Returns after `ms` at the latest, earlier
 * if there was something to do or a signal arrived. */
void http_post_wait(struct http_post_client *c, int ms);

/* Take the response of a request that has ended; false if there is none. */
bool http_post_next(struct http_post_client *c, struct http_post_response *out);

#endif
