#include "cgi-auth/app/grant.h"

#include "cgi-auth/app/refresh_cookie.h"
#include "cgi-auth/tables/token.h"
#include "common/codec/field.h"

bool grant_is_bare(const struct request *rq, bool otherwise)
{
	struct span accept = request_header(rq, "Accept");
	struct span text = SPAN("text/plain"), json = SPAN("application/json");

	if (otherwise)
		return !field_accept_prefers(accept, json, text);
	return field_accept_prefers(accept, text, json);
}

static enum err answer_json(const struct request *rq, const struct grant *g,
			    struct span token, const struct claims *c,
			    struct response *rs)
{
	struct json_object *o = json_object_new_object();
	enum err e;

	if (o == NULL)
		return ERR_MEMORY;
	json_set_span(o, "access_token", token);
	json_set_str(o, "token_type", "Bearer");
	json_set_int(o, "expires_in", c->expires_at - c->issued_at);
	json_set_str(o, "scope", c->scope);
	if (g->refresh != NULL && !g->cookie)
		json_set_str(o, "refresh_token", g->refresh);
	if (g->refresh != NULL)
		json_set_int(o, "refresh_expires_in",
			     g->refresh_ends - rq->now);
	e = response_json(rs, 200, o);
	json_object_put(o);
	return e;
}

static enum err sign(struct auth *a, const struct request *rq,
		     const struct claims *c, struct buf *token,
		     struct errmsg *why)
{
	const struct keyring *ring =
		keyring_file_take(a->service->keys, rq->now);
	enum err e = jwt_sign(c, ring, token);

	keyring_file_give(a->service->keys, ring);
	/* The row and the settings make the length, not the client */
	if (e == ERR_TOO_LARGE)
		return err_set(why, ERR_CONFIG,
			       "the token is over %d bytes; shorten "
			       "JWT_ISSUER, JWT_AUDIENCE or the user's scope",
			       JWT_TOKEN_MAX);
	return e;
}

enum err grant_answer(struct auth *a, const struct request *rq,
		      const struct grant *g, struct response *rs)
{
	int64_t life = a->settings.token_life;
	struct claims c;
	struct buf token;
	enum err e;

	if (life > g->session_ends - rq->now)
		life = g->session_ends - rq->now;
	e = token_claims(g->user, &a->service->rules, g->session, rq->now, life,
			 &c);
	if (e != ERR_OK)
		return e;
	buf_init(&token, JWT_TOKEN_MAX);
	e = sign(a, rq, &c, &token, &rs->why);
	if (e == ERR_OK && g->refresh != NULL && g->cookie)
		refresh_cookie_set(rq, rs, g->refresh,
				   g->refresh_ends - rq->now);
	if (e == ERR_OK && g->bare && grant_is_bare(rq, false))
		e = response_line(rs, 200, "text/plain; charset=utf-8",
				  buf_span(&token));
	else if (e == ERR_OK && g->bare) /* LOGIN_ANSWER */
		e = response_body(rs, 200, "text/plain; charset=utf-8",
				  buf_span(&token));
	else if (e == ERR_OK)
		e = answer_json(rq, g, buf_span(&token), &c, rs);
	buf_release(&token);
	return e;
}
