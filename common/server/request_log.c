#include "common/server/request_log.h"

#include "common/log/log.h"

/* Log the path of a known route, without the secret that may follow its prefix.
 * What a client sends to another address may be a mistyped secret. */
static void log_path(struct log_line *l, const struct program *p,
		     const struct request *rq)
{
	const char *const *secret = p->secret_paths;
	char shown[64];

	if (router_index(&p->router, rq) < 0)
		return;
	while (secret != NULL && *secret != NULL &&
	       !span_has_prefix(rq->path, span_of(*secret)))
		secret++;
	if (secret == NULL || *secret == NULL) {
		log_text(l, "path", rq->path);
		return;
	}
	(void)snprintf(shown, sizeof(shown), "%s\xe2\x80\xa6", *secret);
	log_str(l, "path", shown);
}

void request_log_write(const struct program *p, const struct request *rq,
		       const struct response *rs, enum err e, int64_t us)
{
	/* A quota is the user's limit, and 501 and 505 are the client's fault.
	 * Every other status from 500 on is a fault that the operator must know
	 * of, including a full disk (507) */
	bool ours = rs->status >= 500 && e != ERR_QUOTA &&
		    e != ERR_QUOTA_FILES && rs->status != 501 &&
		    rs->status != 505;
	enum log_level level = ours ? LOG_ERROR : LOG_INFO;
	struct log_line l;

	log_begin(&l, level, "request");
	log_str(&l, "request_id", rq->id);
	log_text(&l, "method", rq->method);
	log_path(&l, p, rq);
	if (rq->authorizer)
		log_str(&l, "role", "authorizer");
	if (rq->authenticated) {
		log_int(&l, "user_id", (int64_t)rq->claims.user_id);
		log_str(&l, "user", rq->claims.email);
	}
	log_int(&l, "status", rs->status);
	log_int(&l, "bytes_in", rq->body_read);
	log_int(&l, "bytes_out", rs->body_sent);
	log_int(&l, "us", us);
	if (e != ERR_OK)
		log_str(&l, "error", err_text(e));
	if (rs->why.text[0] != '\0')
		log_str(&l, "why", rs->why.text);
	log_end(&l);
}

static int route_of(const struct program *p, const struct request *rq)
{
	return rq->authorizer && p->authorize != NULL
		       ? (int)p->router.count
		       : router_index(&p->router, rq);
}

void request_log_count(const struct program *p, const struct service *s,
		       const struct request *rq, const struct response *rs,
		       int64_t us)
{
	const struct metrics_request r = {
		.route = route_of(p, rq),
		.method = rq->method,
		.status = rs->status,
		.us = us,
		.bytes_in = rq->body_read,
		.bytes_out = rs->body_sent,
	};

	metrics_end(s->metrics, &r);
}
