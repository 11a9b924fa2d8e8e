#include "cgi-gateway/tables/quota.h"

/* In each statement `l` is the caller's session (caller.h), `q` the row. */
#define OWNER "IF(? = 0, l.user_id, ?)"
#define OWNER_VALUES(owner) db_uint(owner), db_uint(owner)
#define ROOM(used, most)                            \
	"(COALESCE(q." most ", ?) = 0 OR ? <= 0 OR" \
	" q." used " + ? <= COALESCE(q." most ", ?))"
#define ROOM_VALUES(more, most) \
	db_int(most), db_int(more), db_int(more), db_int(most)

#define COUNT_UP " SET q.bytes = q.bytes + ?, q.files = q.files + ? WHERE "
#define COUNT_UP_VALUES(more) db_int((more).bytes), db_int((more).files)
#define FITS ROOM("bytes", "max_bytes") " AND " ROOM("files", "max_files")
#define FITS_VALUES(more, limits)                   \
	ROOM_VALUES((more).bytes, (limits)->bytes), \
		ROOM_VALUES((more).files, (limits)->files)

enum err quota_take(struct db_conn *c, const struct session_check *who,
		    uint64_t owner, struct amount more,
		    const struct quota_limits *defaults, struct errmsg *why)
{
	enum err e;

	if (who == NULL)
		e = db_tx_change(
			c, "UPDATE quota q" COUNT_UP "q.owner = ? AND " FITS,
			DB_IN(COUNT_UP_VALUES(more), db_uint(owner),
			      FITS_VALUES(more, defaults)),
			why);
	else
		e = db_tx_change(
			c,
			"UPDATE quota q JOIN live_session l ON q.owner = " OWNER
				COUNT_UP SESSION_VALID " AND " FITS,
			DB_IN(OWNER_VALUES(owner), COUNT_UP_VALUES(more),
			      SESSION_VALUES(who), FITS_VALUES(more, defaults)),
			why);
	return e == ERR_NOT_FOUND ? ERR_QUOTA : e;
}

enum err quota_give(struct db_conn *c, uint64_t owner, struct amount less,
		    struct errmsg *why)
{
	enum err e = db_tx_change(
		c,
		"UPDATE quota SET bytes = bytes - ?, files = files - ?"
		" WHERE owner = ?",
		DB_IN(db_int(less.bytes), db_int(less.files), db_uint(owner)),
		why);

	/* A row that somebody removed by hand keeps nobody from deleting */
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Not in the transaction that needs it: several that try at the same time would
 * each hold a lock that the others wait for. Nor by INSERT IGNORE, which locks
 * first to read and then to write, with the same end. */
static enum err make_row(struct db *db, uint64_t owner, struct errmsg *why)
{
	enum err e = db_change(db,
			       "INSERT INTO quota (owner) VALUES (?)"
			       " ON DUPLICATE KEY UPDATE owner = owner",
			       DB_IN(db_uint(owner)), why);

	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Limits of an owner's own, or else the default ones */
#define USAGE                                         \
	"COALESCE(q.bytes, 0), COALESCE(q.files, 0)," \
	" q.max_bytes, q.max_files"
#define USAGE_FIELDS(u, d)                                    \
	db_to_int(&(u)->bytes), db_to_int(&(u)->files),       \
		db_to_int_or(&(u)->limits.bytes, (d)->bytes), \
		db_to_int_or(&(u)->limits.files, (d)->files)

enum err quota_usage(struct db *db, struct session_check *who, uint64_t owner,
		     const struct quota_limits *defaults, struct usage *out,
		     struct errmsg *why)
{
	struct usage u;
	enum err e = db_row(
		db,
		"SELECT l.user_id, l.email, l.last_used_at, " USAGE
		" FROM live_session l LEFT JOIN quota q ON q.owner = " OWNER
		" WHERE " SESSION_VALID,
		DB_IN(OWNER_VALUES(owner), SESSION_VALUES(who)),
		DB_OUT(db_to_uint(&who->user_id),
		       db_to_text(who->email, sizeof(who->email)),
		       db_to_int(&who->last_used), USAGE_FIELDS(&u, defaults)),
		why);

	if (e == ERR_OK)
		*out = u;
	return e == ERR_NOT_FOUND ? ERR_BAD_TOKEN : e;
}

static bool fits(int64_t used, int64_t more, int64_t most)
{
	return most == QUOTA_NONE || more <= 0 || more <= most - used;
}

bool usage_has_room(const struct usage *u, struct amount more)
{
	return fits(u->bytes, more.bytes, u->limits.bytes) &&
	       fits(u->files, more.files, u->limits.files);
}

static enum err refused_without_session(struct db *db, uint64_t owner,
					struct amount more,
					const struct quota_limits *defaults,
					struct errmsg *why)
{
	struct usage u;
	enum err e = make_row(db, owner, why);

	if (e == ERR_OK)
		e = quota_show(db, owner, defaults, &u, why);
	return e == ERR_OK && !usage_has_room(&u, more) ? ERR_QUOTA : e;
}

enum err quota_refused(struct db *db, const struct session_check *who,
		       uint64_t owner, struct amount more,
		       const struct quota_limits *defaults, struct errmsg *why)
{
	uint64_t whose = 0;
	int64_t counted = 0;
	struct usage u;
	enum err e;

	if (who == NULL)
		return refused_without_session(db, owner, more, defaults, why);
	e = db_row(db,
		   "SELECT " OWNER ", q.owner IS NOT NULL, " USAGE
		   " FROM live_session l LEFT JOIN quota q ON q.owner = " OWNER
		   " WHERE " SESSION_VALID,
		   DB_IN(OWNER_VALUES(owner), OWNER_VALUES(owner),
			 SESSION_VALUES(who)),
		   DB_OUT(db_to_uint(&whose), db_to_int(&counted),
			  USAGE_FIELDS(&u, defaults)),
		   why);
	if (e == ERR_NOT_FOUND)
		return ERR_BAD_TOKEN;
	if (e == ERR_OK && counted == 0)
		e = make_row(db, whose, why);
	if (e == ERR_OK && !usage_has_room(&u, more))
		e = ERR_QUOTA;
	return e;
}

enum err quota_show(struct db *db, uint64_t owner,
		    const struct quota_limits *defaults, struct usage *out,
		    struct errmsg *why)
{
	struct usage u;
	enum err e = db_row(
		db, "SELECT " USAGE " FROM quota q WHERE q.owner = ?",
		DB_IN(db_uint(owner)), DB_OUT(USAGE_FIELDS(&u, defaults)), why);

	if (e == ERR_OK)
		*out = u;
	if (e == ERR_NOT_FOUND) {
		*out = (struct usage) { .limits = *defaults };
		e = ERR_OK;
	}
	return e;
}

enum err quota_set(struct db *db, uint64_t owner, const struct quota_limits *l,
		   struct errmsg *why)
{
	enum err e = make_row(db, owner, why);

	if (e != ERR_OK)
		return e;
	return db_change(db,
			 "UPDATE quota SET"
			 " max_bytes = IF(?, max_bytes, ?),"
			 " max_files = IF(?, max_files, ?) WHERE owner = ?",
			 DB_IN(db_int(l->bytes == QUOTA_KEEP),
			       db_int_or_null(l->bytes, QUOTA_DEFAULT),
			       db_int(l->files == QUOTA_KEEP),
			       db_int_or_null(l->files, QUOTA_DEFAULT),
			       db_uint(owner)),
			 why);
}

enum err quota_next(struct db *db, uint64_t after, uint64_t *owner,
		    struct errmsg *why)
{
	return db_row(db,
		      "SELECT MIN(a.owner) FROM ("
		      "SELECT MIN(owner) AS owner FROM quota WHERE owner > ?"
		      " UNION ALL"
		      " SELECT MIN(owner) FROM file WHERE owner > ?) a",
		      DB_IN(db_uint(after), db_uint(after)),
		      DB_OUT(db_to_uint(owner)), why);
}

/* With the row locked nobody adds or deletes. The sum is read without a lock:
 * it shows what was committed when it is asked for, which is after ours. In one
 * statement, for an upload becomes a file without a look at the quota. */
static enum err recount(struct db_conn *c, uint64_t owner, struct amount *was,
			struct amount *is, struct errmsg *why)
{
	enum err e = db_tx_row(
		c, "SELECT bytes, files FROM quota WHERE owner = ? FOR UPDATE",
		DB_IN(db_uint(owner)),
		DB_OUT(db_to_int(&was->bytes), db_to_int(&was->files)), why);

	if (e == ERR_OK)
		e = db_tx_row(
			c,
			"SELECT CAST(COALESCE(SUM(a.bytes), 0) AS SIGNED),"
			" CAST(COALESCE(SUM(a.files), 0) AS SIGNED) FROM ("
			"SELECT size AS bytes, 1 AS files"
			" FROM file WHERE owner = ? UNION ALL"
			" SELECT held_bytes, held_files"
			" FROM upload WHERE owner = ?) a",
			DB_IN(db_uint(owner), db_uint(owner)),
			DB_OUT(db_to_int(&is->bytes), db_to_int(&is->files)),
			why);
	if (e != ERR_OK)
		return e;
	return db_tx_change(
		c, "UPDATE quota SET bytes = ?, files = ? WHERE owner = ?",
		DB_IN(db_int(is->bytes), db_int(is->files), db_uint(owner)),
		why);
}

enum err quota_recount(struct db *db, uint64_t owner, struct amount *was,
		       struct amount *is, struct errmsg *why)
{
	struct db_conn *c;
	enum err e = make_row(db, owner, why);

	if (e == ERR_OK)
		e = db_begin(db, &c, why);
	if (e != ERR_OK)
		return e;
	e = recount(c, owner, was, is, why);
	if (e == ERR_OK)
		return db_commit(c, why);
	db_rollback(c);
	return e;
}
