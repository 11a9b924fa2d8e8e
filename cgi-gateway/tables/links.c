#include "cgi-gateway/tables/links.h"

#include <sodium.h>
#include <string.h>

/* In each statement `k` is the link, `f` its file, and `l` the session
 * (session_check.h). */
#define COLUMNS                                                            \
	"k.id, k.created_at, k.expires_at, k.max_downloads, k.downloads, " \
	"k.bytes_left, k.bytes_sending, k.last_download_at"
#define FIELDS(l)                                                          \
	db_to_text((l)->id, sizeof((l)->id)), db_to_int(&(l)->created_at), \
		db_to_int_or(&(l)->expires_at, LINK_NEVER),                \
		db_to_int_or(&(l)->max_downloads, LINK_NO_LIMIT),          \
		db_to_int(&(l)->downloads), db_to_int(&(l)->bytes_left),   \
		db_to_int(&(l)->bytes_sending),                            \
		db_to_int_or(&(l)->last_download_at, 0)

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

int64_t link_tolerance(int64_t size)
{
	if (size <= LINK_PROBE)
		return 0;
	if (size < LINK_IN_FLIGHT_FROM)
		return LINK_PROBE;
	return size / 2 < LINK_IN_FLIGHT ? size / 2 : LINK_IN_FLIGHT;
}

static int64_t grace_begin(int64_t now)
{
	return now - LINK_GRACE;
}

bool link_has_left(const struct link *l, int64_t now)
{
	return l->max_downloads == LINK_NO_LIMIT ||
	       l->downloads < l->max_downloads ||
	       (l->bytes_left > 0 && l->last_download_at > grace_begin(now));
}

/* Whether the bytes fit into the downloads that were counted */
#define IS_RECENT "last_download_at > ?"
#define BELONGS "(COALESCE(" IS_RECENT ", FALSE) AND bytes_left - ? >= ?)"

/* An empty file counts, too */
static int64_t at_least_one(int64_t n)
{
	return n > 0 ? n : 1;
}

/* An UPDATE assigns from left to right: bytes_left and last_download_at have
 * their old values until their own turn */
enum err links_charge(struct db *db, const struct link *l,
		      const struct link_charge *c, int64_t now,
		      struct errmsg *why)
{
	const struct db_value begin = db_int(grace_begin(now)),
			      n = db_int(at_least_one(c->length)),
			      least = db_int(-link_tolerance(c->size));
	/* clang-format off */
	enum err e = db_change(db,
		"UPDATE link"
		"   SET downloads = downloads + IF(" BELONGS ", 0, 1),"
		"       bytes_left ="
		"         IF(" BELONGS ", bytes_left,"
		"            IF(" IS_RECENT ", bytes_left,"
		"               LEAST(bytes_left, 0)) + ?) - ?,"
		"       bytes_sending = bytes_sending + ?,"
		"       last_download_at = ?"
		" WHERE id = ?"
		"   AND revoked_at IS NULL"
		"   AND (expires_at IS NULL OR expires_at > ?)"
		"   AND (max_downloads IS NULL OR downloads < max_downloads"
		"        OR " BELONGS ")",
		DB_IN(begin, n, least,
		      begin, n, least,
		      begin,
		      db_int(at_least_one(c->size)), n,
		      db_int(c->open ? at_least_one(c->length) : 0),
		      db_int(now),
		      db_text(span_of(l->id)),
		      db_int(now),
		      begin, n, least),
		why);
	/* clang-format on */

	return e == ERR_NOT_FOUND ? ERR_GONE : e;
}

bool link_charge_may_fit(const struct link *l, const struct link_charge *c,
			 int64_t now)
{
	return l->bytes_sending > 0 && l->last_download_at > grace_begin(now) &&
	       l->bytes_left + l->bytes_sending - at_least_one(c->length) >=
		       -link_tolerance(c->size);
}

enum err links_end_charge(struct db *db, const struct link *l,
			  const struct link_charge *c, int64_t unsent,
			  struct errmsg *why)
{
	/* clang-format off */
	return db_change(db,
		"UPDATE link"
		"   SET bytes_left = bytes_left + ?,"
		"       bytes_sending = GREATEST(bytes_sending - ?, 0)"
		" WHERE id = ?",
		DB_IN(db_int(unsent), db_int(at_least_one(c->length)),
		      db_text(span_of(l->id))), why);
	/* clang-format on */
}
