#include "cgi-auth/tables/users.h"

#include "cgi-auth/tables/email_key.h"
#include "cgi-auth/tables/user_row.h"
#include "common/db/db_known.h"

#define COLUMNS USER_COLUMNS("user")
#define INTO(u, is_admin) DB_OUT(USER_FIELDS(u, is_admin))

/* Fill *out on ERR_OK. A row that is too wide is not the client's fault, which
 * ERR_TOO_LARGE would say. */
static enum err found(enum err e, const int64_t *admin, const struct user *u,
		      struct user *out)
{
	if (e != ERR_OK)
		return e == ERR_TOO_LARGE ? ERR_IO : e;
	*out = *u;
	out->admin = *admin != 0;
	return ERR_OK;
}

enum err users_by_email(struct db *db, struct span email, struct user *out,
			struct errmsg *why)
{
	struct email_spellings s;
	struct user u = { .id = 0 };
	int64_t admin = 0;
	enum err e = email_spell(email, &s);

	if (e != ERR_OK) /* no row has such an email */
		return ERR_NOT_FOUND;
	/* clang-format off */
	e = db_row(db,
		"SELECT " COLUMNS "  FROM user" USER_OF_EMAIL,
		DB_IN(USER_OF_EMAIL_VALUES(&s)),
		INTO(&u, &admin),
		why);
	/* clang-format on */
	return found(e, &admin, &u, out);
}

enum err users_by_id(struct db *db, uint64_t id, struct user *out,
		     struct errmsg *why)
{
	struct user u = { .id = 0 };
	int64_t admin = 0;

	return found(db_row(db, "SELECT " COLUMNS " FROM user WHERE id = ?",
			    DB_IN(db_uint(id)), INTO(&u, &admin), why),
		     &admin, &u, out);
}

enum err users_after(struct db *db, uint64_t id, struct user *out,
		     struct errmsg *why)
{
	struct user u = { .id = 0 };
	int64_t admin = 0;
	enum err e;

	/* clang-format off */
	e = db_row(db,
		"SELECT " COLUMNS
		"  FROM user"
		" WHERE id > ?"
		" ORDER BY id"
		" LIMIT 1",
		DB_IN(db_uint(id)), INTO(&u, &admin),
		why);
	/* clang-format on */
	return found(e, &admin, &u, out);
}

struct walk {
	struct user user;
	int64_t admin;
	users_each_fn *each;
	void *arg;
};

static enum err each_user(void *arg)
{
	struct walk *w = arg;

	w->user.admin = w->admin != 0;
	return w->each(&w->user, w->arg);
}

enum err users_each(struct db *db, users_each_fn *each, void *arg,
		    struct errmsg *why)
{
	struct walk w = { .each = each, .arg = arg };

	return db_each(db, "SELECT " COLUMNS " FROM user ORDER BY id", DB_NONE,
		       INTO(&w.user, &w.admin), each_user, &w, why);
}

enum err users_add(struct db *db, const struct user *u, struct errmsg *why)
{
	/* clang-format off */
	return db_change(db,
		"INSERT INTO user"
		" (email, password, admin, scope, created_at,"
		"  password_changed_at)"
		" VALUES (?, ?, ?, ?, ?, ?)",
		DB_IN(db_text(span_of(u->email)),
		      db_text(span_of(u->password)), db_int(u->admin),
		      db_text(span_of(u->scope)), db_int(u->created_at),
		      db_int(u->created_at)),
		why);
	/* clang-format on */
}

enum err users_by_session(struct db *db, struct session_check *c,
			  struct user *out, struct errmsg *why)
{
	struct user u = { .id = 0 };
	int64_t admin = 0;
	enum err e;

	/* clang-format off */
	e = db_row(db,
		"SELECT l.user_id, l.email, l.last_used_at,"
		"       " USER_COLUMNS("u")
		"  FROM live_session l"
		"  JOIN user u ON u.id = l.user_id"
		" WHERE " SESSION_VALID,
		DB_IN(SESSION_VALUES(c)),
		DB_OUT(db_to_uint(&c->user_id),
		       db_to_text(c->email, sizeof(c->email)),
		       db_to_int(&c->last_used),
		       USER_FIELDS(&u, &admin)),
		why);
	/* clang-format on */
	if (e == ERR_NOT_FOUND)
		return session_check_no_row(db, c, ERR_BAD_TOKEN, why);
	if (e == ERR_OK && !c->rq->bearer_id.api &&
	    u.id != c->rq->claims.user_id)
		return ERR_BAD_TOKEN;
	e = found(e, &admin, &u, out);
	if (e == ERR_OK)
		session_check_found(db, c);
	return e;
}

/* Commit, or roll back after an error */
static enum err end_transaction(struct db_conn *c, enum err e,
				struct errmsg *why)
{
	if (e == ERR_OK)
		return db_commit(c, why);
	db_rollback(c);
	return e;
}

/* The user's row first, then the sessions: sessions_add_login() locks in the
 * same order, so one of the two waits and sees what the other did. `was` NULL:
 * whatever the password is. */
static enum err set_password(struct db *db, uint64_t id, struct db_value was,
			     const char *hash, struct sessions_chosen ending,
			     int64_t now, struct errmsg *why)
{
	struct db_conn *c;
	enum err e = db_begin_change(db, &c, why);

	if (e != ERR_OK)
		return e;
	/* password_changed_at gets a time that it never had before: by it
	 * sessions_add_login() knows whether the password is still the one that
	 * was checked */
	/* clang-format off */
	e = db_tx_change(c,
		"UPDATE user"
		"   SET password = ?,"
		"       password_changed_at ="
		"         GREATEST(?, password_changed_at + 1)"
		" WHERE id = ?"
		"   AND password = COALESCE(?, password)",
		DB_IN(db_text(span_of(hash)), db_int(now), db_uint(id), was),
		why);
	/* clang-format on */
	if (e == ERR_OK)
		e = sessions_end_within(c, id, ending, now, why);
	return end_transaction(c, e, why);
}

enum err users_set_password(struct db *db, uint64_t id, const char *hash,
			    int64_t now, struct errmsg *why)
{
	struct sessions_chosen all = { .tokens = true, .but = "" };

	return set_password(db, id, db_null(), hash, all, now, why);
}

enum err users_change_password(struct db *db, const struct user *u,
			       const char *hash, const char *session,
			       int64_t now, struct errmsg *why)
{
	struct sessions_chosen others = { .tokens = false, .but = session };

	return set_password(db, u->id, db_text(span_of(u->password)), hash,
			    others, now, why);
}

/* The column compares byte by byte (schema/auth) */
enum err users_rehash(struct db *db, uint64_t id, const char *was,
		      const char *hash, struct errmsg *why)
{
	/* clang-format off */
	return db_change(db,
		"UPDATE user"
		"   SET password = ?"
		" WHERE id = ?"
		"   AND password = ?",
		DB_IN(db_text(span_of(hash)), db_uint(id),
		      db_text(span_of(was))),
		why);
	/* clang-format on */
}

enum err users_disable(struct db *db, uint64_t id, int64_t now,
		       struct errmsg *why)
{
	struct sessions_chosen all = { .tokens = true, .but = "" };
	struct db_conn *c;
	enum err e = db_begin_change(db, &c, why);

	if (e != ERR_OK)
		return e;
	/* clang-format off */
	e = db_tx_change_of(c, DB_KNOWN_SESSIONS, change_key_of_number(id),
		"UPDATE user"
		"   SET disabled_at = COALESCE(disabled_at, ?)"
		" WHERE id = ?",
		DB_IN(db_int(now), db_uint(id)),
		why);
	/* clang-format on */
	if (e == ERR_OK)
		e = sessions_end_within(c, id, all, now, why);
	return end_transaction(c, e, why);
}

enum err users_enable(struct db *db, uint64_t id, struct errmsg *why)
{
	return db_change(db, "UPDATE user SET disabled_at = NULL WHERE id = ?",
			 DB_IN(db_uint(id)), why);
}

enum err users_delete(struct db *db, uint64_t id, struct errmsg *why)
{
	struct db_conn *c;
	enum err e = db_begin_change(db, &c, why);

	if (e != ERR_OK)
		return e;
	e = db_tx_change_of(c, DB_KNOWN_SESSIONS, change_key_of_number(id),
			    "DELETE FROM user WHERE id = ?", DB_IN(db_uint(id)),
			    why);
	if (e == ERR_OK)
		e = sessions_delete_within(c, id, why);
	return end_transaction(c, e, why);
}
