#include "cgi-gateway/download/send_counted.h"

#include "common/base/worker_wait.h"
#include "common/http/pace.h"
#include "common/log/log.h"

#include <time.h>

enum {
	SEND_COUNTED_PAUSE = 50, /* milliseconds between looks at the link */
	SEND_COUNTED_PAUSES = 40,
};

static bool sends_bytes(const struct send_file *s, const struct request *rq)
{
	return !rq->head &&
	       (s->kind == SEND_FILE_WHOLE || s->kind == SEND_FILE_RANGE);
}

static void log_not_ended(const struct request *rq, const struct link *l,
			  const struct errmsg *cause)
{
	struct log_line line;

	log_begin(&line, LOG_WARN, "link-charge");
	log_str(&line, "request_id", rq->id);
	log_str(&line, "link", l->id);
	log_str(&line, "detail",
		"the bytes that this request did not send stay counted, so the "
		"download may not be resumable");
	log_str(&line, "why", cause->text);
	log_end(&line);
}

/* How many bytes of the response the client did not get. The last read counts
 * as sent, although the connection broke in it: otherwise every break would be
 * worth some bytes. */
static int64_t unsent(const struct send_file *s, const struct response *rs)
{
	int64_t n = s->range.length - rs->body_sent;

	if (rs->started)
		n -= SEND_FILE_READ;
	return n > 0 ? n : 0;
}

static void wait_a_little(void)
{
	const struct timespec t = { .tv_nsec = SEND_COUNTED_PAUSE * 1000000L };

	worker_wait_begin();
	(void)nanosleep(&t, NULL);
	worker_wait_end();
}

/* Charge the request. A client that breaks one connection and asks for the rest
 * on another is often faster than the end of the first: wait for it. */
static enum err charge(const struct link *l, const struct link_charge *c,
		       bool waits, struct app *app, const struct request *rq,
		       struct response *rs)
{
	struct link now = *l;
	struct file f;
	enum err e = links_charge(app->db, l, c, rq->now, &rs->why);

	for (int i = 0; e == ERR_GONE && i < SEND_COUNTED_PAUSES; i++) {
		e = links_find(app->db, rq->param, rq->now, &now, &f, &rs->why);
		if (e != ERR_OK)
			return e;
		if (!waits || !link_charge_may_fit(&now, c, rq->now))
			return ERR_GONE;
		wait_a_little();
		e = links_charge(app->db, l, c, rq->now, &rs->why);
	}
	if (e == ERR_GONE && waits && link_charge_may_fit(&now, c, rq->now))
		return response_explain(rs, ERR_UNAVAILABLE,
					"The file is being sent to another "
					"request of the same download. Try "
					"again when that has ended.");
	return e;
}

static enum err stream_charged(const struct send_file *s, const struct link *l,
			       struct app *app, struct request *rq,
			       struct response *rs)
{
	const struct link_charge c = { s->file->size, s->range.length, true };
	struct errmsg cause = { "" };
	enum err e = charge(l, &c, s->range.first > 0, app, rq, rs);

	if (e != ERR_OK)
		return e;
	/* nginx would take in the whole response faster than its client */
	if (app->by_address)
		response_header_str(rs, "X-Accel-Buffering", "no");
	e = send_file_stream(s, app, rq, rs);
	if (links_end_charge(app->db, l, &c, e == ERR_OK ? 0 : unsent(s, rs),
			     &cause) != ERR_OK)
		log_not_ended(rq, l, &cause);
	return e;
}

/* Each of these takes as long as its client does. If as many requests do as may,
 * the server in front sends a whole file: then nothing can be given back. */
static enum err send_limited(const struct send_file *s, const struct link *l,
			     struct app *app, struct request *rq,
			     struct response *rs)
{
	const struct link_charge closed = { s->file->size, s->range.length,
					    false };
	enum err e = worker_pace();

	if (e == ERR_OK)
		return stream_charged(s, l, app, rq, rs);
	if (!app->by_server || s->kind != SEND_FILE_WHOLE ||
	    request_header(rq, "Range").len > 0)
		return pace_explain(rs, e);
	e = charge(l, &closed, false, app, rq, rs);
	return e == ERR_OK ? send_file_respond(s, app, rq, rs) : e;
}

enum err send_counted(const struct send_file *s, const struct link *l,
		      struct app *app, struct request *rq, struct response *rs)
{
	enum err e = ERR_OK;

	if (!sends_bytes(s, rq)) {
		if (!link_has_left(l, rq->now))
			return ERR_GONE;
		return rq->head && s->kind == SEND_FILE_WHOLE
			       ? send_file_respond(s, app, rq, rs)
			       : send_file_stream(s, app, rq, rs);
	}
	if (l->max_downloads != LINK_NO_LIMIT)
		return send_limited(s, l, app, rq, rs);
	/* Players of a link without a limit seek often: only a range with the
	 * first byte is worth a statement */
	if (s->range.first == 0)
		e = links_charge(app->db, l,
				 &(struct link_charge) { s->file->size,
							 s->range.length,
							 false },
				 rq->now, &rs->why);
	return e == ERR_OK ? send_file_respond(s, app, rq, rs) : e;
}
