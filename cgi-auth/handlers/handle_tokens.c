/* GET, POST /tokens, DELETE /tokens/{id}: named tokens for scripts and other
 * programs that cannot log in. Only the answer to POST has the token's text. */
#include "cgi-auth/app/audit_note.h"
#include "cgi-auth/app/session_json.h"
#include "cgi-auth/app/session_list.h"
#include "cgi-auth/password/user_rules.h"
#include "cgi-auth/tables/users.h"
#include "common/http/body.h"
#include "common/http/client.h"
#include "common/token/bearer_id.h"

#include <sodium.h>

enum {
	LIFE_MAX = 3660 * 86400, /* seconds; ten years, as for files */
};

static enum err read_name(struct json_object *o, struct response *rs,
			  struct session *s)
{
	return body_label(o, "name", s->name, sizeof(s->name),
			  SESSION_NAME_CHARS, rs);
}

/* The scope of a new token is at most that of the request's token, and at most
 * that of the user now */
static enum err read_scope(struct json_object *o, const struct request *rq,
			   const struct user *u, struct response *rs,
			   struct session *s)
{
	struct span wanted = span_of(rq->claims.scope), word;
	const char *fault;

	if (json_object_object_get_ex(o, "scope", NULL)) {
		enum err e =
			body_text(o, "scope", s->scope, sizeof(s->scope), rs);

		if (e != ERR_OK)
			return e;
		wanted = span_of(s->scope);
	} else {
		(void)span_to_cstr(wanted, s->scope, sizeof(s->scope));
	}
	fault = user_scope_fault(wanted);
	if (fault != NULL)
		return response_explain(rs, ERR_INVALID, "The scope %s.",
					fault);
	while (wanted.len > 0 && span_next(&wanted, ' ', &word))
		if (!span_list_has(span_of(rq->claims.scope), word) ||
		    !span_list_has(span_of(u->scope), word))
			return response_explain(
				rs, ERR_INVALID,
				"scope has a word that your token lacks; "
				"it has \"%s\".",
				rq->claims.scope);
	return ERR_OK;
}

static enum err read_life(struct json_object *o, const struct request *rq,
			  struct response *rs, struct session *s)
{
	struct json_object *v = NULL;
	int64_t life;

	s->expires_at = SESSION_NEVER;
	if (!json_object_object_get_ex(o, "expires_in", &v) || v == NULL)
		return ERR_OK;
	if (json_get_int(o, "expires_in", &life) != ERR_OK || life < 1 ||
	    life > LIFE_MAX)
		return response_explain(rs, ERR_INVALID,
					"expires_in must be null or seconds, "
					"from 1 to %d.",
					LIFE_MAX);
	s->expires_at = rq->now + life;
	return ERR_OK;
}

static enum err read_params(struct auth *a, struct request *rq,
			    const struct user *u, struct response *rs,
			    struct session *s)
{
	static const char *const members[] = { "name", "scope", "expires_in",
					       NULL };
	struct json_object *o = NULL;
	struct client client;
	enum err e = body_json(rq, rs, members, &o);

	*s = (struct session) { .user_id = u->id,
				.api = true,
				.created_at = rq->now,
				.last_used_at = SESSION_NEVER };
	if (e == ERR_OK)
		e = read_name(o, rs, s);
	if (e == ERR_OK)
		e = read_scope(o, rq, u, rs, s);
	if (e == ERR_OK)
		e = read_life(o, rq, rs, s);
	json_object_put(o);
	client_of(rq, a->service->settings.trusted_proxies, &client);
	(void)snprintf(s->address, sizeof(s->address), "%s", client.address);
	return e;
}

static enum err answer_new(struct response *rs, const struct session *s,
			   const char *text)
{
	struct json_object *o = session_json(s);
	enum err e;

	if (o == NULL)
		return ERR_MEMORY;
	json_set_str(o, "token", text);
	e = response_json(rs, 201, o);
	json_object_put(o);
	return e;
}

static enum err add_token(struct auth *a, const struct request *rq,
			  struct session *s,
			  char text[static API_TOKEN_LEN + 1],
			  struct response *rs)
{
	struct bearer_id c = { .api = true };
	enum err e;

	ident_random(s->id);
	(void)span_to_cstr(span_of(s->id), c.session, sizeof(c.session));
	bearer_id_make_api(&c, text);
	e = sessions_add_token(
		a->service->db, s, rq->bearer_id.session,
		(struct span) { (const char *)c.secret, sizeof(c.secret) },
		&rs->why);
	if (e == ERR_TOO_MANY)
		return response_explain(rs, e,
					"You have %d API tokens. Delete one "
					"first.",
					SESSION_TOKENS_MAX);
	/* The login has ended since its token was checked */
	return e == ERR_NOT_FOUND ? ERR_BAD_TOKEN : e;
}

enum err handle_token_new(void *app, struct request *rq, struct response *rs)
{
	struct auth *a = app;
	char text[API_TOKEN_LEN + 1];
	struct session s;
	struct user u;
	enum err e =
		users_by_session(a->service->db, rq->session, &u, &rs->why);

	if (e == ERR_OK)
		e = read_params(a, rq, &u, rs, &s);
	if (e == ERR_OK)
		e = add_token(a, rq, &s, text, rs);
	if (e != ERR_OK)
		return e;
	audit_note_caller(a, rq, "token-new", s.id);
	e = answer_new(rs, &s, text);
	sodium_memzero(text, sizeof(text));
	return e;
}

enum err handle_tokens(void *app, struct request *rq, struct response *rs)
{
	return session_list_answer(app, rq, rs, true);
}

enum err handle_token_end(void *app, struct request *rq, struct response *rs)
{
	return session_list_end(app, rq, rs, true);
}
