#include "cgi-gateway/tables/files.h"

#include "cgi-gateway/tables/outbox.h"

/* In each statement `l` is the caller's session (caller.h) and `f` the file. */
#define FROM_SESSION " FROM live_session l"
#define COLUMNS FILES_COLUMNS
#define OWNER "IF(? = 0, l.user_id, ?)"
#define ALIVE "(f.expires_at IS NULL OR f.expires_at > ?)"

#define OWNER_VALUES(owner) db_uint(owner), db_uint(owner)
#define FILE_FIELDS(f) FILES_FIELDS(f)
#define FIELDS_OF(f) DB_OUT(FILE_FIELDS(f))
/* Who it was, for the log, and then the file: all NULL where there is none */
#define KNOWN_FIELDS(who, f)                                   \
	DB_OUT(db_to_uint(&(who)->user_id),                    \
	       db_to_text((who)->email, sizeof((who)->email)), \
	       db_to_int(&(who)->last_used), FILE_FIELDS(f))

#define INSERT                                                         \
	"INSERT INTO file (id, owner, name, type, claimed_type, size," \
	" sha256, created_at, expires_at, upload_link) SELECT ?, "
#define INSERT_REST ", ?, ?, ?, ?, ?, ?, ?, ?"
#define REST_VALUES(f)                                                  \
	db_text(span_of((f)->name)), db_text(span_of((f)->type)),       \
		db_text(span_of((f)->claimed_type)), db_int((f)->size), \
		db_bytes((struct span) { (const char *)(f)->sha256,     \
					 SHA256_LEN }),                 \
		db_int((f)->created_at),                                \
		db_int_or_null((f)->expires_at, FILES_NEVER),           \
		(f)->upload_link[0] != '\0'                             \
			? db_text(span_of((f)->upload_link))            \
			: db_null()

static enum err insert(struct db_conn *c, const struct session_check *who,
		       uint64_t owner, const struct file *f, struct errmsg *why)
{
	enum err e;

	if (who == NULL)
		return db_tx_change(c, INSERT "?" INSERT_REST,
				    DB_IN(db_text(span_of(f->id)),
					  db_uint(owner), REST_VALUES(f)),
				    why);
	e = db_tx_change(c,
			 INSERT OWNER INSERT_REST FROM_SESSION
			 " WHERE " SESSION_VALID,
			 DB_IN(db_text(span_of(f->id)), OWNER_VALUES(owner),
			       REST_VALUES(f), SESSION_VALUES(who)),
			 why);
	/* No session to insert for */
	return e == ERR_NOT_FOUND ? ERR_BAD_TOKEN : e;
}

enum err files_insert(struct db_conn *c, const struct session_check *who,
		      uint64_t owner, const struct file *f,
		      const struct webhook_targets *to, struct errmsg *why)
{
	enum err e = insert(c, who, owner, f, why);

	return e == ERR_OK ? outbox_note(c, to, EVENT_UPLOADED, span_of(f->id),
					 f->created_at, why)
			   : e;
}

struct amount files_amount(const struct file *files, size_t count)
{
	struct amount a = { 0, (int64_t)count };

	for (size_t i = 0; i < count; i++)
		a.bytes += files[i].size;
	return a;
}

static enum err add_all(struct db *db, const struct session_check *who,
			uint64_t owner, const struct quota_limits *limits,
			const struct file *files, size_t count,
			const struct webhook_targets *to, struct errmsg *why)
{
	struct db_conn *c;
	enum err e = db_begin(db, &c, why);

	if (e != ERR_OK)
		return e;
	e = quota_take(c, who, owner, files_amount(files, count), limits, why);
	for (size_t i = 0; i < count && e == ERR_OK; i++)
		e = files_insert(c, who, owner, &files[i], to, why);
	if (e == ERR_OK)
		return db_commit(c, why);
	db_rollback(c);
	return e;
}

enum err files_add(struct db *db, const struct session_check *who,
		   uint64_t owner, const struct quota_limits *limits,
		   const struct file *files, size_t count,
		   const struct webhook_targets *to, struct errmsg *why)
{
	enum err e = add_all(db, who, owner, limits, files, count, to, why);

	/* Once for an owner's first file, who had no row to count in; once more
	 * for who finds that others have just made room */
	for (int again = 0; e == ERR_QUOTA && again < 2; again++) {
		e = quota_refused(db, who, owner, files_amount(files, count),
				  limits, why);
		if (e != ERR_OK)
			break;
		e = add_all(db, who, owner, limits, files, count, to, why);
	}
	return e;
}

enum err files_find(struct db *db, struct session_check *who, uint64_t owner,
		    struct span id, struct file *out, struct errmsg *why)
{
	struct file f;
	enum err e;

	/* What is no id names no file, but the session must be asked for all
	 * the same */
	if (!ident_is_uuid(id))
		id = SPAN("");
	e = db_row(db,
		   "SELECT l.user_id, l.email, l.last_used_at, " COLUMNS
			   FROM_SESSION
		   " LEFT JOIN file f ON f.id = ? AND f.owner = " OWNER
		   " AND " ALIVE " WHERE " SESSION_VALID,
		   DB_IN(db_text(id), OWNER_VALUES(owner), db_int(who->now),
			 SESSION_VALUES(who)),
		   KNOWN_FIELDS(who, &f), why);
	if (e == ERR_NOT_FOUND)
		return ERR_BAD_TOKEN;
	if (e != ERR_OK)
		return e;
	if (f.id[0] == '\0')
		return ERR_NOT_FOUND;
	*out = f;
	return ERR_OK;
}

/* `part` as a pattern of LIKE: its own wildcards taken literally */
static void like_pattern(struct span part, struct buf *out)
{
	buf_add_char(out, '%');
	for (size_t i = 0; i < part.len; i++) {
		char c = part.p[i];

		if (c == '%' || c == '_' || c == '!')
			buf_add_char(out, '!');
		buf_add_char(out, c);
	}
	buf_add_char(out, '%');
}

/* Left to itself, the optimizer walks all of an owner's files from the newest
 * on to find where a page starts; so it goes there at once. For the same reason
 * the session is asked for in a subquery, which gives it the owner beforehand.
 */
#define OF_OWNER                                                               \
	" FROM file f FORCE INDEX (file_owner)"                                \
	" WHERE f.owner = (SELECT " OWNER FROM_SESSION " WHERE " SESSION_VALID \
	")"                                                                    \
	" AND f.id < ? AND " ALIVE
#define OF_OWNER_VALUES(who, p, below)                                 \
	OWNER_VALUES((p)->owner), SESSION_VALUES(who), db_text(below), \
		db_int((who)->now)

enum err files_list(struct db *db, const struct session_check *who,
		    const struct files_page *p, struct file *row,
		    db_each_fn *each, void *arg, struct errmsg *why)
{
	/* Every id is below "g", for ids are lower-case hex */
	struct span below = p->after.len > 0 ? p->after : SPAN("g");
	struct buf like;
	enum err e;

	if (p->part.len == 0)
		return db_each(
			db,
			"SELECT " COLUMNS OF_OWNER
			" ORDER BY f.id DESC LIMIT ?",
			DB_IN(OF_OWNER_VALUES(who, p, below), db_int(p->limit)),
			FIELDS_OF(row), each, arg, why);
	buf_init(&like, FILE_NAME_MAX * 2 + 2);
	like_pattern(p->part, &like);
	e = buf_error(&like);
	if (e == ERR_OK)
		e = db_each(db,
			    "SELECT " COLUMNS OF_OWNER
			    " AND f.name LIKE ? ESCAPE '!'"
			    " ORDER BY f.id DESC LIMIT ?",
			    DB_IN(OF_OWNER_VALUES(who, p, below),
				  db_text(buf_span(&like)), db_int(p->limit)),
			    FIELDS_OF(row), each, arg, why);
	buf_release(&like);
	return e;
}

enum err files_update(struct db *db, const struct session_check *who,
		      const struct file *f, struct files_changed which,
		      struct errmsg *why)
{
	return db_change(db,
			 "UPDATE file f JOIN live_session l"
			 " SET f.name = IF(?, ?, f.name),"
			 " f.expires_at = IF(?, ?, f.expires_at)"
			 " WHERE f.id = ? AND f.owner = ? AND " ALIVE
			 " AND " SESSION_VALID,
			 DB_IN(db_int(which.name), db_text(span_of(f->name)),
			       db_int(which.expiry),
			       db_int_or_null(f->expires_at, FILES_NEVER),
			       db_text(span_of(f->id)), db_uint(f->owner),
			       db_int(who->now), SESSION_VALUES(who)),
			 why);
}

/* Remove a row and what it counts; for EVENT_EXPIRED only if it has expired at
 * `now` */
static enum err drop(struct db *db, const struct file *f, enum event_kind why,
		     int64_t now, const struct webhook_targets *to,
		     struct errmsg *cause)
{
	struct db_conn *c;
	enum err e = db_begin(db, &c, cause);

	if (e != ERR_OK)
		return e;
	e = quota_give(c, f->owner, files_amount(f, 1), cause);
	if (e == ERR_OK)
		e = outbox_note(c, to, why, span_of(f->id), now, cause);
	/* Of two who delete the same file one finds no row, and rolls back what
	 * it counted and noted */
	if (e == ERR_OK)
		e = db_tx_change(c,
				 "DELETE FROM file WHERE id = ?"
				 " AND (? OR expires_at <= ?)",
				 DB_IN(db_text(span_of(f->id)),
				       db_int(why != EVENT_EXPIRED),
				       db_int(now)),
				 cause);
	if (e == ERR_OK)
		return db_commit(c, cause);
	db_rollback(c);
	return e;
}

enum err files_remove(struct db *db, const struct session_check *who,
		      uint64_t owner, struct span id,
		      const struct webhook_targets *to, struct errmsg *why)
{
	struct file f;
	enum err e;

	if (!ident_is_uuid(id))
		return ERR_NOT_FOUND;
	/* Read without a lock: neither owner nor size of a file ever changes */
	e = db_row(db,
		   "SELECT f.id, f.owner, f.size" FROM_SESSION " JOIN file f"
		   " WHERE f.id = ? AND f.owner = " OWNER " AND " SESSION_VALID,
		   DB_IN(db_text(id), OWNER_VALUES(owner), SESSION_VALUES(who)),
		   DB_OUT(db_to_text(f.id, sizeof(f.id)), db_to_uint(&f.owner),
			  db_to_int(&f.size)),
		   why);
	return e == ERR_OK ? drop(db, &f, EVENT_DELETED, who->now, to, why) : e;
}

enum err files_drop(struct db *db, const struct file *f, int64_t now,
		    const struct webhook_targets *to, struct errmsg *why)
{
	return drop(db, f, EVENT_EXPIRED, now, to, why);
}

enum err files_exists(struct db *db, struct span id, struct errmsg *why)
{
	int64_t one;

	return db_row(db, "SELECT 1 FROM file WHERE id = ? LOCK IN SHARE MODE",
		      DB_IN(db_text(id)), DB_OUT(db_to_int(&one)), why);
}

enum err files_expired(struct db *db, int64_t now, const struct file *after,
		       struct file *row, db_each_fn *each, void *arg,
		       struct errmsg *why)
{
	return db_each(db,
		       "SELECT " COLUMNS " FROM file f"
		       " WHERE f.expires_at BETWEEN ? AND ?"
		       " AND (f.expires_at > ? OR f.id > ?)"
		       " ORDER BY f.expires_at, f.id LIMIT ?",
		       DB_IN(db_int(after->expires_at), db_int(now),
			     db_int(after->expires_at),
			     db_text(span_of(after->id)),
			     db_int(FILES_LIST_MAX)),
		       FIELDS_OF(row), each, arg, why);
}

enum err files_walk(struct db *db, struct span after, struct file *row,
		    db_each_fn *each, void *arg, struct errmsg *why)
{
	return db_each(db,
		       "SELECT " COLUMNS " FROM file f WHERE f.id > ?"
		       " ORDER BY f.id LIMIT ?",
		       DB_IN(db_text(after), db_int(FILES_LIST_MAX)),
		       FIELDS_OF(row), each, arg, why);
}

enum err files_count(struct db *db, struct files_total *out, struct errmsg *why)
{
	return db_row(db,
		      "SELECT COUNT(*), COALESCE(SUM(size), 0),"
		      " COUNT(DISTINCT owner) FROM file",
		      DB_NONE,
		      DB_OUT(db_to_int(&out->files), db_to_int(&out->bytes),
			     db_to_int(&out->owners)),
		      why);
}
