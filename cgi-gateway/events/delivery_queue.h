/* delivery_queue.h - delivers events to one webhook target.
 *
 * Each target has a queue with its own requests and circuit breaker, so that no
 * target waits for another. The queues share a `struct delivery_shared`.
 *
 * A refused event is due again later (outbox_failed()), and the other events of
 * the target are still sent, however many are refused. The breaker opens only
 * after BREAKER_FAILURES requests in a row that found the target unavailable
 * (struct http_post_response). Every BREAKER_PAUSE seconds an open breaker
 * allows one request; if the target responds, the breaker closes. So a target
 * that is down costs one request every BREAKER_PAUSE seconds instead of one per
 * file.
 */
#ifndef DELIVERY_QUEUE_H
#define DELIVERY_QUEUE_H

#include "cgi-gateway/events/http_post.h"
#include "cgi-gateway/events/webhook.h"
#include "cgi-gateway/tables/outbox.h"

enum {
	DELIVERY_WIDTH = 4,   /* concurrent requests to one target */
	BREAKER_FAILURES = 8, /* requests in a row */
	BREAKER_PAUSE = 30,   /* seconds */
	/* seconds that a claim outlives its request */
	DELIVERY_CLAIM_SPARE = 30,
};

struct delivery_shared {
	struct db *db;
	int64_t timeout; /* seconds of one request */
	int64_t days;	 /* after which an event is given up */
	struct webhook_keys keys;
	struct http_post_client *http;
	bool follow; /* false: an open breaker remains open */
};

/* A request in progress */
struct delivery_attempt {
	struct delivery_queue *queue; /* NULL: this place is free */
	struct event event;
};

struct delivery_queue {
	const char *url;
	struct event row, page[OUTBOX_PAGE]; /* events to try next */
	size_t next, count;
	struct delivery_attempt attempts[DELIVERY_WIDTH];
	size_t busy;	     /* of these */
	int64_t unavailable; /* requests in a row */
	int64_t open_until;  /* of an open breaker: no request before */
	int64_t delivered, failed, given_up;
};

/* Start as many requests as the queue allows, with events that were due at
 * `due`. */
enum err delivery_queue_send(struct delivery_queue *q,
			     const struct delivery_shared *s, int64_t due,
			     int64_t now, struct errmsg *why) MUST_CHECK;

/* Record the result of a request that delivery_queue_send() started in the
 * outbox, and a failure in the log. */
enum err delivery_queue_finish(const struct delivery_shared *s,
			       const struct http_post_response *response,
			       int64_t now, struct errmsg *why) MUST_CHECK;

#endif
