/* Finding an upload, uploads that do not become files, and queries of
 * gateway-admin on all. */
#include "cgi-gateway/tables/tus_uploads.h"

/* --- finding -------------------------------------------------------------- */

enum err tus_uploads_find(struct db *db, struct session_check *session,
			  uint64_t owner, struct span id,
			  struct tus_upload *out, struct errmsg *why)
{
	char canonical[UUID_LEN + 1];
	struct tus_upload u;
	int64_t concat, has_sha256;
	enum err e;

	/* Not an id: find no upload, but still check the session */
	id = ident_uuid_sent(id, canonical);
	e = db_row(db,
		   /* clang-format off */
		"SELECT l.user_id, l.email, l.last_used_at,"
		"       u.id, u.owner,"
		"       u.concat, u.concat_sent, u.name, u.type, u.metadata,"
		"       u.length, u.held_bytes, u.held_files,"
		"       u.sha256 IS NOT NULL, u.sha256, u.life,"
		"       u.created_at, u.expires_at, u.finished_at"
		"  FROM live_session l"
		"  LEFT JOIN upload u"
		"    ON u.id = ? AND u.owner = IF(? = 0, l.user_id, ?)"
		" WHERE " SESSION_VALID,
		   /* clang-format on */
		   DB_IN(db_text(id), db_uint(owner), db_uint(owner),
			 SESSION_VALUES(session)),
		   DB_OUT(db_to_uint(&session->user_id),
			  db_to_text(session->email, sizeof(session->email)),
			  db_to_int(&session->last_used),
			  db_to_text(u.id, sizeof(u.id)), db_to_uint(&u.owner),
			  db_to_int(&concat),
			  db_to_text(u.concat_sent, sizeof(u.concat_sent)),
			  db_to_text(u.name, sizeof(u.name)),
			  db_to_text(u.type, sizeof(u.type)),
			  db_to_text(u.metadata, sizeof(u.metadata)),
			  db_to_int_or(&u.length, TUS_LENGTH_UNKNOWN),
			  db_to_int(&u.reserved.bytes),
			  db_to_int(&u.reserved.files), db_to_int(&has_sha256),
			  db_to_bytes(u.sha256, SHA256_LEN),
			  db_to_int_or(&u.life, FILES_NEVER),
			  db_to_int(&u.created_at), db_to_int(&u.expires_at),
			  db_to_int_or(&u.finished_at, TUS_UNFINISHED)),
		   why);
	if (e == ERR_NOT_FOUND)
		return session_check_no_row(db, session, ERR_BAD_TOKEN, why);
	if (e != ERR_OK)
		return e;
	session_check_found(db, session);
	if (u.id[0] == '\0')
		return ERR_NOT_FOUND;
	u.concat = (enum tus_concat)concat;
	u.has_sha256 = has_sha256 != 0;
	*out = u;
	return ERR_OK;
}

/* --- removing ------------------------------------------------------------- */

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
