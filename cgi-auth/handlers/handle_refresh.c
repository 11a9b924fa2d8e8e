/* POST /refresh: a refresh token for a new pair of tokens (RFC 6749 6).
 *
 * The refresh token itself identifies the user: the access token may have
 * expired. It is in the JSON body, or in the cookie of refresh_cookie.h. */
#include "cgi-auth/app/audit_note.h"
#include "cgi-auth/app/grant.h"
#include "cgi-auth/app/refresh_cookie.h"
#include "cgi-auth/tables/refresh.h"
#include "common/http/body.h"

#include <sodium.h>

struct presented {
	char text[REFRESH_LEN + 1];
	bool cookie; /* the token was in the cookie */
};

/* ERR_NOT_FOUND: the body has no token */
static enum err read_body(struct request *rq, struct response *rs,
			  struct presented *out)
{
	static const char *const members[] = { "refresh_token", NULL };
	struct json_object *o = NULL, *v = NULL;
	enum err e;

	if (rq->content_length <= 0)
		return ERR_NOT_FOUND;
	e = body_json(rq, rs, members, &o);
	if (e == ERR_OK && !json_object_object_get_ex(o, "refresh_token", &v))
		e = ERR_NOT_FOUND;
	if (e == ERR_OK && !json_object_is_type(v, json_type_string))
		e = response_explain(rs, ERR_INVALID,
				     "refresh_token must be a string.");
	/* A text that cannot be a token is refused like an unknown one */
	if (e == ERR_OK && json_get_text(o, "refresh_token", out->text,
					 sizeof(out->text)) != ERR_OK)
		out->text[0] = '\0';
	json_object_put(o);
	return e;
}

static enum err find_token(struct request *rq, const struct settings *s,
			   struct response *rs, struct presented *out)
{
	struct span cookie;
	enum err e;

	*out = (struct presented) { .cookie = false };
	e = read_body(rq, rs, out);
	if (e != ERR_NOT_FOUND)
		return e;
	e = refresh_cookie_find(rq, s, rs, &cookie);
	if (e == ERR_NOT_FOUND)
		return response_explain(
			rs, ERR_FORMAT,
			"The request has no refresh token. Send "
			"{\"refresh_token\": …} as JSON, or the cookie.");
	out->cookie = true;
	if (e == ERR_OK && !span_to_cstr(cookie, out->text, sizeof(out->text)))
		out->text[0] = '\0';
	return e;
}

/* Only the end of a session gets a row: the others are routine, or can be sent
 * in floods */
static void record_refresh(struct auth *a, struct request *rq,
			   const struct refresh_rotation *t)
{
	bool invalid = t->outcome == REFRESH_MALFORMED ||
		       t->outcome == REFRESH_UNKNOWN ||
		       t->outcome == REFRESH_ENDED;
	const char *name = refresh_outcome_name(t->outcome);

	metrics_refresh(a->service->metrics, invalid ? "invalid" : name);
	(void)span_to_cstr(span_of(t->session), rq->bearer_id.session,
			   sizeof(rq->bearer_id.session));
	if (t->outcome == REFRESH_REUSED)
		audit_note(a, rq, "refresh-reuse", t->user.id, t->user.email,
			   "session ended");
	else
		audit_note_line(a, rq, "refresh", t->user.id, t->user.email,
				name);
}

static enum err refuse_token(const struct request *rq, struct response *rs,
			     const struct presented *presented, enum err e)
{
	if (e != ERR_BAD_TOKEN && e != ERR_EXPIRED)
		return e;
	/* Or a browser would send it again and again */
	if (presented->cookie) {
		refresh_cookie_clear(rq, rs);
		response_keep(rs);
	}
	return response_explain(rs, e,
				e == ERR_EXPIRED
					? "The refresh token has expired. Log "
					  "in again."
					: "The refresh token is unknown or "
					  "already used, or its session has "
					  "ended. Log in again.");
}

enum err handle_refresh(void *app, struct request *rq, struct response *rs)
{
	struct auth *a = app;
	const struct refresh_rules rules = { a->settings.refresh_life,
					     a->settings.refresh_grace };
	const struct keyring *ring;
	struct refresh_rotation t;
	struct presented presented;
	enum err e = find_token(rq, &a->service->settings, rs, &presented);

	if (e != ERR_OK)
		return e;
	ring = keyring_file_take(a->service->keys, rq->now);
	e = refresh_rotate(a->service->db, ring, &rules,
			   span_of(presented.text), rq->now, &t, &rs->why);
	keyring_file_give(a->service->keys, ring);
	sodium_memzero(presented.text, sizeof(presented.text));
	record_refresh(a, rq, &t);
	if (e == ERR_OK)
		e = grant_answer(a, rq,
				 &(struct grant) {
					 .user = &t.user,
					 .session = t.session,
					 .session_ends = t.session_ends,
					 .refresh = t.text,
					 .refresh_ends = t.expires_at,
					 .cookie = presented.cookie ||
						   refresh_cookie_wanted(rq),
					 .bare = grant_is_bare(rq, false),
				 },
				 rs);
	else
		e = refuse_token(rq, rs, &presented, e);
	refresh_rotation_wipe(&t);
	return e;
}
