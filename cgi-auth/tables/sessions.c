#include "cgi-auth/tables/sessions.h"

#define LOGIN "login"
#define API "api"

static struct db_value kind(bool api)
{
	return db_text(api ? SPAN(API) : SPAN(LOGIN));
}

static enum err none_is_fine(enum err e)
{
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* One statement, so that a change of the password comes before it or after
 * it: before, and the user does not match; after, and it ends this session. */
enum err sessions_add_login(struct db *db, const struct session *s,
			    int64_t password_changed_at, struct errmsg *why)
{
	return db_change(
		db,
		"INSERT INTO session (id, user_id, kind, scope, "
		"address, created_at, expires_at) "
		"SELECT ?, id, 'login', ?, ?, ?, ? FROM user "
		"WHERE id = ? AND password_changed_at = ? "
		"AND disabled_at IS NULL",
		DB_IN(db_text(span_of(s->id)), db_text(span_of(s->scope)),
		      db_text(span_of(s->address)), db_int(s->created_at),
		      db_int(s->expires_at), db_uint(s->user_id),
		      db_int(password_changed_at)),
		why);
}

/* The first that is too many, and all behind it in the order of the index. Two
 * statements, not one: an UPDATE that looked for it would lock what it sees,
 * and logins at the same instant would end in deadlocks. */
enum err sessions_trim_logins(struct db *db, uint64_t user_id,
			      const char *newest, int64_t now,
			      struct errmsg *why)
{
	char id[IDENT_LEN + 1];
	int64_t at;
	enum err e =
		db_row(db,
		       "SELECT id, created_at FROM session "
		       "WHERE user_id = ? AND kind = 'login' "
		       "AND revoked_at IS NULL AND id <> ? "
		       "ORDER BY created_at DESC, id DESC "
		       "LIMIT 1 OFFSET ?",
		       DB_IN(db_uint(user_id), db_text(span_of(newest)),
			     db_int(SESSION_LOGINS_MAX - 1)),
		       DB_OUT(db_to_text(id, sizeof(id)), db_to_int(&at)), why);

	if (e == ERR_OK)
		e = db_change(db,
			      "UPDATE session FORCE INDEX (session_user) "
			      "SET revoked_at = ? "
			      "WHERE user_id = ? AND kind = 'login' "
			      "AND revoked_at IS NULL AND created_at <= ? "
			      "AND (created_at < ? OR id <= ?) AND id <> ?",
			      DB_IN(db_int(now), db_uint(user_id), db_int(at),
				    db_int(at), db_text(span_of(id)),
				    db_text(span_of(newest))),
			      why);
	return none_is_fine(e);
}

enum err sessions_add_token(struct db *db, const struct session *s,
			    struct span secret, struct errmsg *why)
{
	int64_t count = 0;
	enum err e = db_row(db,
			    "SELECT COUNT(*) FROM session WHERE user_id = ? "
			    "AND kind = 'api' AND revoked_at IS NULL",
			    DB_IN(db_uint(s->user_id)),
			    DB_OUT(db_to_int(&count)), why);

	if (e == ERR_OK && count >= SESSION_TOKENS_MAX)
		e = ERR_TOO_MANY;
	if (e != ERR_OK)
		return e;
	return db_change(db,
			 "INSERT INTO session (id, user_id, kind, name, scope, "
			 "secret, address, created_at, expires_at) "
			 "VALUES (?, ?, 'api', ?, ?, ?, ?, ?, ?)",
			 DB_IN(db_text(span_of(s->id)), db_uint(s->user_id),
			       db_text(span_of(s->name)),
			       db_text(span_of(s->scope)), db_bytes(secret),
			       db_text(span_of(s->address)),
			       db_int(s->created_at),
			       db_int_or_null(s->expires_at, SESSION_NEVER)),
			 why);
}

enum err sessions_end(struct db *db, uint64_t user_id, bool api, const char *id,
		      int64_t now, struct errmsg *why)
{
	return db_change(db,
			 "UPDATE session SET revoked_at = ? WHERE id = ? "
			 "AND user_id = ? AND kind = ? AND revoked_at IS NULL",
			 DB_IN(db_int(now), db_text(span_of(id)),
			       db_uint(user_id), kind(api)),
			 why);
}

enum err sessions_end_id(struct db *db, const char *id, int64_t now,
			 struct errmsg *why)
{
	return db_change(db,
			 "UPDATE session SET revoked_at = ? WHERE id = ? "
			 "AND revoked_at IS NULL",
			 DB_IN(db_int(now), db_text(span_of(id))), why);
}

/* By this index, or a user with most of the rows would have all of them locked
 */
#define END_CHOSEN                                   \
	"UPDATE session FORCE INDEX (session_user) " \
	"SET revoked_at = ? WHERE user_id = ? "      \
	"AND kind IN ('login', ?) AND revoked_at IS NULL AND id <> ?"
#define CHOSEN(user_id, which, now)                                \
	DB_IN(db_int(now), db_uint(user_id), kind((which).tokens), \
	      db_text(span_of((which).but)))

enum err sessions_end_chosen(struct db *db, uint64_t user_id,
			     struct sessions_chosen which, int64_t now,
			     struct errmsg *why)
{
	return none_is_fine(
		db_change(db, END_CHOSEN, CHOSEN(user_id, which, now), why));
}

enum err sessions_end_within(struct db_conn *c, uint64_t user_id,
			     struct sessions_chosen which, int64_t now,
			     struct errmsg *why)
{
	return none_is_fine(
		db_tx_change(c, END_CHOSEN, CHOSEN(user_id, which, now), why));
}

enum err sessions_delete_within(struct db_conn *c, uint64_t user_id,
				struct errmsg *why)
{
	enum err e = none_is_fine(db_tx_change(
		c,
		"DELETE refresh FROM refresh JOIN session "
		"ON session.id = refresh.session_id WHERE session.user_id = ?",
		DB_IN(db_uint(user_id)), why));

	if (e != ERR_OK)
		return e;
	return none_is_fine(
		db_tx_change(c, "DELETE FROM session WHERE user_id = ?",
			     DB_IN(db_uint(user_id)), why));
}

struct walk {
	struct session session;
	sessions_each_fn *each;
	void *arg;
};

static enum err step(void *arg)
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

	return db_each(
		db,
		"SELECT id, name, scope, address, created_at, expires_at, "
		"COALESCE(last_used_at, (SELECT MAX(r.created_at) FROM refresh "
		"r WHERE r.session_id = session.id)) FROM session "
		"WHERE user_id = ? AND kind = ? AND revoked_at IS NULL "
		"AND (kind = 'api' OR expires_at > ?) "
		"ORDER BY created_at DESC, id DESC",
		DB_IN(db_uint(user_id), kind(api), db_int(now)),
		DB_OUT(db_to_text(s->id, sizeof(s->id)),
		       db_to_text(s->name, sizeof(s->name)),
		       db_to_text(s->scope, sizeof(s->scope)),
		       db_to_text(s->address, sizeof(s->address)),
		       db_to_int(&s->created_at),
		       db_to_int_or(&s->expires_at, SESSION_NEVER),
		       db_to_int_or(&s->last_used_at, SESSION_NEVER)),
		step, &w, why);
}

/* Small bites: a login never waits for the whole of it */
#define BITE "1000"
#define EXPIRED "expires_at < ?"
#define REVOKED "revoked_at < ?"

#define COUNT_AND_DELETE(db, table, which, before, count, e, m)              \
	do {                                                                 \
		(e) = db_row(db,                                             \
			     "SELECT COUNT(*) FROM " table " WHERE " which,  \
			     DB_IN(db_int(before)),                          \
			     DB_OUT(db_to_int(&(count))), m);                \
		while ((e) == ERR_OK)                                        \
			(e) = db_change(db,                                  \
					"DELETE FROM " table " WHERE " which \
					" LIMIT " BITE,                      \
					DB_IN(db_int(before)), m);           \
		(e) = none_is_fine(e);                                       \
	} while (0)

enum err sessions_sweep(struct db *db, int64_t now, struct sessions_swept *out,
			struct errmsg *why)
{
	int64_t before = now - SESSION_KEPT;
	int64_t refreshes = 0, expired = 0, revoked = 0;
	enum err e;

	/* A refresh token expires no later than its session does */
	COUNT_AND_DELETE(db, "refresh", EXPIRED, before, refreshes, e, why);
	if (e == ERR_OK)
		COUNT_AND_DELETE(db, "session", EXPIRED, before, expired, e,
				 why);
	if (e == ERR_OK)
		COUNT_AND_DELETE(db, "session", REVOKED, before, revoked, e,
				 why);
	if (e == ERR_OK)
		*out = (struct sessions_swept) { expired + revoked, refreshes };
	return e;
}
