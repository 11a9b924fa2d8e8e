/* delivery_queue.h - one receiver's way: what it is being sent, and when not.
 *
 * Each receiver has a lane of its own, with requests of its own under way and
 * pauses of its own, so that none waits for another. The lanes share a
 * `struct sender`, which is what they send with.
 *
 * An event that is refused waits by itself (outbox_failed()), and the others go
 * on, however many are refused. Only when BREAKER_FAILURES requests in a row have
 * found nobody there (struct http_response, `away`), the receiver is left in
 * peace for a time: then one is tried, and if that is answered, all go on. So a
 * receiver that is down costs one request every BREAKER_PAUSE seconds, not one for
 * every file.
 */
#ifndef DELIVERY_QUEUE_H
#define DELIVERY_QUEUE_H

#include "cgi-gateway/events/http_post.h"
#include "cgi-gateway/events/webhook.h"
#include "cgi-gateway/tables/outbox.h"

enum {
	DELIVERY_WIDTH = 4,   /* requests under way to one receiver */
	BREAKER_FAILURES = 8, /* requests in a row */
	BREAKER_PAUSE = 30,   /* seconds */
	DELIVERY_CLAIM_SPARE =
		30 /* seconds that a claim outlives its request */
};

struct sender {
	struct db *db;
	int64_t timeout; /* seconds of one request */
	int64_t days;	 /* after which an event is given up */
	struct webhook_keys keys;
	struct http_posts *posts;
	bool stays; /* what is left in peace is tried again; else not */
};

/* A request under way */
struct attempt {
	struct delivery_queue *lane; /* NULL: none is */
	struct event event;
};

struct delivery_queue {
	const char *url;
	struct event row, page[OUTBOX_PAGE]; /* what may be tried next */
	size_t next, count;
	struct attempt attempts[DELIVERY_WIDTH];
	size_t busy;	     /* of these */
	int64_t away;	     /* requests in a row */
	int64_t quiet_until; /* when these are BREAKER_FAILURES */
	int64_t delivered, failed, died;
};

/* Begin as many requests as there is room for, of what was due at `due`. */
enum err delivery_queue_fill(struct delivery_queue *l, const struct sender *s,
			     int64_t due, int64_t now,
			     struct errmsg *why) MUST_CHECK;

/* A request of http_posts_begin() has ended: write that down, and a line in the log
 * if it failed. */
enum err delivery_queue_settle(const struct sender *s,
			       const struct http_response *answer, int64_t now,
			       struct errmsg *why) MUST_CHECK;

#endif
