#include "cgi-gateway/tables/upload_link_room.h"

enum err upload_link_room(struct db *db, struct span token, int64_t now,
			  const struct quota_limits *defaults,
			  struct upload_link *link, struct usage *usage,
			  struct errmsg *why)
{
	unsigned char hash[SHA256_LEN];
	struct upload_link l = { .id = "" };
	struct usage u;
	int64_t accepts_files;
	enum err e = link_token_hash(token, hash);

	if (e != ERR_OK)
		return e;
	/* clang-format off */
	e = db_row(db,
		"SELECT " UPLOAD_LINK_ACCEPTS ","
		"       k.id, k.owner, k.max_files, k.max_bytes,"
		"       k.max_file_bytes, k.files, k.bytes,"
		"       COALESCE(q.bytes, 0), COALESCE(q.files, 0),"
		"       q.max_bytes, q.max_files"
		"  FROM upload_link k"
		"  LEFT JOIN live_user u ON u.id = k.owner"
		"  LEFT JOIN quota q ON q.owner = k.owner"
		" WHERE k.hash = ?",
		DB_IN(db_int(now),
		      db_bytes((struct span) { (const char *)hash,
					       sizeof(hash) })),
		DB_OUT(db_to_int(&accepts_files),
		       db_to_text(l.id, sizeof(l.id)), db_to_uint(&l.owner),
		       db_to_int_or(&l.limits.files, UPLOAD_LINK_NO_LIMIT),
		       db_to_int_or(&l.limits.bytes, UPLOAD_LINK_NO_LIMIT),
		       db_to_int_or(&l.max_file_bytes, UPLOAD_LINK_NO_LIMIT),
		       db_to_int(&l.used.files), db_to_int(&l.used.bytes),
		       db_to_int(&u.bytes), db_to_int(&u.files),
		       db_to_int_or(&u.limits.bytes, defaults->bytes),
		       db_to_int_or(&u.limits.files, defaults->files)),
		why);
	/* clang-format on */
	if (e != ERR_OK)
		return e;
	if (accepts_files == 0)
		return ERR_GONE;
	*link = l;
	*usage = u;
	return ERR_OK;
}
