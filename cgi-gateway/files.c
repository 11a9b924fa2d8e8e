#include "files.h"

#define COLUMNS "id, owner, name, type, size, sha256, created_at, expires_at"
#define INSERT "INSERT INTO file (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
#define ALIVE "(expires_at IS NULL OR expires_at > ?)"

/* Left to itself, the optimizer walks all of an owner's files from the newest
 * on to find where a page starts; so it goes there at once. */
#define BY_OWNER " FORCE INDEX (file_owner)"

#define VALUES_OF(f)                                                    \
	DB_IN(db_text(span_of((f)->id)), db_uint((f)->owner),           \
	      db_text(span_of((f)->name)), db_text(span_of((f)->type)), \
	      db_int((f)->size),                                        \
	      db_bytes((struct span) { (const char *)(f)->sha256,       \
				       SHA256_LEN }),                   \
	      db_int((f)->created_at),                                  \
	      db_int_or_null((f)->expires_at, FILES_NEVER))
#define FIELDS_OF(f)                                                          \
	DB_OUT(db_to_text((f)->id, sizeof((f)->id)), db_to_uint(&(f)->owner), \
	       db_to_text((f)->name, sizeof((f)->name)),                      \
	       db_to_text((f)->type, sizeof((f)->type)),                      \
	       db_to_int(&(f)->size), db_to_bytes((f)->sha256, SHA256_LEN),   \
	       db_to_int(&(f)->created_at),                                   \
	       db_to_int_or(&(f)->expires_at, FILES_NEVER))

enum err files_add(struct db *db, const struct file *files, size_t count,
		   struct errmsg *m)
{
	struct db_conn *c;
	enum err e;

	/* One statement is a transaction of its own: three round trips less */
	if (count == 1)
		return db_change(db, INSERT, VALUES_OF(files), m);
	e = db_begin(db, &c, m);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < count && e == ERR_OK; i++)
		e = db_tx_change(c, INSERT, VALUES_OF(&files[i]), m);
	if (e == ERR_OK)
		return db_commit(c, m);
	db_rollback(c);
	return e;
}

enum err files_find(struct db *db, struct span id, uint64_t owner, int64_t now,
		    struct file *out, struct errmsg *m)
{
	if (!ident_is_uuid(id))
		return ERR_NOT_FOUND;
	return db_row(db,
		      "SELECT " COLUMNS " FROM file"
		      " WHERE id = ? AND owner = ? AND " ALIVE,
		      DB_IN(db_text(id), db_uint(owner), db_int(now)),
		      FIELDS_OF(out), m);
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

enum err files_list(struct db *db, const struct files_page *p, struct file *row,
		    db_each_fn *each, void *arg, struct errmsg *m)
{
	/* Every id is below "g", for ids are lower-case hex */
	struct span below = p->after.len > 0 ? p->after : SPAN("g");
	struct buf like;
	enum err e;

	if (p->part.len == 0)
		return db_each(db,
			       "SELECT " COLUMNS " FROM file" BY_OWNER
			       " WHERE owner = ? AND id < ? AND " ALIVE
			       " ORDER BY id DESC LIMIT ?",
			       DB_IN(db_uint(p->owner), db_text(below),
				     db_int(p->now), db_int(p->limit)),
			       FIELDS_OF(row), each, arg, m);
	buf_init(&like, FILE_NAME_MAX * 2 + 2);
	like_pattern(p->part, &like);
	e = buf_error(&like);
	if (e == ERR_OK)
		e = db_each(db,
			    "SELECT " COLUMNS " FROM file" BY_OWNER
			    " WHERE owner = ? AND id < ? AND " ALIVE
			    " AND name LIKE ? ESCAPE '!'"
			    " ORDER BY id DESC LIMIT ?",
			    DB_IN(db_uint(p->owner), db_text(below),
				  db_int(p->now), db_text(buf_span(&like)),
				  db_int(p->limit)),
			    FIELDS_OF(row), each, arg, m);
	buf_release(&like);
	return e;
}

enum err files_update(struct db *db, const struct file *f, struct errmsg *m)
{
	return db_change(db,
			 "UPDATE file SET name = ?, expires_at = ?"
			 " WHERE id = ? AND owner = ?",
			 DB_IN(db_text(span_of(f->name)),
			       db_int_or_null(f->expires_at, FILES_NEVER),
			       db_text(span_of(f->id)), db_uint(f->owner)),
			 m);
}

enum err files_remove(struct db *db, struct span id, uint64_t owner,
		      struct errmsg *m)
{
	if (!ident_is_uuid(id))
		return ERR_NOT_FOUND;
	return db_change(db, "DELETE FROM file WHERE id = ? AND owner = ?",
			 DB_IN(db_text(id), db_uint(owner)), m);
}

enum err files_exists(struct db *db, struct span id, struct errmsg *m)
{
	int64_t one;

	return db_row(db, "SELECT 1 FROM file WHERE id = ?", DB_IN(db_text(id)),
		      DB_OUT(db_to_int(&one)), m);
}

enum err files_expired(struct db *db, int64_t now, struct file *row,
		       db_each_fn *each, void *arg, struct errmsg *m)
{
	return db_each(db,
		       "SELECT " COLUMNS " FROM file WHERE expires_at <= ?"
		       " ORDER BY expires_at LIMIT ?",
		       DB_IN(db_int(now), db_int(FILES_LIST_MAX)),
		       FIELDS_OF(row), each, arg, m);
}

enum err files_walk(struct db *db, struct span after, struct file *row,
		    db_each_fn *each, void *arg, struct errmsg *m)
{
	return db_each(db,
		       "SELECT " COLUMNS " FROM file WHERE id > ?"
		       " ORDER BY id LIMIT ?",
		       DB_IN(db_text(after), db_int(FILES_LIST_MAX)),
		       FIELDS_OF(row), each, arg, m);
}

enum err files_count(struct db *db, struct files_total *out, struct errmsg *m)
{
	return db_row(db,
		      "SELECT COUNT(*), COALESCE(SUM(size), 0),"
		      " COUNT(DISTINCT owner) FROM file",
		      DB_NONE,
		      DB_OUT(db_to_int(&out->files), db_to_int(&out->bytes),
			     db_to_int(&out->owners)),
		      m);
}
