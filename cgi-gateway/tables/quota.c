#include "cgi-gateway/tables/quota.h"

/* In each statement `l` is the session (session_check.h), and `q` the row of
 * `quota`. The owner is IF(? = 0, l.user_id, ?). */
#define OWNER_VALUES(owner) db_uint(owner), db_uint(owner)

/* For the condition that `more` fits: four parameters for bytes, four for
 * files. Parameter 2 of each accepts an amount that adds none of its kind. */
#define FITS_VALUES(more, defaults)                                            \
	db_int((defaults)->bytes), db_int((more).bytes), db_int((more).bytes), \
		db_int((defaults)->bytes), db_int((defaults)->files),          \
		db_int((more).files), db_int((more).files),                    \
		db_int((defaults)->files)

static enum err take_by_session(struct db_conn *c,
				const struct session_check *session,
				uint64_t owner, struct amount more,
				const struct quota_limits *defaults,
				struct errmsg *why)
{
	/* clang-format off */
	return db_tx_change(c,
		"UPDATE quota q"
		"  JOIN live_session l ON q.owner = IF(? = 0, l.user_id, ?)"
		"   SET q.bytes = q.bytes + ?, q.files = q.files + ?"
		" WHERE " SESSION_VALID
		"   AND (COALESCE(q.max_bytes, ?) = 0 OR ? <= 0"
		"        OR q.bytes + ? <= COALESCE(q.max_bytes, ?))"
		"   AND (COALESCE(q.max_files, ?) = 0 OR ? <= 0"
		"        OR q.files + ? <= COALESCE(q.max_files, ?))",
		DB_IN(OWNER_VALUES(owner), db_int(more.bytes),
		      db_int(more.files), SESSION_VALUES(session),
		      FITS_VALUES(more, defaults)),
		why);
	/* clang-format on */
}

static enum err take_for_owner(struct db_conn *c, uint64_t owner,
			       struct amount more,
			       const struct quota_limits *defaults,
			       struct errmsg *why)
{
	/* clang-format off */
	return db_tx_change(c,
		"UPDATE quota q"
		"   SET q.bytes = q.bytes + ?, q.files = q.files + ?"
		" WHERE q.owner = ?"
		"   AND (COALESCE(q.max_bytes, ?) = 0 OR ? <= 0"
		"        OR q.bytes + ? <= COALESCE(q.max_bytes, ?))"
		"   AND (COALESCE(q.max_files, ?) = 0 OR ? <= 0"
		"        OR q.files + ? <= COALESCE(q.max_files, ?))",
		DB_IN(db_int(more.bytes), db_int(more.files), db_uint(owner),
		      FITS_VALUES(more, defaults)),
		why);
	/* clang-format on */
}

enum err quota_take(struct db_conn *c, const struct session_check *session,
		    uint64_t owner, struct amount more,
		    const struct quota_limits *defaults, struct errmsg *why)
{
	enum err e = session != NULL
			     ? take_by_session(c, session, owner, more,
					       defaults, why)
			     : take_for_owner(c, owner, more, defaults, why);

	return e == ERR_NOT_FOUND ? ERR_QUOTA : e;
}

enum err quota_give(struct db_conn *c, uint64_t owner, struct amount less,
		    struct errmsg *why)
{
	/* clang-format off */
	enum err e = db_tx_change(c,
		"UPDATE quota"
		"   SET bytes = bytes - ?, files = files - ?"
		" WHERE owner = ?",
		DB_IN(db_int(less.bytes), db_int(less.files), db_uint(owner)),
		why);
	/* clang-format on */

	/* A row that was removed by hand does not prevent a deletion */
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Insert the row outside the transaction that needs it: several of these at the
 * same time would deadlock. INSERT IGNORE would too, because it locks first to
 * read and then to write. */
static enum err insert_row(struct db *db, uint64_t owner, struct errmsg *why)
{
	/* clang-format off */
	enum err e = db_change(db,
		"INSERT INTO quota (owner)"
		" VALUES (?)"
		" ON DUPLICATE KEY UPDATE owner = owner",
		DB_IN(db_uint(owner)), why);
	/* clang-format on */

	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

#define USAGE_COLUMNS                                 \
	"COALESCE(q.bytes, 0), COALESCE(q.files, 0)," \
	" q.max_bytes, q.max_files"
/* The owner's own limits, or else the defaults in `d` */
#define USAGE_FIELDS(u, d)                                    \
	db_to_int(&(u)->bytes), db_to_int(&(u)->files),       \
		db_to_int_or(&(u)->limits.bytes, (d)->bytes), \
		db_to_int_or(&(u)->limits.files, (d)->files)

enum err quota_usage(struct db *db, struct session_check *session,
		     uint64_t owner, const struct quota_limits *defaults,
		     struct usage *out, struct errmsg *why)
{
	struct usage u;
	/* clang-format off */
	enum err e = db_row(db,
		"SELECT l.user_id, l.email, l.last_used_at, " USAGE_COLUMNS
		"  FROM live_session l"
		"  LEFT JOIN quota q ON q.owner = IF(? = 0, l.user_id, ?)"
		" WHERE " SESSION_VALID,
		DB_IN(OWNER_VALUES(owner), SESSION_VALUES(session)),
		DB_OUT(db_to_uint(&session->user_id),
		       db_to_text(session->email, sizeof(session->email)),
		       db_to_int(&session->last_used), USAGE_FIELDS(&u, defaults)),
		why);
	/* clang-format on */

	if (e == ERR_NOT_FOUND)
		return session_check_no_row(db, session, ERR_BAD_TOKEN, why);
	if (e != ERR_OK)
		return e;
	session_check_found(db, session);
	*out = u;
	return ERR_OK;
}

static bool fits_limit(int64_t used, int64_t more, int64_t max)
{
	return max == QUOTA_NONE || more <= 0 || more <= max - used;
}

enum err usage_check_room(const struct usage *u, struct amount more)
{
	if (!fits_limit(u->files, more.files, u->limits.files))
		return ERR_QUOTA_FILES;
	return fits_limit(u->bytes, more.bytes, u->limits.bytes) ? ERR_OK
								 : ERR_QUOTA;
}

/* quota_refused() without a session */
static enum err owner_refused(struct db *db, uint64_t owner, struct amount more,
			      const struct quota_limits *defaults,
			      struct errmsg *why)
{
	struct usage u;
	enum err e = insert_row(db, owner, why);

	if (e == ERR_OK)
		e = quota_show(db, owner, defaults, &u, why);
	return e == ERR_OK ? usage_check_room(&u, more) : e;
}

enum err quota_refused(struct db *db, const struct session_check *session,
		       uint64_t owner, struct amount more,
		       const struct quota_limits *defaults, struct errmsg *why)
{
	uint64_t owner_found = 0;
	int64_t has_row = 0;
	struct usage u;
	enum err e;

	if (session == NULL)
		return owner_refused(db, owner, more, defaults, why);
	/* clang-format off */
	e = db_row(db,
		"SELECT IF(? = 0, l.user_id, ?), q.owner IS NOT NULL, "
			USAGE_COLUMNS
		"  FROM live_session l"
		"  LEFT JOIN quota q ON q.owner = IF(? = 0, l.user_id, ?)"
		" WHERE " SESSION_VALID,
		DB_IN(OWNER_VALUES(owner), OWNER_VALUES(owner),
		      SESSION_VALUES(session)),
		DB_OUT(db_to_uint(&owner_found), db_to_int(&has_row),
		       USAGE_FIELDS(&u, defaults)),
		why);
	/* clang-format on */
	if (e == ERR_NOT_FOUND)
		return ERR_BAD_TOKEN;
	if (e == ERR_OK && has_row == 0)
		e = insert_row(db, owner_found, why);
	return e == ERR_OK ? usage_check_room(&u, more) : e;
}

enum err quota_show(struct db *db, uint64_t owner,
		    const struct quota_limits *defaults, struct usage *out,
		    struct errmsg *why)
{
	struct usage u;
	/* clang-format off */
	enum err e = db_row(db,
		"SELECT " USAGE_COLUMNS
		"  FROM quota q"
		" WHERE q.owner = ?",
		DB_IN(db_uint(owner)), DB_OUT(USAGE_FIELDS(&u, defaults)), why);
	/* clang-format on */

	if (e == ERR_NOT_FOUND) {
		u = (struct usage) { .limits = *defaults };
		e = ERR_OK;
	}
	if (e == ERR_OK)
		*out = u;
	return e;
}

enum err quota_set(struct db *db, uint64_t owner, const struct quota_limits *l,
		   struct errmsg *why)
{
	enum err e = insert_row(db, owner, why);

	if (e != ERR_OK)
		return e;
	/* clang-format off */
	return db_change(db,
		"UPDATE quota"
		"   SET max_bytes = IF(?, max_bytes, ?),"
		"       max_files = IF(?, max_files, ?)"
		" WHERE owner = ?",
		DB_IN(db_int(l->bytes == QUOTA_KEEP),
		      db_int_or_null(l->bytes, QUOTA_DEFAULT),
		      db_int(l->files == QUOTA_KEEP),
		      db_int_or_null(l->files, QUOTA_DEFAULT), db_uint(owner)),
		why);
	/* clang-format on */
}

enum err quota_next(struct db *db, uint64_t after, uint64_t *owner,
		    struct errmsg *why)
{
	/* clang-format off */
	return db_row(db,
		"SELECT MIN(a.owner)"
		"  FROM (SELECT MIN(owner) AS owner"
		"          FROM quota"
		"         WHERE owner > ?"
		"         UNION ALL"
		"        SELECT MIN(owner)"
		"          FROM file"
		"         WHERE owner > ?) a",
		DB_IN(db_uint(after), db_uint(after)),
		DB_OUT(db_to_uint(owner)), why);
	/* clang-format on */
}

/* --- counting again ------------------------------------------------------- */

static enum err lock_row(struct db_conn *c, uint64_t owner, struct amount *out,
			 struct errmsg *why)
{
	/* clang-format off */
	return db_tx_row(c,
		"SELECT bytes, files"
		"  FROM quota"
		" WHERE owner = ?"
		"   FOR UPDATE",
		DB_IN(db_uint(owner)),
		DB_OUT(db_to_int(&out->bytes), db_to_int(&out->files)), why);
	/* clang-format on */
}

/* Sum in one statement, because an upload becomes a file without a lock on the
 * quota */
static enum err sum_rows(struct db_conn *c, uint64_t owner, struct amount *out,
			 struct errmsg *why)
{
	/* clang-format off */
	return db_tx_row(c,
		"SELECT CAST(COALESCE(SUM(a.bytes), 0) AS SIGNED),"
		"       CAST(COALESCE(SUM(a.files), 0) AS SIGNED)"
		"  FROM (SELECT size AS bytes, 1 AS files"
		"          FROM file"
		"         WHERE owner = ?"
		"         UNION ALL"
		"        SELECT held_bytes, held_files"
		"          FROM upload"
		"         WHERE owner = ?) a",
		DB_IN(db_uint(owner), db_uint(owner)),
		DB_OUT(db_to_int(&out->bytes), db_to_int(&out->files)), why);
	/* clang-format on */
}

/* While the row is locked, no other transaction adds or deletes. The sum is
 * read without a lock, and sees everything committed before it, which is after
 * the row was locked. */
static enum err recount(struct db_conn *c, uint64_t owner, struct amount *was,
			struct amount *is, struct errmsg *why)
{
	enum err e = lock_row(c, owner, was, why);

	if (e == ERR_OK)
		e = sum_rows(c, owner, is, why);
	if (e != ERR_OK)
		return e;
	/* clang-format off */
	return db_tx_change(c,
		"UPDATE quota"
		"   SET bytes = ?, files = ?"
		" WHERE owner = ?",
		DB_IN(db_int(is->bytes), db_int(is->files), db_uint(owner)),
		why);
	/* clang-format on */
}

enum err quota_recount(struct db *db, uint64_t owner, struct amount *was,
		       struct amount *is, struct errmsg *why)
{
	struct amount before, after;
	struct db_conn *c;
	enum err e = insert_row(db, owner, why);

	if (e == ERR_OK)
		e = db_begin(db, &c, why);
	if (e != ERR_OK)
		return e;
	e = recount(c, owner, &before, &after, why);
	if (e != ERR_OK) {
		db_rollback(c);
		return e;
	}
	e = db_commit(c, why);
	if (e == ERR_OK) {
		*was = before;
		*is = after;
	}
	return e;
}
