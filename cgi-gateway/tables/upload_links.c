#include "cgi-gateway/tables/upload_links.h"

#include <sodium.h>
#include <string.h>

/* In each statement `k` is the link, `l` the session (session_check.h), and `u`
 * the link's owner, if not disabled. */
#define OWNER_VALUES(owner) db_uint(owner), db_uint(owner)

#define COLUMNS                                                           \
	"k.id, k.owner, k.name, k.created_at, k.expires_at, k.max_files," \
	" k.max_bytes, k.max_file_bytes, k.files, k.bytes"
#define FIELDS(l)                                                         \
	db_to_text((l)->id, sizeof((l)->id)), db_to_uint(&(l)->owner),    \
		db_to_text((l)->name, sizeof((l)->name)),                 \
		db_to_int(&(l)->created_at),                              \
		db_to_int_or(&(l)->expires_at, UPLOAD_LINK_NEVER),        \
		db_to_int_or(&(l)->limits.files, UPLOAD_LINK_NO_LIMIT),   \
		db_to_int_or(&(l)->limits.bytes, UPLOAD_LINK_NO_LIMIT),   \
		db_to_int_or(&(l)->max_file_bytes, UPLOAD_LINK_NO_LIMIT), \
		db_to_int(&(l)->used.files), db_to_int(&(l)->used.bytes)

static struct db_value hash_value(const unsigned char hash[static SHA256_LEN])
{
	return db_bytes((struct span) { (const char *)hash, SHA256_LEN });
}

/* Check the limit of links; two simultaneous requests may both pass, as with
 * share links */
static enum err check_upload_link_count(struct db *db,
					const struct session_check *session,
					uint64_t owner, struct errmsg *why)
{
	int64_t count;
	/* clang-format off */
	enum err e = db_row(db,
		"SELECT COUNT(*)"
		"  FROM live_session l"
		"  JOIN upload_link k ON k.owner = IF(? = 0, l.user_id, ?)"
		" WHERE k.revoked_at IS NULL"
		"   AND " SESSION_VALID,
		DB_IN(OWNER_VALUES(owner), SESSION_VALUES(session)),
		DB_OUT(db_to_int(&count)), why);
	/* clang-format on */

	return e == ERR_OK && count >= UPLOAD_LINK_OWNER_MAX ? ERR_TOO_MANY : e;
}

static enum err insert_upload_link(struct db *db,
				   const struct session_check *session,
				   uint64_t owner, const struct upload_link *l,
				   const unsigned char hash[static SHA256_LEN],
				   struct errmsg *why)
{
	/* clang-format off */
	return db_change(db,
		"INSERT INTO upload_link (id, hash, owner, name, created_at,"
		"       expires_at, max_files, max_bytes, max_file_bytes)"
		" SELECT ?, ?, u.id, ?, ?, ?, ?, ?, ?"
		"   FROM live_session l"
		"   JOIN live_user u ON u.id = IF(? = 0, l.user_id, ?)"
		"  WHERE " SESSION_VALID,
		DB_IN(db_text(span_of(l->id)), hash_value(hash),
		      db_text(span_of(l->name)), db_int(l->created_at),
		      db_int_or_null(l->expires_at, UPLOAD_LINK_NEVER),
		      db_int_or_null(l->limits.files, UPLOAD_LINK_NO_LIMIT),
		      db_int_or_null(l->limits.bytes, UPLOAD_LINK_NO_LIMIT),
		      db_int_or_null(l->max_file_bytes, UPLOAD_LINK_NO_LIMIT),
		      OWNER_VALUES(owner), SESSION_VALUES(session)),
		why);
	/* clang-format on */
}

enum err upload_links_add(struct db *db, const struct session_check *session,
			  uint64_t owner, struct upload_link *l,
			  char token[static LINK_TOKEN_LEN + 1],
			  struct errmsg *why)
{
	unsigned char hash[SHA256_LEN];
	char new_token[LINK_TOKEN_LEN + 1];
	struct upload_link new_link = *l;
	enum err e = check_upload_link_count(db, session, owner, why);

	if (e != ERR_OK)
		return e;
	ident_random(new_link.id);
	link_token_make(new_token, hash);
	new_link.created_at = session->now;
	new_link.used = (struct amount) { 0, 0 };
	e = insert_upload_link(db, session, owner, &new_link, hash, why);
	if (e == ERR_OK) {
		*l = new_link;
		memcpy(token, new_token, sizeof(new_token));
	}
	sodium_memzero(new_token, sizeof(new_token));
	return e == ERR_NOT_FOUND ? session_check_no_row(db, session, e, why)
				  : e;
}

enum err upload_links_list(struct db *db, const struct session_check *session,
			   uint64_t owner, struct upload_link *row,
			   db_each_fn *each, void *arg, struct errmsg *why)
{
	struct session_rows rows = { each, arg, false };
	/* clang-format off */
	enum err e = db_each(db,
		"SELECT " COLUMNS
		"  FROM live_session l"
		"  JOIN upload_link k ON k.owner = IF(? = 0, l.user_id, ?)"
		" WHERE k.revoked_at IS NULL"
		"   AND " SESSION_VALID
		" ORDER BY k.created_at DESC, k.id"
		" LIMIT ?",
		DB_IN(OWNER_VALUES(owner), SESSION_VALUES(session),
		      db_int(2 * UPLOAD_LINK_OWNER_MAX)),
		DB_OUT(FIELDS(row)), session_rows_each, &rows, why);
	/* clang-format on */

	if (e == ERR_OK && !rows.any)
		return session_check_no_row(db, session, ERR_OK, why);
	return e;
}

enum err upload_links_revoke(struct db *db, const struct session_check *session,
			     uint64_t owner, struct span id, struct errmsg *why)
{
	enum err e;

	/* Not an id: find no link, but still check the session */
	if (!ident_is_random(id))
		id = SPAN("");
	/* clang-format off */
	e = db_change(db,
		"UPDATE upload_link k"
		"  JOIN live_session l"
		"   SET k.revoked_at = ?"
		" WHERE k.id = ?"
		"   AND k.revoked_at IS NULL"
		"   AND k.owner = IF(? = 0, l.user_id, ?)"
		"   AND " SESSION_VALID,
		DB_IN(db_int(session->now), db_text(id), OWNER_VALUES(owner),
		      SESSION_VALUES(session)),
		why);
	/* clang-format on */
	return e == ERR_NOT_FOUND ? session_check_no_row(db, session, e, why)
				  : e;
}

enum err upload_links_find(struct db *db, struct span token, int64_t now,
			   struct upload_link *out, struct errmsg *why)
{
	unsigned char hash[SHA256_LEN];
	struct upload_link l;
	int64_t accepts_files;
	enum err e = link_token_hash(token, hash);

	if (e != ERR_OK)
		return e;
	/* clang-format off */
	e = db_row(db,
		"SELECT " UPLOAD_LINK_ACCEPTS ", "
			COLUMNS
		"  FROM upload_link k"
		"  LEFT JOIN live_user u ON u.id = k.owner"
		" WHERE k.hash = ?",
		DB_IN(db_int(now), hash_value(hash)),
		DB_OUT(db_to_int(&accepts_files), FIELDS(&l)), why);
	/* clang-format on */
	if (e != ERR_OK)
		return e;
	if (accepts_files == 0)
		return ERR_GONE;
	*out = l;
	return ERR_OK;
}

static int64_t left(int64_t limit, int64_t used)
{
	return limit == UPLOAD_LINK_NO_LIMIT ? INT64_MAX : limit - used;
}

struct amount upload_link_left(const struct upload_link *l)
{
	return (struct amount) {
		.bytes = left(l->limits.bytes, l->used.bytes),
		.files = left(l->limits.files, l->used.files),
	};
}

int64_t upload_link_max_file(const struct upload_link *l, int64_t max)
{
	return l->max_file_bytes != UPLOAD_LINK_NO_LIMIT &&
			       l->max_file_bytes < max
		       ? l->max_file_bytes
		       : max;
}

/* --- receiving files ------------------------------------------------------ */

static enum err count_in_link(struct db_conn *c, const struct upload_link *l,
			      struct amount more, int64_t now,
			      struct errmsg *why)
{
	/* clang-format off */
	enum err e = db_tx_change(c,
		"UPDATE upload_link k"
		"  JOIN live_user u ON u.id = k.owner"
		"   SET k.files = k.files + ?,"
		"       k.bytes = k.bytes + ?,"
		"       k.last_upload_at = ?"
		" WHERE k.id = ?"
		"   AND k.revoked_at IS NULL"
		"   AND (k.expires_at IS NULL OR k.expires_at > ?)"
		"   AND (k.max_files IS NULL OR k.files < k.max_files)"
		"   AND (k.max_bytes IS NULL OR k.bytes < k.max_bytes)"
		"   AND (k.max_files IS NULL OR k.files + ? <= k.max_files)"
		"   AND (k.max_bytes IS NULL OR k.bytes + ? <= k.max_bytes)",
		DB_IN(db_int(more.files), db_int(more.bytes), db_int(now),
		      db_text(span_of(l->id)), db_int(now), db_int(more.files),
		      db_int(more.bytes)),
		why);
	/* clang-format on */

	return e == ERR_NOT_FOUND ? ERR_GONE : e;
}

static enum err receive_once(struct db *db, const struct upload_link *l,
			     int64_t now, const struct quota_limits *defaults,
			     const struct file *files, size_t count,
			     const struct webhook_targets *to,
			     struct errmsg *why)
{
	const struct amount more = files_amount(files, count);
	struct db_conn *c;
	enum err e = db_begin(db, &c, why);

	if (e != ERR_OK)
		return e;
	e = quota_take(c, NULL, l->owner, more, defaults, why);
	if (e == ERR_OK)
		e = count_in_link(c, l, more, now, why);
	for (size_t i = 0; i < count && e == ERR_OK; i++)
		e = files_insert(c, NULL, l->owner, &files[i], to, why);
	if (e == ERR_OK)
		return db_commit(c, why);
	db_rollback(c);
	return e;
}

enum err upload_links_receive(struct db *db, const struct upload_link *l,
			      int64_t now, const struct quota_limits *defaults,
			      const struct file *files, size_t count,
			      const struct webhook_targets *to,
			      struct errmsg *why)
{
	enum err e = receive_once(db, l, now, defaults, files, count, to, why);

	/* Retry as files_add() does */
	for (int retry = 0; e == ERR_QUOTA && retry < 2; retry++) {
		e = quota_refused(db, NULL, l->owner,
				  files_amount(files, count), defaults, why);
		if (e != ERR_OK)
			break;
		e = receive_once(db, l, now, defaults, files, count, to, why);
	}
	return e;
}

/* --- gc ------------------------------------------------------------------- */

#define ENDED_VALUES(before) db_int(before), db_int(before), db_int(before)

static enum err count_ended_upload_links(struct db *db, int64_t before,
					 int64_t *out, struct errmsg *why)
{
	/* clang-format off */
	return db_row(db,
		"SELECT COUNT(*)"
		"  FROM upload_link"
		" WHERE (revoked_at < ?"
		"        OR expires_at < ?"
		"        OR (last_upload_at < ?"
		"            AND (files >= max_files OR bytes >= max_bytes)))",
		DB_IN(ENDED_VALUES(before)), DB_OUT(db_to_int(out)), why);
	/* clang-format on */
}

/* Find the id of the next ended link after *id */
static enum err next_ended_upload_link(struct db *db, int64_t before,
				       char id[static IDENT_LEN + 1],
				       struct errmsg *why)
{
	/* clang-format off */
	return db_row(db,
		"SELECT id"
		"  FROM upload_link"
		" WHERE id > ?"
		"   AND (revoked_at < ?"
		"        OR expires_at < ?"
		"        OR (last_upload_at < ?"
		"            AND (files >= max_files OR bytes >= max_bytes)))"
		" ORDER BY id"
		" LIMIT 1",
		DB_IN(db_text(span_of(id)), ENDED_VALUES(before)),
		DB_OUT(db_to_text(id, IDENT_LEN + 1)), why);
	/* clang-format on */
}

/* Find them without a lock and remove them one by one: a searching DELETE would
 * lock all rows that it reads, and uploads would wait for it */
static enum err remove_ended_upload_links(struct db *db, int64_t before,
					  int64_t *removed, struct errmsg *why)
{
	char id[IDENT_LEN + 1] = "";
	enum err e;

	while ((e = next_ended_upload_link(db, before, id, why)) == ERR_OK) {
		/* clang-format off */
		e = db_change(db,
			"DELETE FROM upload_link"
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

enum err upload_links_gc(struct db *db, int64_t now, bool dry, int64_t *removed,
			 struct errmsg *why)
{
	const int64_t before = now - UPLOAD_LINK_KEPT;

	*removed = 0;
	return dry ? count_ended_upload_links(db, before, removed, why)
		   : remove_ended_upload_links(db, before, removed, why);
}
