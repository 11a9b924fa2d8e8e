/* Uploads that do not become files, and what gateway-admin asks of all. */
#include "uploads.h"

static enum err drop(struct db *db, const struct upload *u, int64_t expired,
		     struct errmsg *m)
{
	struct db_conn *c;
	enum err e = db_begin(db, &c, m);

	if (e != ERR_OK)
		return e;
	e = quota_give(c, u->owner, u->held, m);
	/* What it held is as it was read, or there is no such row */
	if (e == ERR_OK)
		e = db_tx_change(
			c,
			"DELETE FROM upload WHERE id = ? AND held_bytes = ?"
			" AND held_files = ? AND expires_at <= ?",
			DB_IN(db_text(span_of(u->id)), db_int(u->held.bytes),
			      db_int(u->held.files), db_int(expired)),
			m);
	if (e == ERR_OK)
		return db_commit(c, m);
	db_rollback(c);
	return e;
}

enum err uploads_remove(struct db *db, const struct upload *u, struct errmsg *m)
{
	return u->finished_at == UPLOAD_UNFINISHED ? drop(db, u, INT64_MAX, m)
						   : ERR_NOT_FOUND;
}

enum err uploads_drop(struct db *db, const struct upload *u, int64_t now,
		      struct errmsg *m)
{
	return drop(db, u, now, m);
}

/* --- for gateway-admin ---------------------------------------------------- */

enum err uploads_prolong(struct db *db, const struct upload *u,
			 int64_t expires_at, struct errmsg *m)
{
	return db_change(db,
			 "UPDATE upload SET expires_at = ?"
			 " WHERE id = ? AND expires_at < ?",
			 DB_IN(db_int(expires_at), db_text(span_of(u->id)),
			       db_int(expires_at)),
			 m);
}

enum err uploads_exists(struct db *db, struct span id, struct errmsg *m)
{
	int64_t one;

	return db_row(db,
		      "SELECT 1 FROM upload WHERE id = ?"
		      " AND finished_at IS NULL",
		      DB_IN(db_text(id)), DB_OUT(db_to_int(&one)), m);
}

enum err uploads_wants(struct db *db, struct span id, struct errmsg *m)
{
	int64_t one;

	/* One statement, for one look: the upload becomes the file */
	return db_row(db,
		      "SELECT 1 FROM file WHERE id = ? UNION ALL"
		      " SELECT 1 FROM upload WHERE id = ?"
		      " AND finished_at IS NULL",
		      DB_IN(db_text(id), db_text(id)), DB_OUT(db_to_int(&one)),
		      m);
}

enum err uploads_expired(struct db *db, int64_t now, struct span after,
			 struct upload *row, db_each_fn *each, void *arg,
			 struct errmsg *m)
{
	return db_each(
		db,
		"SELECT u.id, u.owner, u.held_bytes, u.held_files,"
		" u.finished_at FROM upload u WHERE u.expires_at <= ?"
		" AND u.id > ? ORDER BY u.id LIMIT ?",
		DB_IN(db_int(now), db_text(after), db_int(FILES_LIST_MAX)),
		DB_OUT(db_to_text(row->id, sizeof(row->id)),
		       db_to_uint(&row->owner), db_to_int(&row->held.bytes),
		       db_to_int(&row->held.files),
		       db_to_int_or(&row->finished_at, UPLOAD_UNFINISHED)),
		each, arg, m);
}
