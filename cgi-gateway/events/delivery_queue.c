#include "cgi-gateway/events/delivery_queue.h"

#include "common/log/log.h"

/* --- what goes out ------------------------------------------------------- */

static enum err note_row(void *arg)
{
	struct delivery_queue *l = arg;

	l->page[l->count++] = l->row;
	return ERR_OK;
}

/* The next that may be tried. ERR_NOT_FOUND: none. A page may be read before
 * others of it are claimed by somebody else, but what was first of its file
 * stays so. */
static enum err next_event(struct delivery_queue *l, const struct sender *s,
			   int64_t due, struct event *out, struct errmsg *why)
{
	enum err e = ERR_OK;

	if (l->next == l->count) {
		l->next = l->count = 0;
		e = outbox_due(s->db, l->url, due, &l->row, note_row, l, why);
	}
	if (e != ERR_OK)
		return e;
	if (l->count == 0)
		return ERR_NOT_FOUND;
	*out = l->page[l->next++];
	return ERR_OK;
}

static enum err post(struct attempt *a, const struct sender *s, int64_t now)
{
	char id[32 + WEBHOOK_ID_MAX], timestamp[64];
	char signature[32 + WEBHOOK_SIGNATURES_SIZE];
	struct webhook w;
	struct http_post request = {
		.url = a->lane->url,
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
	e = http_posts_begin(s->posts, &request, a);
	webhook_release(&w);
	return e;
}

static enum err begin(struct delivery_queue *l, const struct sender *s,
		      const struct event *event, int64_t now,
		      struct errmsg *why)
{
	struct attempt *a = l->attempts;
	enum err e;

	while (a->lane != NULL)
		a++;
	a->event = *event;
	e = outbox_claim(s->db, &a->event, now,
			 now + s->timeout + DELIVERY_CLAIM_SPARE, why);
	if (e == ERR_NOT_FOUND) /* another process has it */
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	a->lane = l;
	e = post(a, s, now);
	if (e == ERR_OK)
		l->busy++;
	else
		a->lane = NULL;
	return e;
}

static size_t width(const struct delivery_queue *l, int64_t now)
{
	if (l->away < BREAKER_FAILURES)
		return DELIVERY_WIDTH;
	return now < l->quiet_until ? 0 : 1;
}

enum err delivery_queue_fill(struct delivery_queue *l, const struct sender *s,
			     int64_t due, int64_t now, struct errmsg *why)
{
	struct event event;
	enum err e = ERR_OK;

	while (e == ERR_OK && l->busy < width(l, now)) {
		e = next_event(l, s, due, &event, why);
		if (e == ERR_OK)
			e = begin(l, s, &event, now, why);
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* --- what comes back ----------------------------------------------------- */

static void log_failure(const struct event *e)
{
	struct log_line line;

	log_begin(&line, e->dead_at != 0 ? LOG_ERROR : LOG_WARN,
		  e->dead_at != 0 ? "event-dead" : "event-failed");
	log_str(&line, "receiver", e->receiver);
	log_int(&line, "id", (int64_t)e->id);
	log_str(&line, "kind", e->kind);
	log_str(&line, "file", e->file.id);
	log_int(&line, "attempts", e->attempts);
	log_str(&line, "why", e->why);
	log_end(&line);
}

static enum err settle_failure(struct delivery_queue *l, const struct sender *s,
			       struct event *event,
			       const struct http_response *answer, int64_t now,
			       struct errmsg *cause)
{
	enum err e = outbox_failed(s->db, event, now, answer->retry_after,
				   s->days, answer->why, cause);

	l->failed++;
	if (e != ERR_OK)
		return e;
	if (event->dead_at != 0)
		l->died++;
	log_failure(event);
	return ERR_OK;
}

enum err delivery_queue_settle(const struct sender *s,
			       const struct http_response *answer, int64_t now,
			       struct errmsg *why)
{
	struct attempt *a = answer->who;
	struct delivery_queue *l = a->lane;
	enum err e;

	a->lane = NULL;
	l->busy--;
	l->away = answer->away ? l->away + 1 : 0;
	l->quiet_until = s->stays ? now + BREAKER_PAUSE : INT64_MAX;
	if (answer->taken) {
		l->delivered++;
		e = outbox_delivered(s->db, &a->event, why);
	} else {
		e = settle_failure(l, s, &a->event, answer, now, why);
	}
	/* The claim had run out: what happens to it now is somebody else's */
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}
