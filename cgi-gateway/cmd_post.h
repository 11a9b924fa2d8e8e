/* cmd_post.h - HTTP requests on their way out, several at a time, in one thread
 * (libcurl's multi interface).
 *
 * Each has one time limit for all of it. No redirect is followed, no proxy of
 * the environment is asked, no more of an answer is read than POST_ANSWER_MAX,
 * and none of it is kept. Connections are used again.
 *
 *	posts_begin(p, &post, who)	any number of times
 *	posts_wait(p, ms)		until something may have ended
 *	posts_ended(p, &answer)		one after the other
 */
#ifndef CMD_POST_H
#define CMD_POST_H

#include "err.h"
#include "span.h"

enum {
	POST_HEADERS_MAX = 4,	     /* of a request, beside libcurl's own */
	POST_ANSWER_MAX = 64 * 1024, /* bytes of head and of body */
	POST_WHY_MAX = 200,	     /* bytes, ASCII */
};

struct posts;

struct post {
	const char *url;
	struct span body; /* copied */
	/* "name: value", copied; NULL behind the last */
	const char *headers[POST_HEADERS_MAX + 1];
};

struct post_answer {
	void *who;  /* as it was given to posts_begin() */
	bool taken; /* the status is 200 to 299 */
	bool away;  /* no answer, or 429, 502, 503, 504: nobody is there now */
	int64_t retry_after;	    /* seconds that were asked for; or 0 */
	char why[POST_WHY_MAX + 1]; /* what went wrong; or "" */
};

/* `timeout` is in seconds. Certificates of https are checked against those in
 * the file `ca`, or the system's where that is ""; it is borrowed. Once in a
 * process at a time. ERR_MEMORY. */
enum err posts_open(int64_t timeout, const char *ca,
		    struct posts **out) MUST_CHECK;

/* Breaks off what is under way. NULL is fine. */
void posts_close(struct posts *p);

enum err posts_begin(struct posts *p, const struct post *what,
		     void *who) MUST_CHECK;

/* Go on with all of them; returns after `ms` at the latest, sooner when there
 * was something to do or a signal came. */
void posts_wait(struct posts *p, int ms);

/* One that has ended; false: none has. */
bool posts_ended(struct posts *p, struct post_answer *out);

#endif
