/* POST /introspect: what a token is worth (RFC 7662), for a server that has it
 * from elsewhere. The form has `token`; other members, token_type_hint too, are
 * not needed to find it.
 *
 * For access tokens and API tokens. A refresh token is for /refresh alone and,
 * like anything else, is {"active":false}: 2.2 lets us say no more. Only the
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
		return response_explain(
			rs, ERR_MEDIA_TYPE,
			"Send application/x-www-form-urlencoded.");
	e = request_read_all(rq, BODY_MAX, &body);
	if (e != ERR_OK)
		return e;
	text = arena_alloc(rq->arena, BODY_MAX);
	if (text == NULL)
		return ERR_MEMORY;
	e = query_get(body, SPAN("token"), text, BODY_MAX, &out->len);
	if (e == ERR_NOT_FOUND)
		return response_explain(rs, ERR_FORMAT,
					"The form has no member token.");
	out->p = text;
	return e;
}

/* ERR_BAD_TOKEN, ERR_EXPIRED for a token that is not active. The identity of the
 * request becomes that of the token in question: the route itself needs none. */
static enum err check(struct auth *a, struct request *rq, struct span token,
		      struct response *rs)
{
	struct session_check session;
	enum err e = bearer_verify(token, a->service->keys, &a->service->rules,
				   rq->now, &rq->bearer_id, &rq->claims);

	if (e != ERR_OK)
		return e;
	session_check_init(&session, rq, "");
	return session_check_now(a->service->db, &session, &rs->why);
}

static enum err answer(struct response *rs, const struct claims *active)
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
	e = check(app, rq, token, rs);
	if (e == ERR_BAD_TOKEN || e == ERR_EXPIRED)
		return answer(rs, NULL);
	return e == ERR_OK ? answer(rs, &rq->claims) : e;
}
