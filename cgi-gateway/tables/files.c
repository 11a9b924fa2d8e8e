#include "cgi-gateway/tables/files.h"

#include "cgi-gateway/tables/name_index.h"
#include "cgi-gateway/tables/outbox.h"
#include "common/access/session_known.h"

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
	if (e == ERR_OK && owner != 0)
		e = name_index_add_row(c, owner, f->id, folded, why);
	else if (e == ERR_OK)
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

/* Whether the session may read the file: that of its user, or of `owner` */
static enum err check_found(const struct session_check *session,
			    const struct session_row *row, uint64_t owner,
			    const struct file *f)
{
	if (f->id[0] == '\0' || f->owner != (owner != 0 ? owner : row->user_id))
		return ERR_NOT_FOUND;
	return f->expires_at == FILES_NEVER || f->expires_at > session->now
		       ? ERR_OK
		       : ERR_NOT_FOUND;
}

/* Two look-ups by primary key, in one statement; the conditions are checked
 * here (session_row.h) */
static enum err read_both(struct db *db, const struct session_check *session,
			  struct span id, struct session_row *row,
			  struct file *f, struct errmsg *why)
{
	/* clang-format off */
	return db_row(db,
		"SELECT " SESSION_ROW_COLUMNS ", " FILES_COLUMNS
		"  FROM live_session l"
		"  LEFT JOIN file f ON f.id = ?"
		" WHERE l.id = ?",
		DB_IN(db_text(id), db_text(span_of(session->session))),
		DB_OUT(SESSION_ROW_FIELDS(row), FILES_FIELDS(f)), why);
	/* clang-format on */
}

/* The rows, from memory or the database. ERR_NOT_FOUND: there is no session. */
static enum err find_both(struct db *db, const struct session_check *session,
			  struct span id, struct session_row *row,
			  struct file *f, struct errmsg *why)
{
	struct change_key key = change_key_of_text(id);
	struct session_note session_note;
	struct row_note note;
	enum err e;

	if (session_known_find(db, session->session, row) &&
	    db_known_find(db, DB_KNOWN_FILES, id, f))
		return ERR_OK;
	session_known_note(db, session->session, session_check_user(session),
			   &session_note);
	db_known_note(db, DB_KNOWN_FILES, key, key, &note);
	e = read_both(db, session, id, row, f, why);
	if (e != ERR_OK)
		return e;
	session_known_keep(db, session->session, row, &session_note);
	if (f->id[0] != '\0')
		db_known_keep(db, DB_KNOWN_FILES, id, f, &note);
	return ERR_OK;
}

enum err files_find(struct db *db, struct session_check *session,
		    uint64_t owner, struct span id, struct file *out,
		    struct errmsg *why)
{
	char canonical[UUID_LEN + 1];
	struct session_row row;
	struct file f;
	enum err e;

	/* Not an id: find no file, but still check the session */
	id = ident_uuid_sent(id, canonical);
	e = find_both(db, session, id, &row, &f, why);
	if (e == ERR_NOT_FOUND)
		return ERR_BAD_TOKEN;
	if (e == ERR_OK)
		e = session_check_row(db, session, &row);
	if (e == ERR_OK)
		e = check_found(session, &row, owner, &f);
	if (e == ERR_OK)
		*out = f;
	return e;
}
