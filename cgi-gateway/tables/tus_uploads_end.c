/* Uploads that do not become files, and what gateway-admin asks of all. */
#include "cgi-gateway/tables/tus_uploads.h"

static enum err drop(struct db *db, const struct tus_upload *u, int64_t expired,
		     struct errmsg *why)
{
	struct db_conn *c;
	enum err e = db_begin(db, &c, why);

	if (e != ERR_OK)
		return e;
	e = quota_give(c, u->owner, u->held, why);
	/* What it held is as it was read, or there is no such row */
	if (e == ERR_OK)
		e = db_tx_change(
			c,
			"DELETE FROM upload WHERE id = ? AND held_bytes = ?"
			" AND held_files = ? AND expires_at <= ?",
			DB_IN(db_text(span_of(u->id)), db_int(u->held.bytes),
			      db_int(u->held.files), db_int(expired)),
			why);
	if (e == ERR_OK)
		return db_commit(c, why);
	db_rollback(c);
	return e;
}

enum err tus_uploads_remove(struct db *db, const struct tus_upload *u,
			    struct errmsg *why)
{
	return u->finished_at == TUS_UNFINISHED ? drop(db, u, INT64_MAX, why)
						: ERR_NOT_FOUND;
}

enum err tus_uploads_drop(struct db *db, const struct tus_upload *u,
			  int64_t now, struct errmsg *why)
{
	return drop(db, u, now, why);
}

/* --- for gateway-admin ---------------------------------------------------- */

enum err tus_uploads_prolong(struct db *db, const struct tus_upload *u,
			     int64_t expires_at, struct errmsg *why)
{
	return db_change(db,
			 "UPDATE upload SET expires_at = ?"
			 " WHERE id = ? AND expires_at < ?",
			 DB_IN(db_int(expires_at), db_text(span_of(u->id)),
			       db_int(expires_at)),
			 why);
}

enum err tus_uploads_exists(struct db *db, struct span id, struct errmsg *why)
{
	int64_t one;

	return db_row(db,
		      "SELECT 1 FROM upload WHERE id = ?"
		      " AND finished_at IS NULL",
		      DB_IN(db_text(id)), DB_OUT(db_to_int(&one)), why);
}

enum err tus_uploads_wants(struct db *db, struct span id, struct errmsg *why)
{
	int64_t one;

	/* One statement, for one look: the upload becomes the file */
	return db_row(db,
		      "SELECT 1 FROM file WHERE id = ? UNION ALL"
		      " SELECT 1 FROM upload WHERE id = ?"
		      " AND finished_at IS NULL",
		      DB_IN(db_text(id), db_text(id)), DB_OUT(db_to_int(&one)),
		      why);
}

enum err tus_uploads_expired(struct db *db, int64_t now, struct span after,
			     struct tus_upload *row, db_each_fn *each,
			     void *arg, struct errmsg *why)
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
		       db_to_int_or(&row->finished_at, TUS_UNFINISHED)),
		each, arg, why);
}
