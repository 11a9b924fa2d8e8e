/* Queries of gateway-admin on the table `file`. */
#include "cgi-gateway/tables/files.h"

#define FILE_OUT(f) DB_OUT(FILES_FIELDS(f))

enum err files_exists(struct db *db, struct span id, struct errmsg *why)
{
	int64_t one;

	/* clang-format off */
	return db_row(db,
		"SELECT 1"
		"  FROM file"
		" WHERE id = ?"
		"  LOCK IN SHARE MODE",
		DB_IN(db_text(id)), DB_OUT(db_to_int(&one)), why);
	/* clang-format on */
}

enum err files_expired(struct db *db, int64_t now, const struct file *after,
		       struct file *row, db_each_fn *each, void *arg,
		       struct errmsg *why)
{
	/* clang-format off */
	return db_each(db,
		"SELECT " FILES_COLUMNS
		"  FROM file f"
		" WHERE f.expires_at BETWEEN ? AND ?"
		"   AND (f.expires_at > ? OR f.id > ?)"
		" ORDER BY f.expires_at, f.id"
		" LIMIT ?",
		DB_IN(db_int(after->expires_at), db_int(now),
		      db_int(after->expires_at), db_text(span_of(after->id)),
		      db_int(FILES_LIST_MAX)),
		FILE_OUT(row), each, arg, why);
	/* clang-format on */
}

enum err files_walk(struct db *db, struct span after, struct file *row,
		    db_each_fn *each, void *arg, struct errmsg *why)
{
	/* clang-format off */
	return db_each(db,
		"SELECT " FILES_COLUMNS
		"  FROM file f"
		" WHERE f.id > ?"
		" ORDER BY f.id"
		" LIMIT ?",
		DB_IN(db_text(after), db_int(FILES_LIST_MAX)), FILE_OUT(row),
		each, arg, why);
	/* clang-format on */
}

enum err files_count(struct db *db, struct files_total *out, struct errmsg *why)
{
	/* clang-format off */
	return db_row(db,
		"SELECT COUNT(*), COALESCE(SUM(size), 0), COUNT(DISTINCT owner)"
		"  FROM file",
		DB_NONE,
		DB_OUT(db_to_int(&out->files), db_to_int(&out->bytes),
		       db_to_int(&out->owners)),
		why);
	/* clang-format on */
}
