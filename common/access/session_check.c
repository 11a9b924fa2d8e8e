#include "common/access/session_check.h"

#include "common/access/session_known.h"

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
 * the request. Returns whether it was time. */
static bool record_use(struct db *db, const struct session_check *c,
		       int64_t last)
{
	struct errmsg ignored;

	if (c->now - last < SESSION_CHECK_USED_EVERY)
		return false;
	/* clang-format off */
	(void)!db_change(db,
		"UPDATE session_use"
		"   SET last_used_at = ?"
		" WHERE id = ? AND COALESCE(last_used_at, 0) = ?",
		DB_IN(db_int(c->now), db_text(span_of(c->session)),
		      db_int(last)),
		&ignored);
	/* clang-format on */
	return true;
}

static enum err has_scope(const struct session_check *c)
{
	return span_list_has_all(span_of(c->rq->claims.scope),
				 span_of(c->scope))
		       ? ERR_OK
		       : ERR_SCOPE;
}

static enum err ask_session(struct db *db, const char *id,
			    struct session_row *out, struct errmsg *why)
{
	/* clang-format off */
	return db_row(db,
		"SELECT " SESSION_ROW_COLUMNS
		"  FROM live_session l"
		" WHERE l.id = ?",
		DB_IN(db_text(span_of(id))),
		DB_OUT(SESSION_ROW_FIELDS(out)), why);
	/* clang-format on */
}

uint64_t session_check_user(const struct session_check *c)
{
	return c->rq->bearer_id.api ? 0 : c->rq->claims.user_id;
}

/* The row of the session, from memory or the database. ERR_BAD_TOKEN if there
 * is none. ERR_NOT_FOUND: it would have to be read, and would not be remembered,
 * but `only_remembered`. */
static enum err read_session(struct db *db, const struct session_check *c,
			     bool only_remembered, struct session_row *out,
			     struct errmsg *why)
{
	struct session_note note;
	enum err e;

	if (session_known_find(db, c->session, out))
		return ERR_OK;
	session_known_note(db, c->session, session_check_user(c), &note);
	if (only_remembered && note.note.file == NULL)
		return ERR_NOT_FOUND;
	e = ask_session(db, c->session, out, why);
	if (e == ERR_OK)
		session_known_keep(db, c->session, out, &note);
	return e == ERR_NOT_FOUND ? ERR_BAD_TOKEN : e;
}

static bool is_of_user(const struct session_check *c,
		       const struct session_row *row)
{
	return c->rq->bearer_id.api || row->user_id == c->rq->claims.user_id;
}

/* Fill the claims of an API token, which has none itself */
static void take_claims(const struct session_check *c,
			const struct session_row *r)
{
	struct request *rq = c->rq;
	struct claims found = { .user_id = r->user_id,
				.admin = r->admin != 0,
				.issued_at = r->created_at,
				.not_before = r->created_at };

	found.expires_at = r->expires_at == SESSION_ROW_NO_END ? CLAIMS_NO_END
							       : r->expires_at;
	memcpy(found.email, r->email, sizeof(found.email));
	memcpy(found.scope, r->scope, sizeof(found.scope));
	memcpy(found.session, c->session, sizeof(found.session));
	memcpy(found.issuer, rq->claims.issuer, sizeof(found.issuer));
	rq->claims = found;
	rq->authenticated = true;
}

/* An API token is recorded as used also if it lacks the scope */
static enum err check_row(struct db *db, const struct session_check *c,
			  const struct session_row *row)
{
	const struct bearer_id *shown = &c->rq->bearer_id;
	enum err e = session_row_check(row, shown, c->scope, c->now);

	if (shown->api && (e == ERR_OK || e == ERR_SCOPE)) {
		take_claims(c, row);
		db_act_for(row->user_id);
		if (record_use(db, c, row->last_used_at))
			session_known_drop(db, c->session, row);
	}
	return e;
}

enum err session_check_now(struct db *db, const struct session_check *c,
			   struct errmsg *why)
{
	struct session_row row;
	enum err e = read_session(db, c, false, &row, why);

	if (e == ERR_OK && !is_of_user(c, &row))
		e = ERR_BAD_TOKEN;
	return e == ERR_OK ? check_row(db, c, &row) : e;
}

enum err session_check_row(struct db *db, struct session_check *c,
			   const struct session_row *row)
{
	enum err e = check_row(db, c, row);

	if (e == ERR_OK) {
		c->user_id = row->user_id;
		c->last_used = row->last_used_at;
		memcpy(c->email, row->email, sizeof(c->email));
	}
	return e;
}

enum err session_check_remembered(struct db *db, struct session_check *c,
				  struct errmsg *why)
{
	struct session_row row;
	enum err e = read_session(db, c, true, &row, why);

	if (e == ERR_OK && !is_of_user(c, &row))
		e = ERR_BAD_TOKEN;
	return e == ERR_OK ? session_check_row(db, c, &row) : e;
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
	(void)record_use(db, c, c->last_used);
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
