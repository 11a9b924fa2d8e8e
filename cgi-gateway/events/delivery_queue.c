#include "cgi-gateway/events/delivery_queue.h"

#include "common/log/log.h"

/* --- sending -------------------------------------------------------------- */

static enum err add_to_page(void *arg)
{
	struct delivery_queue *q = arg;

	q->page[q->count++] = q->row;
	return ERR_OK;
}

/* Find the next event to try. ERR_NOT_FOUND: there is none. Another process may
 * claim events after the page was read, but the first event of a file remains
 * the first. */
static enum err next_event(struct delivery_queue *q,
			   const struct delivery_shared *s, int64_t due,
			   struct event *out, struct errmsg *why)
{
	enum err e = ERR_OK;

	if (q->next == q->count) {
		q->next = q->count = 0;
		e = outbox_due(s->db, q->url, due, &q->row, add_to_page, q,
			       why);
	}
	if (e != ERR_OK)
		return e;
	if (q->count == 0)
		return ERR_NOT_FOUND;
	*out = q->page[q->next++];
	return ERR_OK;
}

static enum err post(struct delivery_attempt *a,
		     const struct delivery_shared *s, int64_t now)
{
	char id[32 + WEBHOOK_ID_MAX], timestamp[64];
	char signature[32 + WEBHOOK_SIGNATURES_SIZE];
	struct webhook w;
	struct http_post_request request = {
		.url = a->queue->url,
		.headers = { "Content-Type: application/json", id, timestamp,
			     signature, NULL },
	};
	enum err e = webhook_make(&s->keys, &a->event, now, &w);

	if (e != ERR_OK)
		return e;
	(void)snprintf(id, sizeof(id), "webhook-id: %s", w.id);
	(void)snprintf(timestamp, sizeof(timestamp), "webhook-timestamp: %s",
		       w.timestamp);
	(void)snprintf(signature, sizeof(signature), "webhook-signature: %s",
		       w.signature);
	request.body = webhook_body(&w);
	e = http_post_begin(s->http, &request, a);
	webhook_release(&w);
	return e;
}

static enum err begin_request(struct delivery_queue *q,
			      const struct delivery_shared *s,
			      const struct event *event, int64_t now,
			      struct errmsg *why)
{
	struct delivery_attempt *a = q->attempts;
	enum err e;

	while (a->queue != NULL)
		a++;
	a->event = *event;
	e = outbox_claim(s->db, &a->event, now,
			 now + s->timeout + DELIVERY_CLAIM_SPARE, why);
	if (e == ERR_NOT_FOUND) /* another process has claimed it */
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	a->queue = q;
	e = post(a, s, now);
	if (e == ERR_OK)
		q->busy++;
	else
		a->queue = NULL;
	return e;
}

/* Return how many requests the breaker allows */
static size_t width(const struct delivery_queue *q, int64_t now)
{
	if (q->unavailable < BREAKER_FAILURES)
		return DELIVERY_WIDTH;
	return now < q->open_until ? 0 : 1;
}

enum err delivery_queue_send(struct delivery_queue *q,
			     const struct delivery_shared *s, int64_t due,
			     int64_t now, struct errmsg *why)
{
	struct event event;
	enum err e = ERR_OK;

	while (e == ERR_OK && q->busy < width(q, now)) {
		e = next_event(q, s, due, &event, why);
		if (e == ERR_OK)
			e = begin_request(q, s, &event, now, why);
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* --- recording the result ------------------------------------------------- */

static void log_failure(const struct event *e)
{
	struct log_line line;

	log_begin(&line, e->dead_at != 0 ? LOG_ERROR : LOG_WARN,
		  e->dead_at != 0 ? "event-dead" : "event-failed");
	log_str(&line, "receiver", e->target);
	log_int(&line, "id", (int64_t)e->id);
	log_str(&line, "kind", e->kind);
	log_str(&line, "file", e->file.id);
	log_int(&line, "attempts", e->attempts);
	log_str(&line, "why", e->why);
	log_end(&line);
}

static enum err record_failure(struct delivery_queue *q,
			       const struct delivery_shared *s,
			       struct event *event,
			       const struct http_post_response *response,
			       int64_t now, struct errmsg *why)
{
	enum err e = outbox_failed(s->db, event, now, response->retry_after,
				   s->days, response->why, why);

	q->failed++;
	if (e != ERR_OK)
		return e;
	if (event->dead_at != 0)
		q->given_up++;
	log_failure(event);
	return ERR_OK;
}

enum err delivery_queue_finish(const struct delivery_shared *s,
			       const struct http_post_response *response,
			       int64_t now, struct errmsg *why)
{
	struct delivery_attempt *a = response->context;
	struct delivery_queue *q = a->queue;
	enum err e;

	a->queue = NULL;
	q->busy--;
	q->unavailable = response->unavailable ? q->unavailable + 1 : 0;
	q->open_until = s->follow ? now + BREAKER_PAUSE : INT64_MAX;
	if (response->accepted) {
		q->delivered++;
		e = outbox_delivered(s->db, &a->event, why);
	} else {
		e = record_failure(q, s, &a->event, response, now, why);
	}
	/* The claim has expired, and another process may have claimed the event
	 */
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}
