#include "common/access/session_check.h"

#include <stdio.h>
#include <string.h>

void session_check_init(struct session_check *c, const struct request *rq,
			const char *scope)
{
	const struct bearer_id *shown = &rq->bearer_id;

	*c = (struct session_check) { .session = shown->session,
				      .secret = db_null(),
				      .now = rq->now };
	if (shown->api)
		c->secret = db_bytes((struct span) {
			(const char *)shown->secret, sizeof(shown->secret) });
	(void)snprintf(c->pattern, sizeof(c->pattern), "%s", "%");
	if (shown->api && scope[0] != '\0')
		(void)snprintf(c->pattern, sizeof(c->pattern), "%% %s %%",
			       scope);
}

/* Written now and then, not with every request. That it cannot be written is no
 * reason to refuse anybody. */
static void note_use(struct db *db, const struct request *rq, int64_t last)
{
	struct errmsg ignored;

	if (rq->now - last < SESSION_CHECK_USED_EVERY)
		return;
	(void)!db_change(db,
			 "UPDATE session_use SET last_used_at = ?"
			 " WHERE id = ? AND COALESCE(last_used_at, 0) = ?",
			 DB_IN(db_int(rq->now),
			       db_text(span_of(rq->bearer_id.session)),
			       db_int(last)),
			 &ignored);
}

static enum err has_scope(const struct request *rq, const char *scope)
{
	if (scope[0] == '\0' ||
	    span_list_has(span_of(rq->claims.scope), span_of(scope)))
		return ERR_OK;
	return ERR_SCOPE;
}

void session_check_used(struct db *db, const struct session_check *c,
			struct request *rq)
{
	if (!rq->bearer_id.api || c->user_id == 0)
		return;
	rq->claims.user_id = c->user_id;
	memcpy(rq->claims.email, c->email, sizeof(rq->claims.email));
	rq->authenticated = true;
	note_use(db, rq, c->last_used);
}

enum err session_check_alone(struct db *db, struct request *rq,
			     const char *scope, struct errmsg *why)
{
	struct claims c = { .token_id = "" };
	int64_t admin, last_used, expires_at;
	struct session_check caller;
	enum err e;

	session_check_init(&caller, rq,
			   ""); /* to tell ERR_SCOPE from ERR_BAD_TOKEN */
	e = db_row(db,
		   "SELECT l.user_id, l.email, l.admin, l.scope, l.created_at,"
		   " l.expires_at, l.last_used_at FROM live_session l"
		   " WHERE " SESSION_VALID,
		   DB_IN(SESSION_VALUES(&caller)),
		   DB_OUT(db_to_uint(&c.user_id),
			  db_to_text(c.email, sizeof(c.email)),
			  db_to_int(&admin),
			  db_to_text(c.scope, sizeof(c.scope)),
			  db_to_int(&c.issued_at), db_to_int(&expires_at),
			  db_to_int(&last_used)),
		   why);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_BAD_TOKEN : e;
	if (!rq->bearer_id.api)
		return c.user_id == rq->claims.user_id ? ERR_OK : ERR_BAD_TOKEN;
	c.admin = admin != 0;
	c.not_before = c.issued_at;
	c.expires_at = expires_at;
	memcpy(c.session, rq->bearer_id.session, sizeof(c.session));
	rq->claims = c;
	rq->authenticated = true;
	note_use(db, rq, last_used);
	return has_scope(rq, scope);
}

enum err session_check_api(struct db *db, struct request *rq, const char *scope,
			   struct errmsg *why)
{
	if (!rq->bearer_id.api)
		return ERR_OK;
	if (!rq->authenticated)
		return session_check_alone(db, rq, scope, why);
	return has_scope(rq, scope);
}

enum err session_check_refused(struct db *db, struct request *rq,
			       const char *scope, enum err e,
			       struct errmsg *cause)
{
	bool open_question =
		e == ERR_NOT_FOUND || (e == ERR_BAD_TOKEN && rq->bearer_id.api);
	enum err why = open_question ? session_check_alone(db, rq, scope, cause)
				     : ERR_OK;

	return why == ERR_OK ? e : why;
}
