/* What gateway-admin gc does with share links. */
#include "cgi-gateway/tables/links.h"

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
