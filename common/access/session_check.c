#include "common/access/session_check.h"

#include <stdio.h>
#include <string.h>

static void any_scope(struct session_check *c)
{
	(void)snprintf(c->pattern, sizeof(c->pattern), "%s", "%");
}

/* Whether a route requires several scopes: no LIKE finds them in any order */
static bool has_several(const char *scope)
{
	return span_find(span_of(scope), ' ') < strlen(scope);
}

void session_check_init(struct session_check *c, struct request *rq,
			const char *scope)
{
	const struct bearer_id *shown = &rq->bearer_id;

	*c = (struct session_check) { .rq = rq,
				      .scope = scope,
				      .session = shown->session,
				      .secret = db_null(),
				      .now = request_begun(rq) };
	any_scope(c);
	if (!shown->api)
		return;
	c->secret = db_bytes((struct span) { (const char *)shown->secret,
					     sizeof(shown->secret) });
	if (scope[0] != '\0' && !has_several(scope))
		(void)snprintf(c->pattern, sizeof(c->pattern), "%% %s %%",
			       scope);
}

/* Record the use now and then, not at every request. A failure does not fail
 * the request. */
static void record_use(struct db *db, const struct session_check *c,
		       int64_t last)
{
	struct errmsg ignored;

	if (c->now - last < SESSION_CHECK_USED_EVERY)
		return;
	/* clang-format off */
	(void)!db_change(db,
		"UPDATE session_use"
		"   SET last_used_at = ?"
		" WHERE id = ? AND COALESCE(last_used_at, 0) = ?",
		DB_IN(db_int(c->now), db_text(span_of(c->session)),
		      db_int(last)),
		&ignored);
	/* clang-format on */
}

static enum err has_scope(const struct session_check *c)
{
	return span_list_has_all(span_of(c->rq->claims.scope),
				 span_of(c->scope))
		       ? ERR_OK
		       : ERR_SCOPE;
}

/* Read the row of the session, whatever its scope. The scope is compared here,
 * so that ERR_SCOPE and ERR_BAD_TOKEN can be told apart. */
static enum err read_session(struct db *db, const struct session_check *c,
			     struct claims *out, int64_t *last_used,
			     struct errmsg *why)
{
	struct session_check any = *c;
	int64_t admin, expires_at;
	enum err e;

	any_scope(&any);
	/* clang-format off */
	e = db_row(db,
		"SELECT l.user_id, l.email, l.admin, l.scope, l.created_at,"
		"       l.expires_at, l.last_used_at"
		"  FROM live_session l"
		" WHERE " SESSION_VALID,
		DB_IN(SESSION_VALUES(&any)),
		DB_OUT(db_to_uint(&out->user_id),
		       db_to_text(out->email, sizeof(out->email)),
		       db_to_int(&admin),
		       db_to_text(out->scope, sizeof(out->scope)),
		       db_to_int(&out->issued_at),
		       db_to_int(&expires_at),
		       db_to_int(last_used)),
		why);
	/* clang-format on */
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_BAD_TOKEN : e;
	out->admin = admin != 0;
	out->not_before = out->issued_at;
	out->expires_at = expires_at;
	return ERR_OK;
}

enum err session_check_now(struct db *db, const struct session_check *c,
			   struct errmsg *why)
{
	struct request *rq = c->rq;
	struct claims found = { .token_id = "" };
	int64_t last_used = 0;
	enum err e = read_session(db, c, &found, &last_used, why);

	if (e != ERR_OK)
		return e;
	if (!rq->bearer_id.api)
		return found.user_id == rq->claims.user_id ? ERR_OK
							   : ERR_BAD_TOKEN;
	memcpy(found.session, c->session, sizeof(found.session));
	memcpy(found.issuer, rq->claims.issuer, sizeof(found.issuer));
	rq->claims = found;
	rq->authenticated = true;
	db_act_for(found.user_id);
	record_use(db, c, last_used);
	return has_scope(c);
}

enum err session_check_identify(struct db *db, const struct session_check *c,
				struct errmsg *why)
{
	if (!c->rq->bearer_id.api)
		return ERR_OK;
	if (!c->rq->authenticated)
		return session_check_now(db, c, why);
	return has_scope(c);
}

void session_check_found(struct db *db, const struct session_check *c)
{
	struct request *rq = c->rq;

	if (!rq->bearer_id.api || c->user_id == 0)
		return;
	rq->claims.user_id = c->user_id;
	memcpy(rq->claims.email, c->email, sizeof(rq->claims.email));
	rq->authenticated = true;
	record_use(db, c, c->last_used);
}

enum err session_check_no_row(struct db *db, const struct session_check *c,
			      enum err otherwise, struct errmsg *why)
{
	enum err e = ERR_OK;

	if (otherwise != ERR_BAD_TOKEN || c->rq->bearer_id.api)
		e = session_check_now(db, c, why);
	return e == ERR_OK ? otherwise : e;
}

enum err session_check_before(struct db *db, const struct route *route,
			      const struct session_check *c,
			      struct response *rs)
{
	bool refused = (route->session & LOGIN_ONLY) && c->rq->bearer_id.api;
	unsigned when = route->session & SESSION_WHEN;
	enum err e = ERR_OK;

	if (refused || when == SESSION_BEFORE)
		e = session_check_now(db, c, &rs->why);
	else if (when == SESSION_API_BEFORE || has_several(c->scope))
		e = session_check_identify(db, c, &rs->why);
	if (e == ERR_OK && refused)
		return response_explain(rs, ERR_SCOPE,
					"An API token may not do this; log in "
					"with email and password.");
	return e;
}

enum err session_rows_each(void *arg)
{
	struct session_rows *rows = arg;

	rows->any = true;
	return rows->each(rows->arg);
}
