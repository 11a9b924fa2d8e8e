#include "cgi-gateway/tables/quota_unfinished.h"

#define OWNER_VALUES(owner) db_uint(owner), db_uint(owner)

enum err quota_usage_and_unfinished(
	struct db *db, struct session_check *session, uint64_t owner,
	const struct quota_limits *defaults, struct usage *out,
	struct amount *unfinished, struct errmsg *why)
{
	struct usage u;
	struct amount a;
	/* clang-format off */
	enum err e = db_row(db,
		"SELECT l.user_id, l.email, l.last_used_at,"
		"       COALESCE(q.bytes, 0), COALESCE(q.files, 0),"
		"       q.max_bytes, q.max_files,"
		"       (SELECT CAST(COALESCE(SUM(u.held_bytes), 0) AS SIGNED)"
		"          FROM upload u WHERE u.owner = q.owner),"
		"       (SELECT CAST(COALESCE(SUM(u.held_files), 0) AS SIGNED)"
		"          FROM upload u WHERE u.owner = q.owner)"
		"  FROM live_session l"
		"  LEFT JOIN quota q ON q.owner = IF(? = 0, l.user_id, ?)"
		" WHERE " SESSION_VALID,
		DB_IN(OWNER_VALUES(owner), SESSION_VALUES(session)),
		DB_OUT(db_to_uint(&session->user_id),
		       db_to_text(session->email, sizeof(session->email)),
		       db_to_int(&session->last_used), db_to_int(&u.bytes),
		       db_to_int(&u.files),
		       db_to_int_or(&u.limits.bytes, defaults->bytes),
		       db_to_int_or(&u.limits.files, defaults->files),
		       db_to_int(&a.bytes), db_to_int(&a.files)),
		why);
	/* clang-format on */

	if (e == ERR_NOT_FOUND)
		return session_check_no_row(db, session, ERR_BAD_TOKEN, why);
	if (e != ERR_OK)
		return e;
	session_check_found(db, session);
	*out = u;
	*unfinished = a;
	return ERR_OK;
}
