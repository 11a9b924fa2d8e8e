#include "cgi-gateway/tables/files.h"

#include "cgi-gateway/tables/name_index.h"
#include "cgi-gateway/tables/outbox.h"

/* In each statement `l` is the session (session_check.h), and `f` the file. The
 * owner is IF(? = 0, l.user_id, ?). */
#define OWNER_VALUES(owner) db_uint(owner), db_uint(owner)
#define FILE_OUT(f) DB_OUT(FILES_FIELDS(f))

/* The columns of `file` after id and owner */
#define INSERT_VALUES(f, folded)                                        \
	db_text(span_of((f)->name)), db_text(span_of((f)->type)),       \
		db_text(span_of((f)->claimed_type)), db_int((f)->size), \
		db_bytes((struct span) { (const char *)(f)->sha256,     \
					 SHA256_LEN }),                 \
		db_int((f)->created_at),                                \
		db_int_or_null((f)->expires_at, FILES_NEVER),           \
		(f)->upload_link[0] != '\0'                             \
			? db_text(span_of((f)->upload_link))            \
			: db_null(),                                    \
		db_text(span_of(folded))

static enum err insert_for_owner(struct db_conn *c, uint64_t owner,
				 const struct file *f, const char *folded,
				 struct errmsg *why)
{
	/* clang-format off */
	return db_tx_change(c,
		"INSERT INTO file (id, owner, name, type, claimed_type, size,"
		"       sha256, created_at, expires_at, upload_link, folded)"
		" SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?",
		DB_IN(db_text(span_of(f->id)), db_uint(owner),
		      INSERT_VALUES(f, folded)),
		why);
	/* clang-format on */
}

static enum err insert_by_session(struct db_conn *c,
				  const struct session_check *session,
				  uint64_t owner, const struct file *f,
				  const char *folded, struct errmsg *why)
{
	/* clang-format off */
	enum err e = db_tx_change(c,
		"INSERT INTO file (id, owner, name, type, claimed_type, size,"
		"       sha256, created_at, expires_at, upload_link, folded)"
		" SELECT ?, IF(? = 0, l.user_id, ?), ?, ?, ?, ?, ?, ?, ?, ?, ?"
		"   FROM live_session l"
		"  WHERE " SESSION_VALID,
		DB_IN(db_text(span_of(f->id)), OWNER_VALUES(owner),
		      INSERT_VALUES(f, folded), SESSION_VALUES(session)),
		why);
	/* clang-format on */

	return e == ERR_NOT_FOUND ? ERR_BAD_TOKEN : e;
}

enum err files_insert(struct db_conn *c, const struct session_check *session,
		      uint64_t owner, const struct file *f,
		      const struct webhook_targets *to, struct errmsg *why)
{
	char folded[NAME_FOLD_MAX + 1];
	enum err e = name_fold(span_of(f->name), folded);

	if (e == ERR_OK && session != NULL)
		e = insert_by_session(c, session, owner, f, folded, why);
	else if (e == ERR_OK)
		e = insert_for_owner(c, owner, f, folded, why);
	if (e == ERR_OK)
		e = name_index_add(c, f->id, why);
	return e == ERR_OK ? outbox_add(c, to, EVENT_UPLOADED, span_of(f->id),
					f->created_at, why)
			   : e;
}

struct amount files_amount(const struct file *files, size_t count)
{
	struct amount a = { 0, (int64_t)count };

	for (size_t i = 0; i < count; i++)
		a.bytes += files[i].size;
	return a;
}

static enum err add_once(struct db *db, const struct session_check *session,
			 uint64_t owner, const struct quota_limits *defaults,
			 const struct file *files, size_t count,
			 const struct webhook_targets *to, struct errmsg *why)
{
	struct db_conn *c;
	enum err e = db_begin(db, &c, why);

	if (e != ERR_OK)
		return e;
	e = quota_take(c, session, owner, files_amount(files, count), defaults,
		       why);
	for (size_t i = 0; i < count && e == ERR_OK; i++)
		e = files_insert(c, session, owner, &files[i], to, why);
	if (e == ERR_OK)
		return db_commit(c, why);
	db_rollback(c);
	return e;
}

enum err files_add(struct db *db, const struct session_check *session,
		   uint64_t owner, const struct quota_limits *defaults,
		   const struct file *files, size_t count,
		   const struct webhook_targets *to, struct errmsg *why)
{
	enum err e =
		add_once(db, session, owner, defaults, files, count, to, why);

	/* Retry once because quota_refused() may have inserted the owner's
	 * missing row, and once because room may have been made in the meantime
	 */
	for (int retry = 0; e == ERR_QUOTA && retry < 2; retry++) {
		e = quota_refused(db, session, owner,
				  files_amount(files, count), defaults, why);
		if (e != ERR_OK)
			break;
		e = add_once(db, session, owner, defaults, files, count, to,
			     why);
	}
	return e;
}

enum err files_find(struct db *db, struct session_check *session,
		    uint64_t owner, struct span id, struct file *out,
		    struct errmsg *why)
{
	char canonical[UUID_LEN + 1];
	struct file f;
	enum err e;

	/* Not an id: find no file, but still check the session */
	id = ident_uuid_sent(id, canonical);
	/* clang-format off */
	e = db_row(db,
		"SELECT l.user_id, l.email, l.last_used_at, " FILES_COLUMNS
		"  FROM live_session l"
		"  LEFT JOIN file f"
		"    ON f.id = ?"
		"   AND f.owner = IF(? = 0, l.user_id, ?)"
		"   AND (f.expires_at IS NULL OR f.expires_at > ?)"
		" WHERE " SESSION_VALID,
		DB_IN(db_text(id), OWNER_VALUES(owner), db_int(session->now),
		      SESSION_VALUES(session)),
		DB_OUT(db_to_uint(&session->user_id),
		       db_to_text(session->email, sizeof(session->email)),
		       db_to_int(&session->last_used), FILES_FIELDS(&f)),
		why);
	/* clang-format on */
	if (e == ERR_NOT_FOUND)
		return session_check_no_row(db, session, ERR_BAD_TOKEN, why);
	if (e != ERR_OK)
		return e;
	session_check_found(db, session);
	if (f.id[0] == '\0')
		return ERR_NOT_FOUND;
	*out = f;
	return ERR_OK;
}
