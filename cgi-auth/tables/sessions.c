#include "cgi-auth/tables/sessions.h"

#include "common/db/db_known.h"

#define LOGIN "login"
#define API "api"

/* The programs of this machine may remember sessions: the end of one is
 * announced by its id, that of several by their user (session_known.h) */
static struct change_key of_session(const char *id)
{
	return change_key_of_text(span_of(id));
}

static struct change_key of_user(uint64_t user_id)
{
	return change_key_of_number(user_id);
}

static struct db_value kind(bool api)
{
	return db_text(api ? SPAN(API) : SPAN(LOGIN));
}

/* ERR_OK also if no row matched */
static enum err ok_if_none(enum err e)
{
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* One statement, so that a change of the password comes either before it, and
 * then no user matches, or after it, and then it ends this session. */
enum err sessions_add_login(struct db_conn *c, const struct session *s,
			    const struct session_basis *as_read,
			    struct errmsg *why)
{
	/* The row of otp is locked only if it should not be there: else two
	 * logins would lock it here, and deadlock when they use it up */
	/* clang-format off */
	return db_tx_change(c,
		"INSERT INTO session"
		" (id, user_id, kind, scope, address, created_at, expires_at)"
		" SELECT ?, id, 'login', ?, ?, ?, ?"
		"   FROM user"
		"  WHERE id = ?"
		"    AND password_changed_at = ?"
		"    AND disabled_at IS NULL"
		"    AND scope = ?"
		"    AND admin = ?"
		"    AND email COLLATE utf8mb4_bin = ?"
		"    AND (? OR NOT EXISTS"
		"          (SELECT 1"
		"             FROM otp"
		"            WHERE otp.user_id = user.id"
		"              AND otp.confirmed_at IS NOT NULL))",
		DB_IN(db_text(span_of(s->id)), db_text(span_of(s->scope)),
		      db_text(span_of(s->address)), db_int(s->created_at),
		      db_int(s->expires_at), db_uint(s->user_id),
		      db_int(as_read->password_changed_at),
		      db_text(span_of(s->scope)), db_int(as_read->admin),
		      db_text(span_of(as_read->email)),
		      db_int(as_read->has_factor)),
		why);
	/* clang-format on */
}

/* Find the newest login that exceeds the limit, then end it and all older ones
 * in the order of the index. Two statements: an UPDATE with a subquery would
 * lock every row that it reads, and simultaneous logins would deadlock. */
enum err sessions_trim_logins(struct db_conn *c, uint64_t user_id,
			      const char *newest, int64_t now,
			      struct errmsg *why)
{
	char id[IDENT_LEN + 1];
	int64_t at;
	enum err e;

	/* clang-format off */
	e = db_tx_row(c,
		"SELECT id, created_at"
		"  FROM session"
		" WHERE user_id = ?"
		"   AND kind = 'login'"
		"   AND revoked_at IS NULL"
		"   AND id <> ?"
		" ORDER BY created_at DESC, id DESC"
		" LIMIT 1 OFFSET ?",
		DB_IN(db_uint(user_id), db_text(span_of(newest)),
		      db_int(SESSION_LOGINS_MAX - 1)),
		DB_OUT(db_to_text(id, sizeof(id)), db_to_int(&at)),
		why);
	if (e == ERR_OK)
		e = db_tx_change_of(c, DB_KNOWN_SESSIONS, of_user(user_id),
			"UPDATE session FORCE INDEX (session_user)"
			"   SET revoked_at = ?"
			" WHERE user_id = ?"
			"   AND kind = 'login'"
			"   AND revoked_at IS NULL"
			"   AND created_at <= ?"
			"   AND (created_at < ? OR id <= ?)"
			"   AND id <> ?",
			DB_IN(db_int(now), db_uint(user_id), db_int(at),
			      db_int(at), db_text(span_of(id)),
			      db_text(span_of(newest))),
			why);
	/* clang-format on */
	return ok_if_none(e);
}

enum err sessions_add_token(struct db *db, const struct session *s,
			    const char *by, struct span secret,
			    struct errmsg *why)
{
	int64_t count = 0;
	enum err e;

	/* clang-format off */
	e = db_row(db,
		"SELECT COUNT(*)"
		"  FROM session"
		" WHERE user_id = ?"
		"   AND kind = 'api'"
		"   AND revoked_at IS NULL",
		DB_IN(db_uint(s->user_id)),
		DB_OUT(db_to_int(&count)),
		why);
	if (e == ERR_OK && count >= SESSION_TOKENS_MAX)
		e = ERR_TOO_MANY;
	if (e != ERR_OK)
		return e;
	return db_change(db,
		"INSERT INTO session"
		" (id, user_id, kind, name, scope, secret, address,"
		"  created_at, expires_at)"
		" SELECT ?, ?, 'api', ?, ?, ?, ?, ?, ?"
		"   FROM session"
		"  WHERE id = ?"
		"    AND revoked_at IS NULL",
		DB_IN(db_text(span_of(s->id)), db_uint(s->user_id),
		      db_text(span_of(s->name)), db_text(span_of(s->scope)),
		      db_bytes(secret), db_text(span_of(s->address)),
		      db_int(s->created_at),
		      db_int_or_null(s->expires_at, SESSION_NEVER),
		      db_text(span_of(by))),
		why);
	/* clang-format on */
}

enum err sessions_end(struct db_conn *c, uint64_t user_id, bool api,
		      const char *id, int64_t now, struct errmsg *why)
{
	/* clang-format off */
	return db_tx_change_of(c, DB_KNOWN_SESSIONS, of_session(id),
		"UPDATE session"
		"   SET revoked_at = ?"
		" WHERE id = ?"
		"   AND user_id = ?"
		"   AND kind = ?"
		"   AND revoked_at IS NULL",
		DB_IN(db_int(now), db_text(span_of(id)), db_uint(user_id),
		      kind(api)),
		why);
	/* clang-format on */
}

enum err sessions_end_id(struct db *db, const char *id, int64_t now,
			 struct errmsg *why)
{
	/* clang-format off */
	return db_change_of(db, DB_KNOWN_SESSIONS, of_session(id),
		"UPDATE session"
		"   SET revoked_at = ?"
		" WHERE id = ?"
		"   AND revoked_at IS NULL",
		DB_IN(db_int(now), db_text(span_of(id))),
		why);
	/* clang-format on */
}

/* The index is forced: by another one the UPDATE would lock all rows of a user
 * with most of the table's rows */
/* clang-format off */
#define END_CHOSEN                                   \
	"UPDATE session FORCE INDEX (session_user)"  \
	"   SET revoked_at = ?"                      \
	" WHERE user_id = ?"                         \
	"   AND kind IN ('login', ?)"                \
	"   AND revoked_at IS NULL"                  \
	"   AND id <> ?"
#define CHOSEN(user_id, which, now)                                \
	DB_IN(db_int(now), db_uint(user_id), kind((which).tokens), \
	      db_text(span_of((which).but)))
/* clang-format on */

enum err sessions_end_chosen(struct db *db, uint64_t user_id,
			     struct sessions_chosen which, int64_t now,
			     struct errmsg *why)
{
	return ok_if_none(db_change_of(db, DB_KNOWN_SESSIONS, of_user(user_id),
				       END_CHOSEN, CHOSEN(user_id, which, now),
				       why));
}

enum err sessions_end_within(struct db_conn *c, uint64_t user_id,
			     struct sessions_chosen which, int64_t now,
			     struct errmsg *why)
{
	return ok_if_none(db_tx_change_of(c, DB_KNOWN_SESSIONS,
					  of_user(user_id), END_CHOSEN,
					  CHOSEN(user_id, which, now), why));
}

enum err sessions_delete_within(struct db_conn *c, uint64_t user_id,
				struct errmsg *why)
{
	enum err e;

	/* clang-format off */
	e = db_tx_change(c,
		"DELETE refresh"
		"  FROM refresh"
		"  JOIN session ON session.id = refresh.session_id"
		" WHERE session.user_id = ?",
		DB_IN(db_uint(user_id)),
		why);
	/* clang-format on */
	if (ok_if_none(e) != ERR_OK)
		return e;
	return ok_if_none(
		db_tx_change_of(c, DB_KNOWN_SESSIONS, of_user(user_id),
				"DELETE FROM session WHERE user_id = ?",
				DB_IN(db_uint(user_id)), why));
}

struct walk {
	struct session session;
	sessions_each_fn *each;
	void *arg;
};

static enum err each_session(void *arg)
{
	struct walk *w = arg;

	return w->each(&w->session, w->arg);
}

enum err sessions_each(struct db *db, uint64_t user_id, bool api, int64_t now,
		       sessions_each_fn *each, void *arg, struct errmsg *why)
{
	struct walk w = {
		.session = { .user_id = user_id, .api = api },
		.each = each,
		.arg = arg,
	};
	struct session *s = &w.session;

	/* clang-format off */
	return db_each(db,
		"SELECT id, name, scope, address, created_at, expires_at,"
		"       COALESCE(last_used_at,"
		"                (SELECT MAX(r.created_at)"
		"                   FROM refresh r"
		"                  WHERE r.session_id = session.id))"
		"  FROM session"
		" WHERE user_id = ?"
		"   AND kind = ?"
		"   AND revoked_at IS NULL"
		"   AND (kind = 'api' OR expires_at > ?)"
		" ORDER BY created_at DESC, id DESC",
		DB_IN(db_uint(user_id), kind(api), db_int(now)),
		DB_OUT(db_to_text(s->id, sizeof(s->id)),
		       db_to_text(s->name, sizeof(s->name)),
		       db_to_text(s->scope, sizeof(s->scope)),
		       db_to_text(s->address, sizeof(s->address)),
		       db_to_int(&s->created_at),
		       db_to_int_or(&s->expires_at, SESSION_NEVER),
		       db_to_int_or(&s->last_used_at, SESSION_NEVER)),
		each_session, &w, why);
	/* clang-format on */
}

/* Each of these counts the rows, then deletes them 1000 at a time, so that no
 * login waits long for a statement. */

static enum err delete_refresh_tokens(struct db *db, int64_t before,
				      int64_t *count, struct errmsg *why)
{
	enum err e =
		db_row(db, "SELECT COUNT(*) FROM refresh WHERE expires_at < ?",
		       DB_IN(db_int(before)), DB_OUT(db_to_int(count)), why);

	while (e == ERR_OK)
		e = db_change(
			db,
			"DELETE FROM refresh WHERE expires_at < ? LIMIT 1000",
			DB_IN(db_int(before)), why);
	return ok_if_none(e);
}

static enum err delete_expired(struct db *db, int64_t before, int64_t *count,
			       struct errmsg *why)
{
	enum err e =
		db_row(db, "SELECT COUNT(*) FROM session WHERE expires_at < ?",
		       DB_IN(db_int(before)), DB_OUT(db_to_int(count)), why);

	while (e == ERR_OK)
		e = db_change(
			db,
			"DELETE FROM session WHERE expires_at < ? LIMIT 1000",
			DB_IN(db_int(before)), why);
	return ok_if_none(e);
}

static enum err delete_revoked(struct db *db, int64_t before, int64_t *count,
			       struct errmsg *why)
{
	enum err e =
		db_row(db, "SELECT COUNT(*) FROM session WHERE revoked_at < ?",
		       DB_IN(db_int(before)), DB_OUT(db_to_int(count)), why);

	while (e == ERR_OK)
		e = db_change(
			db,
			"DELETE FROM session WHERE revoked_at < ? LIMIT 1000",
			DB_IN(db_int(before)), why);
	return ok_if_none(e);
}

/* Refresh tokens first: none expires later than its session */
enum err sessions_sweep(struct db *db, int64_t now, struct sessions_swept *out,
			struct errmsg *why)
{
	int64_t before = now - SESSION_KEPT;
	int64_t refreshes = 0, expired = 0, revoked = 0;
	enum err e = delete_refresh_tokens(db, before, &refreshes, why);

	if (e == ERR_OK)
		e = delete_expired(db, before, &expired, why);
	if (e == ERR_OK)
		e = delete_revoked(db, before, &revoked, why);
	if (e == ERR_OK)
		*out = (struct sessions_swept) { expired + revoked, refreshes };
	return e;
}
