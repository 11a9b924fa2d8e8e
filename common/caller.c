#include "caller.h"

#include <stdio.h>
#include <string.h>

void caller_init(struct caller *c, const struct request *rq, const char *scope)
{
	const struct credential *shown = &rq->credential;

	*c = (struct caller) { .session = shown->session,
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

	if (rq->now - last < CALLER_USED_EVERY)
		return;
	(void)!db_change(db,
			 "UPDATE session_use SET last_used_at = ?"
			 " WHERE id = ? AND COALESCE(last_used_at, 0) = ?",
			 DB_IN(db_int(rq->now),
			       db_text(span_of(rq->credential.session)),
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

void caller_known(struct db *db, const struct caller *c, struct request *rq)
{
	if (!rq->credential.api || c->user_id == 0)
		return;
	rq->claims.user_id = c->user_id;
	memcpy(rq->claims.email, c->email, sizeof(rq->claims.email));
	rq->authenticated = true;
	note_use(db, rq, c->last_used);
}

enum err caller_check(struct db *db, struct request *rq, const char *scope,
		      struct errmsg *m)
{
	struct claims c = { .token_id = "" };
	int64_t admin, last_used, expires_at;
	struct caller caller;
	enum err e;

	caller_init(&caller, rq, ""); /* to tell ERR_SCOPE from ERR_AUTH */
	e = db_row(db,
		   "SELECT l.user_id, l.email, l.admin, l.scope, l.created_at,"
		   " l.expires_at, l.last_used_at FROM live_session l"
		   " WHERE " CALLER_IS,
		   DB_IN(CALLER_VALUES(&caller)),
		   DB_OUT(db_to_uint(&c.user_id),
			  db_to_text(c.email, sizeof(c.email)),
			  db_to_int(&admin),
			  db_to_text(c.scope, sizeof(c.scope)),
			  db_to_int(&c.issued_at), db_to_int(&expires_at),
			  db_to_int(&last_used)),
		   m);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_AUTH : e;
	if (!rq->credential.api)
		return c.user_id == rq->claims.user_id ? ERR_OK : ERR_AUTH;
	c.admin = admin != 0;
	c.not_before = c.issued_at;
	c.expires_at = expires_at;
	memcpy(c.session, rq->credential.session, sizeof(c.session));
	rq->claims = c;
	rq->authenticated = true;
	note_use(db, rq, last_used);
	return has_scope(rq, scope);
}

enum err caller_check_api(struct db *db, struct request *rq, const char *scope,
			  struct errmsg *m)
{
	if (!rq->credential.api)
		return ERR_OK;
	if (!rq->authenticated)
		return caller_check(db, rq, scope, m);
	return has_scope(rq, scope);
}

enum err caller_refused(struct db *db, struct request *rq, const char *scope,
			enum err e, struct errmsg *m)
{
	bool open_question =
		e == ERR_NOT_FOUND || (e == ERR_AUTH && rq->credential.api);
	enum err why = open_question ? caller_check(db, rq, scope, m) : ERR_OK;

	return why == ERR_OK ? e : why;
}
