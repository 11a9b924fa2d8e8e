#include "common/server/dispatch.h"

#include "common/access/bearer.h"
#include "common/access/session_check.h"
#include "common/http/cors.h"
#include "common/http/problem.h"
#include "common/log/log.h"

#include <time.h>

static int64_t clock_us(clockid_t which)
{
	struct timespec t;

	(void)clock_gettime(which, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t clock_seconds(void)
{
	return clock_us(CLOCK_REALTIME) / 1000000;
}

/* If the keyring cannot be read, the old keys stay in use: log it, so that the
 * operator mends it before they retire */
static void log_keyring_fault(const struct service *s)
{
	struct errmsg why;

	if (keyring_file_fault(s->keys, &why))
		log_event(LOG_ERROR, "keyring", why.text);
}

/* Check the token itself, without the database */
static enum err check_token(const struct service *s, const struct route *route,
			    struct request *rq, struct response *rs)
{
	enum err e;

	log_keyring_fault(s);
	e = bearer_check(rq, s->keys, &s->rules, route->scope);
	if (e == ERR_SCOPE)
		return response_explain(
			rs, e,
			"This request requires the scope \"%s\"; "
			"the token has \"%s\".",
			route->scope, rq->claims.scope);
	return e;
}

/* The only place where a request's token and session are checked */
static enum err handle_with_token(const struct program *p,
				  const struct service *s,
				  const struct route *route, struct request *rq,
				  struct response *rs)
{
	struct session_check session;
	enum err e = check_token(s, route, rq, rs);

	if (e != ERR_OK)
		return e;
	db_act_for(rq->claims.user_id); /* 0 until an API token is looked up */
	session_check_init(&session, rq, route->scope);
	rq->session = &session;
	e = session_check_before(s->db, route, &session, rs);
	if (e == ERR_OK)
		e = route->handle(p->app, rq, rs);
	rq->session = NULL;
	/* The token was genuine, so its session is not valid */
	if (e == ERR_BAD_TOKEN)
		return response_explain(rs, e, "%s",
					rq->bearer_id.api
						? "This API token was revoked, "
						  "has expired or never "
						  "existed. Create another."
						: "The session of this token "
						  "has ended. Log in again.");
	return e;
}

static enum err dispatch(const struct program *p, const struct service *s,
			 struct request *rq, struct response *rs)
{
	const struct route *route;
	enum err e;

	if (rq->authorizer && p->authorize == NULL)
		return err_set(&rs->why, ERR_CONFIG,
			       "%s cannot be an authorizer", p->name);
	if (rq->authorizer)
		return p->authorize(p->app, rq, rs);
	if (p->arrive != NULL)
		p->arrive(p->app, rq, rs);
	if (span_eq(rq->method, SPAN("OPTIONS")))
		return cors_options(s->settings.cors_origins, &p->router, rq,
				    rs);
	(void)cors_allow(s->settings.cors_origins, rq, rs);
	e = router_find(&p->router, rq, rs, &route);
	if (e != ERR_OK)
		return e;
	if (route->scope == NULL)
		return route->handle(p->app, rq, rs);
	return handle_with_token(p, s, route, rq, rs);
}

static void log_path(struct log_line *l, const struct program *p,
		     struct span path)
{
	const char *const *secret = p->secret_paths;
	char shown[64];

	while (secret != NULL && *secret != NULL &&
	       !span_has_prefix(path, span_of(*secret)))
		secret++;
	if (secret == NULL || *secret == NULL) {
		log_text(l, "path", path);
		return;
	}
	(void)snprintf(shown, sizeof(shown), "%s\xe2\x80\xa6", *secret);
	log_str(l, "path", shown);
}

static void log_request(const struct program *p, const struct request *rq,
			const struct response *rs, enum err e, int64_t us)
{
	/* A quota is the user's limit. Every other status from 500 on is a
	 * fault that the operator must know of, including a full disk (507) */
	enum log_level level =
		rs->status >= 500 && e != ERR_QUOTA ? LOG_ERROR : LOG_INFO;
	struct log_line l;

	log_begin(&l, level, "request");
	log_str(&l, "request_id", rq->id);
	log_text(&l, "method", rq->method);
	log_path(&l, p, rq->path);
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

/* Called before the client can have the whole answer, so that a request for the
 * metrics after it includes this one */
static void count_request(const struct program *p, const struct service *s,
			  const struct request *rq, const struct response *rs,
			  int64_t us)
{
	const struct metrics_request r = {
		.route = rq->authorizer ? (int)p->router.count
					: router_index(&p->router, rq),
		.method = rq->method,
		.status = rs->status,
		.us = us,
		.bytes_in = rq->body_read,
		.bytes_out = rs->body_sent,
	};

	metrics_end(s->metrics, &r);
}

void dispatch_run(const struct program *p, const struct service *s,
		  struct transport *t, struct arena *arena)
{
	int64_t begun = clock_us(CLOCK_MONOTONIC);
	struct request rq;
	struct response rs;
	enum err e, sent = ERR_OK;

	metrics_begin(s->metrics);
	db_act_for(0);
	e = request_init(&rq, t, arena, p->name,
			 clock_us(CLOCK_REALTIME) / 1000);
	rq.clock = clock_seconds;
	response_init(&rs, t, rq.head);
	response_header_str(&rs, "X-Request-ID", rq.id);
	response_keep(&rs);
	if (e == ERR_OK)
		e = dispatch(p, s, &rq, &rs);
	if (e != ERR_OK && !rs.started)
		sent = problem_answer(&rq, &rs, e);
	count_request(p, s, &rq, &rs, clock_us(CLOCK_MONOTONIC) - begun);
	if (sent == ERR_OK)
		sent = t->ops->finish(t);
	else
		(void)t->ops->finish(t);
	log_request(p, &rq, &rs, e != ERR_OK ? e : sent,
		    clock_us(CLOCK_MONOTONIC) - begun);
	response_release(&rs);
	arena_reset(arena);
}
