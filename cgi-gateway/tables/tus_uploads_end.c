/* Uploads that do not become files, and queries of gateway-admin on all. */
#include "cgi-gateway/tables/tus_uploads.h"

static enum err delete_upload(struct db *db, const struct tus_upload *u,
			      int64_t expired_at, struct errmsg *why)
{
	struct db_conn *c;
	enum err e = db_begin(db, &c, why);

	if (e != ERR_OK)
		return e;
	e = quota_give(c, u->owner, u->reserved, why);
	/* Match only a row that reserves what was just returned to the quota */
	if (e == ERR_OK)
		e = db_tx_change(c,
				 /* clang-format off */
				 "DELETE FROM upload"
				 " WHERE id = ?"
				 "   AND held_bytes = ?"
				 "   AND held_files = ?"
				 "   AND expires_at <= ?",
				 /* clang-format on */
				 DB_IN(db_text(span_of(u->id)),
				       db_int(u->reserved.bytes),
				       db_int(u->reserved.files),
				       db_int(expired_at)),
				 why);
	if (e == ERR_OK)
		return db_commit(c, why);
	db_rollback(c);
	return e;
}

enum err tus_uploads_remove(struct db *db, const struct tus_upload *u,
			    struct errmsg *why)
{
	if (u->finished_at != TUS_UNFINISHED)
		return ERR_NOT_FOUND;
	return delete_upload(db, u, INT64_MAX, why);
}

enum err tus_uploads_delete_expired(struct db *db, const struct tus_upload *u,
				    int64_t now, struct errmsg *why)
{
	return delete_upload(db, u, now, why);
}

/* --- for gateway-admin ---------------------------------------------------- */

enum err tus_uploads_prolong(struct db *db, const struct tus_upload *u,
			     int64_t expires_at, struct errmsg *why)
{
	return db_change(db,
			 /* clang-format off */
			 "UPDATE upload"
			 "   SET expires_at = ?"
			 " WHERE id = ?"
			 "   AND expires_at < ?",
			 /* clang-format on */
			 DB_IN(db_int(expires_at), db_text(span_of(u->id)),
			       db_int(expires_at)),
			 why);
}

enum err tus_uploads_is_unfinished(struct db *db, struct span id,
				   struct errmsg *why)
{
	int64_t one;

	return db_row(db,
		      /* clang-format off */
		      "SELECT 1"
		      "  FROM upload"
		      " WHERE id = ?"
		      "   AND finished_at IS NULL",
		      /* clang-format on */
		      DB_IN(db_text(id)), DB_OUT(db_to_int(&one)), why);
}

enum err tus_uploads_is_unfinished_or_file(struct db *db, struct span id,
					   struct errmsg *why)
{
	int64_t one;

	/* One statement sees one snapshot: between two, an upload could become
	 * its file, and neither would be found */
	return db_row(db,
		      /* clang-format off */
		      "SELECT 1"
		      "  FROM file"
		      " WHERE id = ?"
		      " UNION ALL"
		      " SELECT 1"
		      "  FROM upload"
		      " WHERE id = ?"
		      "   AND finished_at IS NULL",
		      /* clang-format on */
		      DB_IN(db_text(id), db_text(id)), DB_OUT(db_to_int(&one)),
		      why);
}

enum err tus_uploads_expired(struct db *db, int64_t now, struct span after,
			     struct tus_upload *row, db_each_fn *each,
			     void *arg, struct errmsg *why)
{
	return db_each(
		db,
		/* clang-format off */
		       "SELECT id, owner, held_bytes, held_files, finished_at"
		       "  FROM upload"
		       " WHERE expires_at <= ?"
		       "   AND id > ?"
		       " ORDER BY id"
		       " LIMIT ?",
		/* clang-format on */
		DB_IN(db_int(now), db_text(after), db_int(FILES_LIST_MAX)),
		DB_OUT(db_to_text(row->id, sizeof(row->id)),
		       db_to_uint(&row->owner), db_to_int(&row->reserved.bytes),
		       db_to_int(&row->reserved.files),
		       db_to_int_or(&row->finished_at, TUS_UNFINISHED)),
		each, arg, why);
}
