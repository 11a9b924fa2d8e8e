#include "cgi-gateway/tables/links.h"

#include <sodium.h>
#include <string.h>

/* In each statement `k` is the link, `f` its file, and `l` the session
 * (session_check.h). */
#define COLUMNS "k.id, k.created_at, k.expires_at, k.max_downloads, k.downloads"
#define FIELDS(l)                                                          \
	db_to_text((l)->id, sizeof((l)->id)), db_to_int(&(l)->created_at), \
		db_to_int_or(&(l)->expires_at, LINK_NEVER),                \
		db_to_int_or(&(l)->max_downloads, LINK_NO_LIMIT),          \
		db_to_int(&(l)->downloads)

static struct db_value hash_value(const unsigned char hash[static SHA256_LEN])
{
	return db_bytes((struct span) { (const char *)hash, SHA256_LEN });
}

/* Check the limit of links. Two simultaneous requests may both pass: the limit
 * is meant to stop a client that creates links in a loop, and one more does no
 * harm */
static enum err check_link_count(struct db *db, const struct file *f,
				 struct errmsg *why)
{
	int64_t count;
	/* clang-format off */
	enum err e = db_row(db,
		"SELECT COUNT(*)"
		"  FROM link"
		" WHERE file_id = ?"
		"   AND revoked_at IS NULL",
		DB_IN(db_text(span_of(f->id))),
		DB_OUT(db_to_int(&count)), why);
	/* clang-format on */

	return e == ERR_OK && count >= LINK_FILE_MAX ? ERR_TOO_MANY : e;
}

static enum err insert_link(struct db *db, const struct session_check *session,
			    const struct file *f, const struct link *l,
			    const unsigned char hash[static SHA256_LEN],
			    struct errmsg *why)
{
	/* clang-format off */
	enum err e = db_change(db,
		"INSERT INTO link (id, hash, file_id, owner, created_at,"
		"       expires_at, max_downloads)"
		" SELECT ?, ?, f.id, f.owner, ?, ?, ?"
		"   FROM live_session l"
		"   JOIN file f"
		"  WHERE f.id = ?"
		"    AND f.owner = ?"
		"    AND " SESSION_VALID,
		DB_IN(db_text(span_of(l->id)), hash_value(hash),
		      db_int(l->created_at),
		      db_int_or_null(l->expires_at, LINK_NEVER),
		      db_int_or_null(l->max_downloads, LINK_NO_LIMIT),
		      db_text(span_of(f->id)), db_uint(f->owner),
		      SESSION_VALUES(session)),
		why);
	/* clang-format on */

	return e == ERR_NOT_FOUND ? ERR_BAD_TOKEN : e;
}

enum err links_add(struct db *db, const struct session_check *session,
		   const struct file *f, struct link *l,
		   char token[static LINK_TOKEN_LEN + 1], struct errmsg *why)
{
	unsigned char hash[SHA256_LEN];
	char new_token[LINK_TOKEN_LEN + 1];
	struct link new_link = *l;
	enum err e = check_link_count(db, f, why);

	if (e != ERR_OK)
		return e;
	ident_random(new_link.id);
	link_token_make(new_token, hash);
	new_link.created_at = session->now;
	new_link.downloads = 0;
	e = insert_link(db, session, f, &new_link, hash, why);
	if (e == ERR_OK) {
		*l = new_link;
		memcpy(token, new_token, sizeof(new_token));
	}
	sodium_memzero(new_token, sizeof(new_token));
	return e;
}

enum err links_list(struct db *db, const struct file *f, struct link *row,
		    db_each_fn *each, void *arg, struct errmsg *why)
{
	/* clang-format off */
	return db_each(db,
		"SELECT " COLUMNS
		"  FROM link k"
		" WHERE k.file_id = ?"
		"   AND k.owner = ?"
		"   AND k.revoked_at IS NULL"
		" ORDER BY k.created_at DESC, k.id"
		" LIMIT ?",
		DB_IN(db_text(span_of(f->id)), db_uint(f->owner),
		      db_int(2 * LINK_FILE_MAX)),
		DB_OUT(FIELDS(row)), each, arg, why);
	/* clang-format on */
}

enum err links_revoke(struct db *db, const struct session_check *session,
		      uint64_t owner, struct span id, struct errmsg *why)
{
	enum err e;

	/* Not an id: find no link, but still check the session */
	if (!ident_is_random(id))
		id = SPAN("");
	/* clang-format off */
	e = db_change(db,
		"UPDATE link k"
		"  JOIN live_session l"
		"   SET k.revoked_at = ?"
		" WHERE k.id = ?"
		"   AND k.revoked_at IS NULL"
		"   AND k.owner = IF(? = 0, l.user_id, ?)"
		"   AND " SESSION_VALID,
		DB_IN(db_int(session->now), db_text(id), db_uint(owner),
		      db_uint(owner), SESSION_VALUES(session)),
		why);
	/* clang-format on */
	return e == ERR_NOT_FOUND ? session_check_no_row(db, session, e, why)
				  : e;
}

enum err links_find(struct db *db, struct span token, int64_t now,
		    struct link *out, struct file *out_file, struct errmsg *why)
{
	unsigned char hash[SHA256_LEN];
	struct link l;
	struct file f;
	int64_t is_live;
	enum err e = link_token_hash(token, hash);

	if (e != ERR_OK)
		return e;
	/* clang-format off */
	e = db_row(db,
		"SELECT k.revoked_at IS NULL"
		"       AND (k.expires_at IS NULL OR k.expires_at > ?), "
			COLUMNS ", " FILES_COLUMNS
		"  FROM link k"
		"  LEFT JOIN file f"
		"    ON f.id = k.file_id"
		"   AND (f.expires_at IS NULL OR f.expires_at > ?)"
		" WHERE k.hash = ?",
		DB_IN(db_int(now), db_int(now), hash_value(hash)),
		DB_OUT(db_to_int(&is_live), FIELDS(&l), FILES_FIELDS(&f)),
		why);
	/* clang-format on */
	if (e != ERR_OK)
		return e;
	if (is_live == 0 || f.id[0] == '\0')
		return ERR_GONE;
	*out = l;
	*out_file = f;
	return ERR_OK;
}

/* --- downloads ------------------------------------------------------------ */

bool link_has_left(const struct link *l)
{
	return l->max_downloads == LINK_NO_LIMIT ||
	       l->downloads < l->max_downloads;
}

enum err links_count(struct db *db, const struct link *l, int64_t now,
		     struct errmsg *why)
{
	/* clang-format off */
	enum err e = db_change(db,
		"UPDATE link"
		"   SET downloads = downloads + 1,"
		"       last_download_at = ?,"
		"       resumes = 0"
		" WHERE id = ?"
		"   AND revoked_at IS NULL"
		"   AND (expires_at IS NULL OR expires_at > ?)"
		"   AND (max_downloads IS NULL OR downloads < max_downloads)",
		DB_IN(db_int(now), db_text(span_of(l->id)), db_int(now)), why);
	/* clang-format on */

	return e == ERR_NOT_FOUND ? ERR_GONE : e;
}

enum err links_resume(struct db *db, const struct link *l, int64_t now,
		      struct errmsg *why)
{
	enum err e;

	if (l->max_downloads == LINK_NO_LIMIT)
		return ERR_OK;
	/* clang-format off */
	e = db_change(db,
		"UPDATE link"
		"   SET resumes = resumes + 1"
		" WHERE id = ?"
		"   AND revoked_at IS NULL"
		"   AND (expires_at IS NULL OR expires_at > ?)"
		"   AND last_download_at > ?"
		"   AND resumes < ?",
		DB_IN(db_text(span_of(l->id)), db_int(now),
		      db_int(now - LINK_GRACE), db_int(LINK_RESUMES)),
		why);
	/* clang-format on */
	return e == ERR_NOT_FOUND ? ERR_GONE : e;
}

/* --- gc ------------------------------------------------------------------- */

/* Find the id of the next link after *id that is not revoked and has no file */
static enum err next_without_file(struct db *db, char id[static IDENT_LEN + 1],
				  struct errmsg *why)
{
	/* clang-format off */
	return db_row(db,
		"SELECT k.id"
		"  FROM link k"
		"  LEFT JOIN file f ON f.id = k.file_id"
		" WHERE k.id > ?"
		"   AND k.revoked_at IS NULL"
		"   AND f.id IS NULL"
		" ORDER BY k.id"
		" LIMIT 1",
		DB_IN(db_text(span_of(id))),
		DB_OUT(db_to_text(id, IDENT_LEN + 1)), why);
	/* clang-format on */
}

static enum err revoke_by_id(struct db *db, const char *id, int64_t now,
			     struct errmsg *why)
{
	/* clang-format off */
	return db_change(db,
		"UPDATE link"
		"   SET revoked_at = ?"
		" WHERE id = ?"
		"   AND revoked_at IS NULL",
		DB_IN(db_int(now), db_text(span_of(id))), why);
	/* clang-format on */
}

/* Revoke them one by one, in the order of their ids: a searching UPDATE would
 * lock all links and files that it reads */
static enum err revoke_without_file(struct db *db, int64_t now,
				    struct errmsg *why)
{
	char id[IDENT_LEN + 1] = "";
	enum err e;

	while ((e = next_without_file(db, id, why)) == ERR_OK) {
		e = revoke_by_id(db, id, now, why);
		if (e != ERR_OK && e != ERR_NOT_FOUND)
			return e;
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

#define ENDED_VALUES(before) db_int(before), db_int(before), db_int(before)

static enum err count_ended_links(struct db *db, int64_t before, int64_t *out,
				  struct errmsg *why)
{
	/* clang-format off */
	return db_row(db,
		"SELECT COUNT(*)"
		"  FROM link"
		" WHERE (revoked_at < ?"
		"        OR expires_at < ?"
		"        OR (downloads >= max_downloads"
		"            AND last_download_at < ?))",
		DB_IN(ENDED_VALUES(before)), DB_OUT(db_to_int(out)), why);
	/* clang-format on */
}

/* Find the id of the next ended link after *id */
static enum err next_ended_link(struct db *db, int64_t before,
				char id[static IDENT_LEN + 1],
				struct errmsg *why)
{
	/* clang-format off */
	return db_row(db,
		"SELECT id"
		"  FROM link"
		" WHERE id > ?"
		"   AND (revoked_at < ?"
		"        OR expires_at < ?"
		"        OR (downloads >= max_downloads"
		"            AND last_download_at < ?))"
		" ORDER BY id"
		" LIMIT 1",
		DB_IN(db_text(span_of(id)), ENDED_VALUES(before)),
		DB_OUT(db_to_text(id, IDENT_LEN + 1)), why);
	/* clang-format on */
}

/* Find them without a lock and remove them one by one, as in
 * revoke_without_file() */
static enum err remove_ended_links(struct db *db, int64_t before,
				   int64_t *removed, struct errmsg *why)
{
	char id[IDENT_LEN + 1] = "";
	enum err e;

	while ((e = next_ended_link(db, before, id, why)) == ERR_OK) {
		/* clang-format off */
		e = db_change(db,
			"DELETE FROM link"
			" WHERE id = ?",
			DB_IN(db_text(span_of(id))), why);
		/* clang-format on */
		if (e == ERR_OK)
			++*removed;
		else if (e != ERR_NOT_FOUND) /* another gc removed it */
			return e;
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err links_gc(struct db *db, int64_t now, bool dry, int64_t *removed,
		  struct errmsg *why)
{
	const int64_t before = now - LINK_KEPT;
	enum err e;

	*removed = 0;
	if (dry)
		return count_ended_links(db, before, removed, why);
	e = revoke_without_file(db, now, why);
	return e == ERR_OK ? remove_ended_links(db, before, removed, why) : e;
}
