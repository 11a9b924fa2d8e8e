/* POST /password: a user changes their password. Every other login ends; this
 * session stays, and so do API tokens, which have their own secrets. */
#include "cgi-auth/app/audit_note.h"
#include "cgi-auth/app/password_attempt.h"
#include "cgi-auth/password/basic_credentials.h"
#include "cgi-auth/password/user_rules.h"
#include "cgi-auth/tables/sessions.h"
#include "cgi-auth/tables/users.h"
#include "common/codec/normalize.h"
#include "common/http/body.h"

#include <sodium.h>

struct password_change {
	char current[BASIC_PASSWORD_MAX + 1];
	char fresh[BASIC_PASSWORD_MAX + 1];
};

/* However its characters are composed */
static bool is_same_password(const char *a, const char *b)
{
	char one[NORMALIZE_SIZE], other[NORMALIZE_SIZE];
	bool same = normalize(span_of(a), NORMAL_OPAQUE, one) == ERR_OK &&
		    normalize(span_of(b), NORMAL_OPAQUE, other) == ERR_OK &&
		    strcmp(one, other) == 0;

	sodium_memzero(one, sizeof(one));
	sodium_memzero(other, sizeof(other));
	return same;
}

static enum err check_new(const struct password_change *c, const struct user *u,
			  struct response *rs)
{
	const char *fault = user_password_fault(span_of(c->fresh));

	if (fault == NULL && is_same_password(c->fresh, c->current))
		fault = "is the same as the current one";
	if (fault == NULL &&
	    user_texts_equal(span_of(c->fresh), span_of(u->email)))
		fault = "is your email";
	if (fault == NULL)
		return ERR_OK;
	return response_explain(rs, ERR_WEAK_PASSWORD, "The new password %s.",
				fault);
}

static enum err read_change(struct request *rq, struct response *rs,
			    struct password_change *out)
{
	static const char *const members[] = { "current", "new", NULL };
	struct json_object *o = NULL;
	enum err e = body_json(rq, rs, members, &o);

	if (e == ERR_OK)
		e = body_text(o, "current", out->current, sizeof(out->current),
			      rs);
	if (e == ERR_OK)
		e = body_text(o, "new", out->fresh, sizeof(out->fresh), rs);
	json_object_put(o);
	return e;
}

/* Counted like a login, so that a session is no way to guess its password */
static enum err check_current(struct auth *a, struct request *rq,
			      const struct user *u, const char *current,
			      struct response *rs)
{
	struct throttle_ticket ticket;
	enum err e =
		password_attempt_begin(a, rq, span_of(u->email), &ticket, rs);

	if (e != ERR_OK)
		return e;
	/* A user with a session waits with the known addresses */
	e = password_check(&a->passwords, FIFO_KNOWN, u->password, current,
			   NULL);
	if (e == ERR_INVALID)
		e = ERR_CREDENTIALS;
	/* A correct password alone is not a login: do not reset the account's
	 * count of failures, which includes wrong one-time codes, and do not
	 * record the client's address as a known one */
	password_attempt_end(a, rq, &ticket,
			     e == ERR_OK ? ERR_OTP_REQUIRED : e);
	return e;
}

static enum err set_new(struct auth *a, struct request *rq,
			const struct user *u, const char *fresh,
			struct errmsg *why)
{
	char hash[PASSWORD_HASH_MAX + 1];
	enum err e = password_hash(&a->passwords, fresh, hash);

	if (e == ERR_OK)
		e = users_change_password(a->service->db, u, hash,
					  rq->bearer_id.session, rq->now, why);
	/* Not found: another request has changed it since the check */
	return e == ERR_NOT_FOUND ? ERR_CREDENTIALS : e;
}

static void record_change(struct auth *a, const struct request *rq, enum err e)
{
	if (e == ERR_LIMITED)
		audit_note_line(a, rq, "password", rq->claims.user_id,
				rq->claims.email, "too-many-attempts");
	else
		audit_note_caller(a, rq, "password",
				  e == ERR_OK		 ? "ok"
				  : e == ERR_CREDENTIALS ? "wrong-password"
							 : "unavailable");
}

enum err handle_password(void *app, struct request *rq, struct response *rs)
{
	struct auth *a = app;
	struct password_change c;
	struct user u;
	enum err e =
		users_by_session(a->service->db, rq->session, &u, &rs->why);

	if (e == ERR_OK)
		e = read_change(rq, rs, &c);
	if (e == ERR_OK)
		e = check_new(&c, &u, rs);
	if (e != ERR_OK)
		goto out;
	e = check_current(a, rq, &u, c.current, rs);
	if (e == ERR_OK)
		e = set_new(a, rq, &u, c.fresh, &rs->why);
	record_change(a, rq, e);
	/* Not 401: the token is valid, and a browser would ask for a login */
	if (e == ERR_CREDENTIALS)
		e = response_explain(rs, ERR_INVALID,
				     "The member current is not your "
				     "password.");
out:
	sodium_memzero(&c, sizeof(c));
	return e == ERR_OK ? response_empty(rs, 204) : e;
}
