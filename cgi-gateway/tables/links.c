#include "cgi-gateway/tables/links.h"

#define LINK_COLUMNS \
	"k.id, k.created_at, k.expires_at, k.max_downloads, k.downloads"
#define LINK_FIELDS(l)                                                     \
	db_to_text((l)->id, sizeof((l)->id)), db_to_int(&(l)->created_at), \
		db_to_int_or(&(l)->expires_at, LINK_NEVER),                \
		db_to_int_or(&(l)->max_downloads, LINK_NO_LIMIT),          \
		db_to_int(&(l)->downloads)

/* A link that has not ended, but may be used up */
#define OPEN_STILL \
	"revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)"

static struct db_value hash_value(const unsigned char hash[static SHA256_LEN])
{
	return db_bytes((struct span) { (const char *)hash, SHA256_LEN });
}

/* Two at the same instant may both find room: the limit is against a loop that
 * runs wild, and one more does no harm */
static enum err has_room(struct db *db, const struct file *f,
			 struct errmsg *why)
{
	int64_t count;
	enum err e = db_row(db,
			    "SELECT COUNT(*) FROM link WHERE file_id = ?"
			    " AND revoked_at IS NULL",
			    DB_IN(db_text(span_of(f->id))),
			    DB_OUT(db_to_int(&count)), why);

	return e == ERR_OK && count >= LINK_FILE_MAX ? ERR_QUOTA : e;
}

enum err links_add(struct db *db, const struct session_check *who,
		   const struct file *f, struct link *l,
		   char token[static LINK_TOKEN_LEN + 1], struct errmsg *why)
{
	unsigned char hash[SHA256_LEN];
	enum err e = has_room(db, f, why);

	if (e != ERR_OK)
		return e;
	ident_random(l->id);
	link_token_make(token, hash);
	l->created_at = who->now;
	l->downloads = 0;
	e = db_change(db,
		      "INSERT INTO link (id, hash, file_id, owner, created_at,"
		      " expires_at, max_downloads)"
		      " SELECT ?, ?, f.id, f.owner, ?, ?, ?"
		      " FROM live_session l JOIN file f"
		      " WHERE f.id = ? AND f.owner = ? AND " SESSION_VALID,
		      DB_IN(db_text(span_of(l->id)), hash_value(hash),
			    db_int(l->created_at),
			    db_int_or_null(l->expires_at, LINK_NEVER),
			    db_int_or_null(l->max_downloads, LINK_NO_LIMIT),
			    db_text(span_of(f->id)), db_uint(f->owner),
			    SESSION_VALUES(who)),
		      why);
	return e == ERR_NOT_FOUND ? ERR_BAD_TOKEN : e;
}

enum err links_list(struct db *db, const struct file *f, struct link *row,
		    db_each_fn *each, void *arg, struct errmsg *why)
{
	return db_each(db,
		       "SELECT " LINK_COLUMNS " FROM link k"
		       " WHERE k.file_id = ? AND k.owner = ?"
		       " AND k.revoked_at IS NULL"
		       " ORDER BY k.created_at DESC, k.id LIMIT ?",
		       DB_IN(db_text(span_of(f->id)), db_uint(f->owner),
			     db_int(2 * LINK_FILE_MAX)),
		       DB_OUT(LINK_FIELDS(row)), each, arg, why);
}

enum err links_revoke(struct db *db, const struct session_check *who,
		      uint64_t owner, struct span id, struct errmsg *why)
{
	if (!ident_is_random(id))
		return ERR_NOT_FOUND;
	return db_change(db,
			 "UPDATE link k JOIN live_session l"
			 " SET k.revoked_at = ?"
			 " WHERE k.id = ? AND k.revoked_at IS NULL"
			 " AND k.owner = IF(? = 0, l.user_id, ?)"
			 " AND " SESSION_VALID,
			 DB_IN(db_int(who->now), db_text(id), db_uint(owner),
			       db_uint(owner), SESSION_VALUES(who)),
			 why);
}

enum err links_find(struct db *db, struct span token, int64_t now,
		    struct link *out, struct file *f, struct errmsg *why)
{
	unsigned char hash[SHA256_LEN];
	struct link l;
	struct file found;
	int64_t open;
	enum err e = link_token_hash(token, hash);

	if (e != ERR_OK)
		return e;
	e = db_row(
		db,
		"SELECT k.revoked_at IS NULL AND (k.expires_at IS NULL"
		" OR k.expires_at > ?), " LINK_COLUMNS ", " FILES_COLUMNS
		" FROM link k LEFT JOIN file f ON f.id = k.file_id"
		" AND (f.expires_at IS NULL OR f.expires_at > ?)"
		" WHERE k.hash = ?",
		DB_IN(db_int(now), db_int(now), hash_value(hash)),
		DB_OUT(db_to_int(&open), LINK_FIELDS(&l), FILES_FIELDS(&found)),
		why);
	if (e != ERR_OK)
		return e;
	if (open == 0 || found.id[0] == '\0')
		return ERR_GONE;
	*out = l;
	*f = found;
	return ERR_OK;
}

bool link_has_left(const struct link *l)
{
	return l->max_downloads == LINK_NO_LIMIT ||
	       l->downloads < l->max_downloads;
}

static enum err gone_without_row(enum err e)
{
	return e == ERR_NOT_FOUND ? ERR_GONE : e;
}

enum err links_count(struct db *db, const struct link *l, int64_t now,
		     struct errmsg *why)
{
	return gone_without_row(db_change(
		db,
		"UPDATE link SET downloads = downloads + 1,"
		" last_download_at = ?, resumes = 0"
		" WHERE id = ? AND " OPEN_STILL
		" AND (max_downloads IS NULL OR downloads < max_downloads)",
		DB_IN(db_int(now), db_text(span_of(l->id)), db_int(now)), why));
}

enum err links_resume(struct db *db, const struct link *l, int64_t now,
		      struct errmsg *why)
{
	if (l->max_downloads == LINK_NO_LIMIT)
		return ERR_OK;
	return gone_without_row(
		db_change(db,
			  "UPDATE link SET resumes = resumes + 1"
			  " WHERE id = ? AND " OPEN_STILL
			  " AND last_download_at > ? AND resumes < ?",
			  DB_IN(db_text(span_of(l->id)), db_int(now),
				db_int(now - LINK_GRACE), db_int(LINK_RESUMES)),
			  why));
}

#define DEAD                                   \
	"(revoked_at < ? OR expires_at < ? OR" \
	" (downloads >= max_downloads AND last_download_at < ?))"
#define DEAD_VALUES(before) db_int(before), db_int(before), db_int(before)

static enum err none_is_fine(enum err e)
{
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* One by one, in the order of their ids: an UPDATE that looked for them would
 * lock all links and files that it sees */
static enum err revoke_lost(struct db *db, int64_t now, struct errmsg *why)
{
	char id[IDENT_LEN + 1] = "";
	enum err e;

	do {
		e = db_row(db,
			   "SELECT k.id FROM link k LEFT JOIN file f"
			   " ON f.id = k.file_id WHERE k.id > ?"
			   " AND k.revoked_at IS NULL AND f.id IS NULL"
			   " ORDER BY k.id LIMIT 1",
			   DB_IN(db_text(span_of(id))),
			   DB_OUT(db_to_text(id, sizeof(id))), why);
		if (e == ERR_OK)
			e = none_is_fine(db_change(
				db,
				"UPDATE link SET revoked_at = ?"
				" WHERE id = ? AND revoked_at IS NULL",
				DB_IN(db_int(now), db_text(span_of(id))), why));
	} while (e == ERR_OK);
	return none_is_fine(e);
}

static enum err count_dead(struct db *db, int64_t before, int64_t *out,
			   struct errmsg *why)
{
	return db_row(db, "SELECT COUNT(*) FROM link WHERE " DEAD,
		      DB_IN(DEAD_VALUES(before)), DB_OUT(db_to_int(out)), why);
}

/* Found without a lock and removed one by one, as in revoke_lost() */
static enum err remove_dead(struct db *db, int64_t before, int64_t *removed,
			    struct errmsg *why)
{
	char id[IDENT_LEN + 1] = "";
	enum err e;

	do {
		e = db_row(db,
			   "SELECT id FROM link WHERE id > ? AND " DEAD
			   " ORDER BY id LIMIT 1",
			   DB_IN(db_text(span_of(id)), DEAD_VALUES(before)),
			   DB_OUT(db_to_text(id, sizeof(id))), why);
		if (e != ERR_OK)
			break;
		e = db_change(db, "DELETE FROM link WHERE id = ?",
			      DB_IN(db_text(span_of(id))), why);
		if (e == ERR_OK)
			++*removed;
		e = none_is_fine(e); /* another sweep was quicker */
	} while (e == ERR_OK);
	return none_is_fine(e);
}

enum err links_sweep(struct db *db, int64_t now, bool dry, int64_t *removed,
		     struct errmsg *why)
{
	const int64_t before = now - LINK_KEPT;
	enum err e;

	*removed = 0;
	if (dry)
		return count_dead(db, before, removed, why);
	e = revoke_lost(db, now, why);
	return e == ERR_OK ? remove_dead(db, before, removed, why) : e;
}
