#include "cgi-gateway/tables/upload_links.h"

/* In each statement `k` is the link, `l` the caller's session (caller.h) */
#define OWNER "IF(? = 0, l.user_id, ?)"
#define OWNER_VALUES(owner) db_uint(owner), db_uint(owner)

#define COLUMNS                                                           \
	"k.id, k.owner, k.name, k.created_at, k.expires_at, k.max_files," \
	" k.max_bytes, k.max_file_bytes, k.files, k.bytes"
#define FIELDS(l)                                                         \
	db_to_text((l)->id, sizeof((l)->id)), db_to_uint(&(l)->owner),    \
		db_to_text((l)->name, sizeof((l)->name)),                 \
		db_to_int(&(l)->created_at),                              \
		db_to_int_or(&(l)->expires_at, UPLOAD_LINK_NEVER),        \
		db_to_int_or(&(l)->most.files, UPLOAD_LINK_NO_LIMIT),     \
		db_to_int_or(&(l)->most.bytes, UPLOAD_LINK_NO_LIMIT),     \
		db_to_int_or(&(l)->max_file_bytes, UPLOAD_LINK_NO_LIMIT), \
		db_to_int(&(l)->taken.files), db_to_int(&(l)->taken.bytes)

/* One parameter: now. That the owner is not disabled is for `live_user` */
#define OPEN                                                                  \
	"k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > ?)" \
	" AND (k.max_files IS NULL OR k.files < k.max_files)"                 \
	" AND (k.max_bytes IS NULL OR k.bytes < k.max_bytes)"

static struct db_value hash_value(const unsigned char hash[static SHA256_LEN])
{
	return db_bytes((struct span) { (const char *)hash, SHA256_LEN });
}

/* As with share links, two at the same instant may both find room */
static enum err has_room(struct db *db, const struct session_check *who,
			 uint64_t owner, struct errmsg *why)
{
	int64_t count;
	enum err e = db_row(db,
			    "SELECT COUNT(*) FROM live_session l"
			    " JOIN upload_link k ON k.owner = " OWNER
			    " WHERE k.revoked_at IS NULL AND " SESSION_VALID,
			    DB_IN(OWNER_VALUES(owner), SESSION_VALUES(who)),
			    DB_OUT(db_to_int(&count)), why);

	return e == ERR_OK && count >= UPLOAD_LINK_OWNER_MAX ? ERR_QUOTA : e;
}

enum err upload_links_add(struct db *db, const struct session_check *who,
			  uint64_t owner, struct upload_link *l,
			  char token[static LINK_TOKEN_LEN + 1],
			  struct errmsg *why)
{
	unsigned char hash[SHA256_LEN];
	enum err e = has_room(db, who, owner, why);

	if (e != ERR_OK)
		return e;
	ident_random(l->id);
	link_token_make(token, hash);
	l->created_at = who->now;
	l->taken = (struct amount) { 0, 0 };
	return db_change(
		db,
		"INSERT INTO upload_link (id, hash, owner, name, created_at,"
		" expires_at, max_files, max_bytes, max_file_bytes)"
		" SELECT ?, ?, u.id, ?, ?, ?, ?, ?, ?"
		" FROM live_session l JOIN live_user u ON u.id = " OWNER
		" WHERE " SESSION_VALID,
		DB_IN(db_text(span_of(l->id)), hash_value(hash),
		      db_text(span_of(l->name)), db_int(l->created_at),
		      db_int_or_null(l->expires_at, UPLOAD_LINK_NEVER),
		      db_int_or_null(l->most.files, UPLOAD_LINK_NO_LIMIT),
		      db_int_or_null(l->most.bytes, UPLOAD_LINK_NO_LIMIT),
		      db_int_or_null(l->max_file_bytes, UPLOAD_LINK_NO_LIMIT),
		      OWNER_VALUES(owner), SESSION_VALUES(who)),
		why);
}

enum err upload_links_list(struct db *db, const struct session_check *who,
			   uint64_t owner, struct upload_link *row,
			   db_each_fn *each, void *arg, struct errmsg *why)
{
	return db_each(db,
		       "SELECT " COLUMNS " FROM live_session l"
		       " JOIN upload_link k ON k.owner = " OWNER
		       " WHERE k.revoked_at IS NULL AND " SESSION_VALID
		       " ORDER BY k.created_at DESC, k.id LIMIT ?",
		       DB_IN(OWNER_VALUES(owner), SESSION_VALUES(who),
			     db_int(2 * UPLOAD_LINK_OWNER_MAX)),
		       DB_OUT(FIELDS(row)), each, arg, why);
}

enum err upload_links_revoke(struct db *db, const struct session_check *who,
			     uint64_t owner, struct span id, struct errmsg *why)
{
	if (!ident_is_random(id))
		return ERR_NOT_FOUND;
	return db_change(db,
			 "UPDATE upload_link k JOIN live_session l"
			 " SET k.revoked_at = ?"
			 " WHERE k.id = ? AND k.revoked_at IS NULL"
			 " AND k.owner = " OWNER " AND " SESSION_VALID,
			 DB_IN(db_int(who->now), db_text(id),
			       OWNER_VALUES(owner), SESSION_VALUES(who)),
			 why);
}

enum err upload_links_find(struct db *db, struct span token, int64_t now,
			   struct upload_link *out, struct errmsg *why)
{
	unsigned char hash[SHA256_LEN];
	struct upload_link l;
	int64_t open;
	enum err e = link_token_hash(token, hash);

	if (e != ERR_OK)
		return e;
	e = db_row(db,
		   "SELECT u.id IS NOT NULL AND " OPEN ", " COLUMNS
		   " FROM upload_link k LEFT JOIN live_user u ON u.id = k.owner"
		   " WHERE k.hash = ?",
		   DB_IN(db_int(now), hash_value(hash)),
		   DB_OUT(db_to_int(&open), FIELDS(&l)), why);
	if (e != ERR_OK)
		return e;
	if (open == 0)
		return ERR_GONE;
	*out = l;
	return ERR_OK;
}

static int64_t left(int64_t most, int64_t taken)
{
	return most == UPLOAD_LINK_NO_LIMIT ? INT64_MAX : most - taken;
}

struct amount upload_link_left(const struct upload_link *l)
{
	return (struct amount) {
		.bytes = left(l->most.bytes, l->taken.bytes),
		.files = left(l->most.files, l->taken.files),
	};
}

int64_t upload_link_max_file(const struct upload_link *l, int64_t most)
{
	return l->max_file_bytes != UPLOAD_LINK_NO_LIMIT &&
			       l->max_file_bytes < most
		       ? l->max_file_bytes
		       : most;
}

static enum err take(struct db_conn *c, const struct upload_link *l,
		     struct amount more, int64_t now, struct errmsg *why)
{
	enum err e = db_tx_change(
		c,
		"UPDATE upload_link k JOIN live_user u ON u.id = k.owner"
		" SET k.files = k.files + ?, k.bytes = k.bytes + ?,"
		" k.last_upload_at = ?"
		" WHERE k.id = ? AND " OPEN
		" AND (k.max_files IS NULL OR k.files + ? <= k.max_files)"
		" AND (k.max_bytes IS NULL OR k.bytes + ? <= k.max_bytes)",
		DB_IN(db_int(more.files), db_int(more.bytes), db_int(now),
		      db_text(span_of(l->id)), db_int(now), db_int(more.files),
		      db_int(more.bytes)),
		why);

	return e == ERR_NOT_FOUND ? ERR_GONE : e;
}

static enum err add(struct db *db, const struct upload_link *l, int64_t now,
		    const struct quota_limits *limits, const struct file *files,
		    size_t count, const struct webhook_targets *to,
		    struct errmsg *why)
{
	const struct amount more = files_amount(files, count);
	struct db_conn *c;
	enum err e = db_begin(db, &c, why);

	if (e != ERR_OK)
		return e;
	e = quota_take(c, NULL, l->owner, more, limits, why);
	if (e == ERR_OK)
		e = take(c, l, more, now, why);
	for (size_t i = 0; i < count && e == ERR_OK; i++)
		e = files_insert(c, NULL, l->owner, &files[i], to, why);
	if (e == ERR_OK)
		return db_commit(c, why);
	db_rollback(c);
	return e;
}

enum err upload_links_receive(struct db *db, const struct upload_link *l,
			      int64_t now, const struct quota_limits *limits,
			      const struct file *files, size_t count,
			      const struct webhook_targets *to,
			      struct errmsg *why)
{
	enum err e = add(db, l, now, limits, files, count, to, why);

	/* As in files_add(): an owner without a row, or room just made */
	for (int again = 0; e == ERR_QUOTA && again < 2; again++) {
		e = quota_refused(db, NULL, l->owner,
				  files_amount(files, count), limits, why);
		if (e != ERR_OK)
			break;
		e = add(db, l, now, limits, files, count, to, why);
	}
	return e;
}

#define DEAD                                                           \
	"(revoked_at < ? OR expires_at < ? OR (last_upload_at < ? AND" \
	" (files >= max_files OR bytes >= max_bytes)))"
#define DEAD_VALUES(before) db_int(before), db_int(before), db_int(before)

/* Found without a lock and removed one by one: a DELETE that looked for them
 * would lock what it passes, and uploads would wait for that */
static enum err remove_dead(struct db *db, int64_t before, int64_t *removed,
			    struct errmsg *why)
{
	char id[IDENT_LEN + 1] = "";
	enum err e;

	do {
		e = db_row(db,
			   "SELECT id FROM upload_link WHERE id > ? AND " DEAD
			   " ORDER BY id LIMIT 1",
			   DB_IN(db_text(span_of(id)), DEAD_VALUES(before)),
			   DB_OUT(db_to_text(id, sizeof(id))), why);
		if (e != ERR_OK)
			break;
		e = db_change(db, "DELETE FROM upload_link WHERE id = ?",
			      DB_IN(db_text(span_of(id))), why);
		if (e == ERR_OK)
			++*removed;
		if (e == ERR_NOT_FOUND) /* another sweep was quicker */
			e = ERR_OK;
	} while (e == ERR_OK);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err upload_links_sweep(struct db *db, int64_t now, bool dry,
			    int64_t *removed, struct errmsg *why)
{
	const int64_t before = now - UPLOAD_LINK_KEPT;

	*removed = 0;
	if (dry)
		return db_row(db,
			      "SELECT COUNT(*) FROM upload_link WHERE " DEAD,
			      DB_IN(DEAD_VALUES(before)),
			      DB_OUT(db_to_int(removed)), why);
	return remove_dead(db, before, removed, why);
}
