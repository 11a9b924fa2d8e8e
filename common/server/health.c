#include "common/server/health.h"

static enum err answer_status(struct response *rs, const char *status)
{
	struct json_object *o = json_object_new_object();
	enum err e;

	if (o == NULL)
		return ERR_MEMORY;
	json_set_str(o, "status", status);
	e = response_json(rs, 200, o);
	json_object_put(o);
	return e;
}

enum err health_alive(void *app, struct request *rq, struct response *rs)
{
	(void)app;
	(void)rq;
	return answer_status(rs, "ok");
}

enum err health_ready(struct db *db, struct response *rs)
{
	enum err e = db_ping(db, &rs->why);

	return e == ERR_OK ? answer_status(rs, "ready") : ERR_UNAVAILABLE;
}

enum err health_metrics(const struct metrics *m, struct response *rs)
{
	struct buf text;
	enum err e;

	buf_init(&text, METRICS_TEXT_MAX);
	metrics_write(m, &text);
	e = buf_error(&text);
	if (e == ERR_OK)
		e = response_body(rs, 200,
				  "text/plain; version=0.0.4; charset=utf-8",
				  buf_span(&text));
	else
		e = err_set(&rs->why, ERR_IO, "the metrics are over %d bytes",
			    METRICS_TEXT_MAX);
	buf_release(&text);
	return e;
}
