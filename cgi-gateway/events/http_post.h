/* http_post.h - HTTP requests on their way out, several at a time, in one thread
 * (libcurl's multi interface).
 *
 * Each has one time limit for all of it. No redirect is followed, no proxy of
 * the environment is asked, no more of an answer is read than HTTP_POST_ANSWER_MAX,
 * and none of it is kept. Connections are used again.
 *
 *	http_posts_begin(p, &post, who)	any number of times
 *	http_posts_wait(p, ms)		until something may have ended
 *	http_posts_ended(p, &answer)		one after the other
 */
#ifndef HTTP_POST_H
#define HTTP_POST_H

#include "common/base/err.h"
#include "common/base/span.h"

enum {
	HTTP_POST_HEADERS_MAX = 4, /* of a request, beside libcurl's own */
	HTTP_POST_ANSWER_MAX = 64 * 1024, /* bytes of head and of body */
	HTTP_POST_WHY_MAX = 200,	  /* bytes, ASCII */
};

struct http_posts;

struct http_post {
	const char *url;
	struct span body; /* copied */
	/* "name: value", copied; NULL behind the last */
	const char *headers[HTTP_POST_HEADERS_MAX + 1];
};

struct http_response {
	void *who;  /* as it was given to http_posts_begin() */
	bool taken; /* the status is 200 to 299 */
	bool away;  /* no answer, or 429, 502, 503, 504: nobody is there now */
	int64_t retry_after;		 /* seconds that were asked for; or 0 */
	char why[HTTP_POST_WHY_MAX + 1]; /* what went wrong; or "" */
};

/* `timeout` is in seconds. Certificates of https are checked against those in
 * the file `ca`, or the system's where that is ""; it is borrowed. Once in a
 * process at a time. ERR_MEMORY. */
enum err http_posts_open(int64_t timeout, const char *ca,
			 struct http_posts **out) MUST_CHECK;

/* Breaks off what is under way. NULL is fine. */
void http_posts_close(struct http_posts *p);

enum err http_posts_begin(struct http_posts *p, const struct http_post *what,
			  void *who) MUST_CHECK;

/* Go on with all of them; returns after `ms` at the latest, sooner when there
 * was something to do or a signal came. */
void http_posts_wait(struct http_posts *p, int ms);

/* One that has ended; false: none has. */
bool http_posts_ended(struct http_posts *p, struct http_response *out);

#endif
