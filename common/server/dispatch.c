#include "common/server/dispatch.h"

#include "common/access/bearer.h"
#include "common/access/session_check.h"
#include "common/base/clock.h"
#include "common/db/db_known.h"
#include "common/http/body.h"
#include "common/http/client.h"
#include "common/http/cors.h"
#include "common/http/problem.h"
#include "common/http/route_input.h"
#include "common/log/log.h"
#include "common/server/request_log.h"

enum {
	SMALL_BODY = 4096, /* bytes */
};

static int64_t clock_seconds(void)
{
	return clock_real_us() / 1000000;
}

/* If the keyring cannot be read, the old keys stay in use: log it, so that the
 * operator mends it before they retire. Also if nothing can be remembered, and
 * the database is asked each time. */
static void log_faults(const struct service *s)
{
	struct errmsg why;

	if (db_known_fault(s->db, &why))
		log_event(LOG_WARN, "changes", why.text);
	if (keyring_file_fault(s->keys, &why))
		log_event(LOG_ERROR, "keyring", why.text);
}

/* Check the token itself, without the database */
static enum err check_token(const struct service *s, const struct route *route,
			    struct request *rq, struct response *rs)
{
	enum err e;

	log_faults(s);
	e = bearer_check(rq, s->keys, &s->rules, route->scope);
	if (e == ERR_SCOPE)
		return response_explain(
			rs, e,
			"This request requires the scope \"%s\"; "
			"the token has \"%s\".",
			route->scope, rq->claims.scope);
	return bearer_explain(rq, rs, e);
}

/* Check the conditions of a change to a resource without an ETag (RFC 9110
 * 13.1.1 and 13.1.2): a listed tag matches nothing. PUT creates a resource, so
 * not even "*" does; what DELETE and PATCH change exists, unless it is 404. */
static enum err check_conditions(const struct route *route,
				 const struct request *rq, struct response *rs)
{
	struct span match = span_trim(request_header(rq, "If-Match"));
	struct span none = span_trim(request_header(rq, "If-None-Match"));
	bool puts = span_eq(rq->method, SPAN("PUT"));
	bool changes = puts || span_eq(rq->method, SPAN("DELETE")) ||
		       span_eq(rq->method, SPAN("PATCH"));

	if (!changes || (route->session & HAS_ETAG) != 0)
		return ERR_OK;
	if (match.len > 0 && (puts || !span_eq(match, SPAN("*"))))
		return response_explain(rs, ERR_CONDITION,
					"There is no ETag at this address that "
					"If-Match could match. Send the "
					"request without it.");
	if (!puts && span_eq(none, SPAN("*")))
		return response_explain(rs, ERR_CONDITION,
					"If-None-Match: * allows the request "
					"only if nothing is at this address.");
	return ERR_OK;
}

static enum err handle(const struct program *p, const struct route *route,
		       struct request *rq, struct response *rs)
{
	enum err e = ERR_OK;

	if (p->check_query != NULL && (route->session & ASKED_FIRST) != 0)
		e = p->check_query(rq, rs);
	if (e == ERR_OK)
		e = route_input_check(route, rq, rs);
	if (e == ERR_OK)
		e = check_conditions(route, rq, rs);
	return e == ERR_OK ? route->handle(p->app, rq, rs) : e;
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
	/* 0 until an API token is looked up. What an authorizer asks is short,
	 * and many uploads of a user may begin at once. */
	db_act_for(rq->authorizer ? 0 : rq->claims.user_id);
	session_check_init(&session, rq, route->scope);
	rq->session = &session;
	e = session_check_before(s->db, route, &session, rs);
	if (e == ERR_OK)
		e = handle(p, route, rq, rs);
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

static enum err check_and_handle(const struct program *p,
				 const struct service *s,
				 const struct route *route, struct request *rq,
				 struct response *rs)
{
	return route->scope == NULL ? handle(p, route, rq, rs)
				    : handle_with_token(p, s, route, rq, rs);
}

static enum err route_request(const struct program *p, const struct service *s,
			      struct request *rq, struct response *rs)
{
	const struct route *route;
	enum err e;

	router_drop_slash(&p->router, rq);
	if (p->arrive != NULL)
		p->arrive(p->app, rq, rs);
	if (span_eq(rq->method, SPAN("OPTIONS")))
		return cors_options(s->settings.cors_origins, &p->router, rq,
				    rs);
	(void)cors_allow(s->settings.cors_origins, rq, rs);
	e = router_find(&p->router, rq, rs, &route);
	if (e == ERR_OK)
		e = body_check_coding(rq, rs);
	return e == ERR_OK ? check_and_handle(p, s, route, rq, rs) : e;
}

/* Let the server receive the body. It passes these variables to the program
 * with the request, and no header of this response to the client. */
static enum err permit(const struct request *rq, struct response *rs)
{
	response_header_int(rs, "Variable-ADMITTED_AT", rq->now);
	response_header_str(rs, "Variable-ADMISSION_REQUEST_ID", rq->id);
	if (rq->admission[0] != '\0')
		response_header_str(rs, "Variable-ADMISSION", rq->admission);
	return response_empty(rs, 200);
}

/* Call the handler of a route that is asked first. It checks the session of any
 * token in its statement. */
static enum err ask_handler(const struct program *p, const struct service *s,
			    const struct route *route, struct request *rq,
			    struct response *rs)
{
	struct route asked = *route;

	asked.session &= ~(unsigned)SESSION_WHEN;
	asked.session |= SESSION_IN_STATEMENT;
	return check_and_handle(p, s, &asked, rq, rs);
}

/* Decide whether the server may receive the body of a request. A refusal is the
 * response that the request itself would get. */
static enum err admit(const struct program *p, const struct service *s,
		      struct request *rq, struct response *rs)
{
	const struct route *route = NULL;
	enum err e = ERR_OK;

	router_drop_slash(&p->router, rq);
	if (!span_eq(rq->method, SPAN("OPTIONS"))) {
		(void)cors_allow(s->settings.cors_origins, rq, rs);
		e = router_find(&p->router, rq, rs, &route);
	}
	if (e == ERR_OK)
		e = body_check_coding(rq, rs);
	if (e == ERR_OK && route != NULL && (route->session & ASKED_FIRST) != 0)
		e = ask_handler(p, s, route, rq, rs);
	else if (e == ERR_OK && rq->content_length > PROGRAM_BODY_MAX)
		e = ERR_TOO_LARGE;
	if (e != ERR_OK)
		return rq->status_only ? ERR_FORBIDDEN : e;
	return permit(rq, rs);
}

/* Let the next program answer: lighttpd asks it after a permission in the
 * Authorizer role, or, from plain CGI, after a local redirect (RFC 3875 6.2.2),
 * which has this one field and no status */
static enum err ask_next(const struct program *p, const struct server_error *at,
			 struct response *rs)
{
	if (at->authorizer)
		return response_empty(rs, 200);
	return response_redirect(rs, p->next_at_error,
				 at->place == AT_INTERNAL ? "/internal"
							  : "/request");
}

/* Whether the request is an upload, which would be an empty file if its body
 * was not announced */
static bool may_lack_its_body(const struct program *p,
			      const struct server_error *at,
			      const struct request *rq)
{
	int i = at->http2 ? router_index(&p->router, rq) : -1;

	return i >= 0 && (p->router.routes[i].session & ASKED_FIRST) != 0;
}

/* Answer in the web server's place. A POST without a body is served, whatever
 * the server's rule is: nothing is missing in it. */
static enum err answer_error(const struct program *p, const struct service *s,
			     const struct server_error *at, struct request *rq,
			     struct response *rs)
{
	bool internal = at->place == AT_INTERNAL;

	if (!server_error_is_empty_post(at))
		return problem_answer_server(rq, rs, at);
	router_drop_slash(&p->router, rq);
	if (may_lack_its_body(p, at, rq))
		return ERR_LENGTH_REQUIRED;
	if (router_serves(&p->router, rq, internal)) {
		/* A 200 would let the request pass to the next program */
		rs->never_200 = p->next_at_error != NULL;
		return route_request(p, s, rq, rs);
	}
	if (p->next_at_error != NULL)
		return ask_next(p, at, rs);
	return ERR_NOT_FOUND;
}

static enum err dispatch(const struct program *p, const struct service *s,
			 struct request *rq, struct response *rs)
{
	struct server_error at;

	if (server_error_read(rq, &at))
		return answer_error(p, s, &at, rq, rs);
	if (!rq->authorizer)
		return route_request(p, s, rq, rs);
	if (p->authorize != NULL)
		return p->authorize(p->app, rq, rs);
	if (p->admission_end != NULL)
		return admit(p, s, rq, rs);
	/* Also if a client requests a path of server_error.h itself */
	return err_set(&rs->why, ERR_NOT_FOUND, "%s cannot be an authorizer",
		       p->name);
}

/* A request that was let pass arrives again with its body, and is counted and
 * logged then */
static bool comes_again(const struct program *p, const struct request *rq,
			const struct response *rs)
{
	return rq->authorizer && p->authorize == NULL &&
	       (rs->status == 200 || rq->status_only);
}

/* Wait for a slot, before anything is done for the request */
static void begin_work(const struct service *s, struct transport *t)
{
	int64_t length = 0;

	if (s->slots == NULL)
		return;
	(void)span_to_int(span_of(t->ops->variable(t, "CONTENT_LENGTH")),
			  &length);
	worker_enter(s->slots, length > 0 ? WORKER_STORES : WORKER_READS);
}

/* What arrives with the variables needs no limit, which would be a system call:
 * the server in front limits such a small body */
static void set_pace(const struct service *s, struct transport *t,
		     struct request *rq)
{
	bool small =
		rq->content_length >= 0 && rq->content_length <= SMALL_BODY;

	rq->pace.bytes = s->settings.body_rate_bytes;
	rq->pace.period_ms = s->settings.body_rate_seconds * 1000;
	t->silence_ms = rq->pace.bytes > 0 && !small ? rq->pace.period_ms : 0;
}

void dispatch_run(const struct program *p, const struct service *s,
		  struct transport *t, struct arena *arena)
{
	int64_t begun = clock_monotonic_us();
	struct request rq;
	struct response rs;
	enum err e, sent = ERR_OK;
	bool again;

	begin_work(s, t);
	metrics_begin(s->metrics);
	db_act_for(0);
	e = request_init(&rq, t, arena, p->name, clock_real_us() / 1000);
	rq.clock = clock_seconds;
	set_pace(s, t, &rq);
	rq.outer_prefix = client_prefix(&rq, s->settings.trusted_proxies,
					s->settings.public_url);
	response_init(&rs, t, rq.head);
	response_header_str(&rs, "X-Request-ID", rq.id);
	response_keep(&rs);
	if (e == ERR_OK)
		e = dispatch(p, s, &rq, &rs);
	if (e != ERR_OK && !rs.started)
		sent = problem_answer(&rq, &rs, e);
	again = comes_again(p, &rq, &rs);
	if (again)
		metrics_leave(s->metrics);
	else
		request_log_count(p, s, &rq, &rs, clock_monotonic_us() - begun);
	/* Before the client can have the whole answer, so that its next request
	 * finds the room */
	if (!again && rq.admission[0] != '\0' && p->admission_end != NULL)
		p->admission_end(p->app, rq.admission);
	if (sent == ERR_OK)
		sent = t->ops->finish(t);
	else
		(void)t->ops->finish(t);
	if (!again)
		request_log_write(p, &rq, &rs, e != ERR_OK ? e : sent,
				  clock_monotonic_us() - begun);
	response_release(&rs);
	arena_reset(arena);
	if (s->slots != NULL)
		worker_leave();
}
