/* POST /introspect: is a token valid, and what are its claims (RFC 7662)? For a
 * server that got the token from a client. The form has `token`; other members,
 * token_type_hint among them, are ignored.
 *
 * For access tokens and API tokens. A refresh token is for /refresh only and,
 * like any other text, is {"active":false}: 2.2 wants no reason. Only the
 * internal listener has this route; that is its protection (4). */
#include "cgi-auth/app/auth.h"
#include "cgi-auth/tables/token.h"
#include "common/access/bearer.h"
#include "common/access/session_check.h"
#include "common/codec/query.h"
#include "common/http/body.h"

static enum err read_token(struct request *rq, struct response *rs,
			   struct span *out)
{
	struct span type = request_content_type(rq), params, body;
	char *text;
	enum err e;

	(void)span_cut(&type, ';', &params);
	if (!span_eq_nocase(span_trim(type),
			    SPAN("application/x-www-form-urlencoded")))
		return response_explain(rs, ERR_MEDIA_TYPE,
					"Send the token as application/"
					"x-www-form-urlencoded.");
	e = request_read_all(rq, BODY_MAX, &body);
	if (e != ERR_OK)
		return e;
	text = arena_alloc(rq->arena, BODY_MAX);
	if (text == NULL)
		return ERR_MEMORY;
	e = query_get(body, SPAN("token"), text, BODY_MAX, &out->len);
	if (e == ERR_NOT_FOUND)
		return response_explain(rs, ERR_FORMAT,
					"The form has no member token; send "
					"token=TOKEN.");
	out->p = text;
	return e;
}

/* ERR_BAD_TOKEN, ERR_EXPIRED or ERR_NOT_YET if the token is not active. The route needs no
 * token of its own, so rq->claims are those of the token in the form. */
static enum err check_token(struct auth *a, struct request *rq,
			    struct span token, struct response *rs)
{
	struct session_check session;
	enum err e = bearer_verify(token, a->service->keys, &a->service->rules,
				   rq->now, &rq->bearer_id, &rq->claims);

	if (e != ERR_OK)
		return e;
	session_check_init(&session, rq, "");
	return session_check_now(a->service->db, &session, &rs->why);
}

static enum err answer_active(struct response *rs, const struct claims *active)
{
	struct json_object *o =
		active != NULL ? claims_json(active) : json_object_new_object();
	enum err e;

	if (o == NULL)
		return ERR_MEMORY;
	json_set_bool(o, "active", active != NULL);
	if (active != NULL)
		json_set_str(o, "token_type", "Bearer");
	e = response_json(rs, 200, o);
	json_object_put(o);
	return e;
}

enum err handle_introspect(void *app, struct request *rq, struct response *rs)
{
	struct span token = { 0 };
	enum err e = read_token(rq, rs, &token);

	if (e != ERR_OK)
		return e;
	e = check_token(app, rq, token, rs);
	if (e == ERR_BAD_TOKEN || e == ERR_EXPIRED || e == ERR_NOT_YET)
		return answer_active(rs, NULL);
	return e == ERR_OK ? answer_active(rs, &rq->claims) : e;
}
