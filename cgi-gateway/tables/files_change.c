/* Changing and removing rows of the table `file`. */
#include "cgi-gateway/tables/files.h"

#include "cgi-gateway/tables/name_index.h"
#include "cgi-gateway/tables/outbox.h"
#include "common/db/db_known.h"

/* In each statement `l` is the session (session_check.h), and `f` the file. The
 * owner is IF(? = 0, l.user_id, ?). */
#define OWNER_VALUES(owner) db_uint(owner), db_uint(owner)

/* Whether the columns that can change have the values of `from`; true if it is
 * NULL. BINARY: the collation of names ignores case, accents and blanks. */
#define AS_READ "(? OR (BINARY f.name = ? AND f.expires_at <=> ?))"
#define AS_READ_VALUES(from)                                              \
	db_int((from) == NULL),                                           \
		(from) != NULL ? db_text(span_of((from)->name))           \
			       : db_text(SPAN("")),                       \
		(from) != NULL                                            \
			? db_int_or_null((from)->expires_at, FILES_NEVER) \
			: db_null()

/* Other processes may remember the row */
static struct change_key key_of(const struct file *f)
{
	return change_key_of_text(span_of(f->id));
}

/* Whether the row exists; lock it until the end of the transaction */
static enum err lock_file(struct db_conn *c, const struct file *f,
			  struct errmsg *why)
{
	int64_t one;

	/* clang-format off */
	return db_tx_row(c,
		"SELECT 1"
		"  FROM file"
		" WHERE id = ?"
		"   AND owner = ?"
		"   FOR UPDATE",
		DB_IN(db_text(span_of(f->id)), db_uint(f->owner)),
		DB_OUT(db_to_int(&one)), why);
	/* clang-format on */
}

static enum err rename_row(struct db_conn *c,
			   const struct session_check *session,
			   const struct file *f, const struct file *from,
			   bool expiry, struct errmsg *why)
{
	char folded[NAME_FOLD_MAX + 1];
	enum err e = name_fold(span_of(f->name), folded);

	if (e != ERR_OK)
		return e;
	/* clang-format off */
	return db_tx_change_of(c, DB_KNOWN_FILES, key_of(f),
		"UPDATE file f"
		"  JOIN live_session l"
		"   SET f.name = ?,"
		"       f.folded = ?,"
		"       f.expires_at = IF(?, ?, f.expires_at)"
		" WHERE f.id = ?"
		"   AND f.owner = ?"
		"   AND (f.expires_at IS NULL OR f.expires_at > ?)"
		"   AND " AS_READ
		"   AND " SESSION_VALID,
		DB_IN(db_text(span_of(f->name)), db_text(span_of(folded)),
		      db_int(expiry),
		      db_int_or_null(f->expires_at, FILES_NEVER),
		      db_text(span_of(f->id)), db_uint(f->owner),
		      db_int(session->now), AS_READ_VALUES(from),
		      SESSION_VALUES(session)),
		why);
	/* clang-format on */
}

static enum err rename_file(struct db *db, const struct session_check *session,
			    const struct file *f, const struct file *from,
			    bool expiry, struct errmsg *why)
{
	struct db_conn *c;
	enum err e = db_begin_change(db, &c, why);

	if (e != ERR_OK)
		return e;
	e = lock_file(c, f, why);
	if (e == ERR_OK)
		e = name_index_remove(c, f->id, why);
	if (e == ERR_OK)
		e = rename_row(c, session, f, from, expiry, why);
	if (e == ERR_OK)
		e = name_index_add(c, f->id, why);
	if (e == ERR_OK)
		return db_commit(c, why);
	db_rollback(c);
	return e;
}

enum err files_update(struct db *db, const struct session_check *session,
		      const struct file *f, struct files_changed which,
		      struct errmsg *why)
{
	if (which.name)
		return rename_file(db, session, f, which.from, which.expiry,
				   why);
	/* clang-format off */
	return db_change_of(db, DB_KNOWN_FILES, key_of(f),
		"UPDATE file f"
		"  JOIN live_session l"
		"   SET f.expires_at = IF(?, ?, f.expires_at)"
		" WHERE f.id = ?"
		"   AND f.owner = ?"
		"   AND (f.expires_at IS NULL OR f.expires_at > ?)"
		"   AND " AS_READ
		"   AND " SESSION_VALID,
		DB_IN(db_int(which.expiry),
		      db_int_or_null(f->expires_at, FILES_NEVER),
		      db_text(span_of(f->id)), db_uint(f->owner),
		      db_int(session->now), AS_READ_VALUES(which.from),
		      SESSION_VALUES(session)),
		why);
	/* clang-format on */
}

/* Locked first: another request may be renaming it */
static enum err delete_row(struct db_conn *c, const struct file *f,
			   const struct file *from, bool even_if_live,
			   int64_t now, struct errmsg *why)
{
	enum err e = lock_file(c, f, why);

	if (e == ERR_OK)
		e = name_index_remove(c, f->id, why);
	if (e != ERR_OK)
		return e;
	/* clang-format off */
	return db_tx_change_of(c, DB_KNOWN_FILES, key_of(f),
		"DELETE f"
		"  FROM file f"
		" WHERE f.id = ?"
		"   AND (? OR f.expires_at <= ?)"
		"   AND " AS_READ,
		DB_IN(db_text(span_of(f->id)), db_int(even_if_live),
		      db_int(now), AS_READ_VALUES(from)),
		why);
	/* clang-format on */
}

/* Remove a row, also from the quota; for EVENT_EXPIRED only an expired one */
static enum err remove_file(struct db *db, const struct file *f,
			    const struct file *from, enum event_kind kind,
			    int64_t now, const struct webhook_targets *to,
			    struct errmsg *why)
{
	struct db_conn *c;
	enum err e = db_begin_change(db, &c, why);

	if (e != ERR_OK)
		return e;
	e = quota_give(c, f->owner, files_amount(f, 1), why);
	if (e == ERR_OK)
		e = outbox_add(c, to, kind, span_of(f->id), now, why);
	/* If two requests delete the same file, one of them finds no row, and
	 * its change of the quota and its event are rolled back */
	if (e == ERR_OK)
		e = delete_row(c, f, from, kind != EVENT_EXPIRED, now, why);
	if (e == ERR_OK)
		return db_commit(c, why);
	db_rollback(c);
	return e;
}

enum err files_remove_from(struct db *db, const struct session_check *session,
			   uint64_t owner, struct span id,
			   const struct file *from,
			   const struct webhook_targets *to, struct errmsg *why)
{
	char canonical[UUID_LEN + 1];
	struct file f;
	enum err e;

	/* Not an id: find no file, but still check the session */
	id = ident_uuid_sent(id, canonical);
	/* Read without a lock: the owner and size of a file never change */
	/* clang-format off */
	e = db_row(db,
		"SELECT f.id, f.owner, f.size"
		"  FROM live_session l"
		"  JOIN file f"
		" WHERE f.id = ?"
		"   AND f.owner = IF(? = 0, l.user_id, ?)"
		"   AND " SESSION_VALID,
		DB_IN(db_text(id), OWNER_VALUES(owner), SESSION_VALUES(session)),
		DB_OUT(db_to_text(f.id, sizeof(f.id)), db_to_uint(&f.owner),
		       db_to_int(&f.size)),
		why);
	/* clang-format on */
	if (e == ERR_OK)
		e = remove_file(db, &f, from, EVENT_DELETED, session->now, to,
				why);
	if (e == ERR_NOT_FOUND)
		return session_check_no_row(db, session, e, why);
	return e;
}

enum err files_remove(struct db *db, const struct session_check *session,
		      uint64_t owner, struct span id,
		      const struct webhook_targets *to, struct errmsg *why)
{
	return files_remove_from(db, session, owner, id, NULL, to, why);
}

enum err files_delete_expired(struct db *db, const struct file *f, int64_t now,
			      const struct webhook_targets *to,
			      struct errmsg *why)
{
	return remove_file(db, f, NULL, EVENT_EXPIRED, now, to, why);
}
