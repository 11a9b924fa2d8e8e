#include "cgi-gateway/tables/tus_uploads.h"

/* In each statement `l` is the session (session_check.h), `u` the upload. An
 * owner of 0 is the user of that session. */

static struct db_value sha256_value(const struct tus_upload *u)
{
	return u->has_sha256 ? db_bytes((struct span) { (const char *)u->sha256,
							SHA256_LEN })
			     : db_null();
}

/* --- in one transaction with the quota ------------------------------------ */

/* What a transaction adds to the quota, and the rows it writes */
struct addition {
	const struct session_check *session;
	uint64_t owner; /* 0: the user of the session */
	const struct quota_limits *limits;
	struct amount more;
	int64_t max_unfinished; /* 0: add no unfinished upload */
	const struct tus_upload *u;
	int64_t length;		       /* update_reserved() writes it */
	const struct tus_upload *part; /* this and the rest: join_rows() */
	size_t part_count;
	const struct file *file;
	const struct webhook_targets *targets;
};

typedef enum err write_rows_fn(struct db_conn *c, const struct addition *a,
			       struct errmsg *why);

static enum err commit_or_roll_back(struct db_conn *c, enum err e,
				    struct errmsg *why)
{
	if (e == ERR_OK)
		return db_commit(c, why);
	db_rollback(c);
	return e;
}

static enum err add_once(struct db *db, const struct addition *a,
			 write_rows_fn *write_rows, struct errmsg *why)
{
	struct db_conn *c;
	enum err e = db_begin(db, &c, why);

	if (e != ERR_OK)
		return e;
	/* A request that adds nothing always passes, even if the limit is now
	 * below current usage */
	if (a->more.bytes != 0 || a->more.files != 0 || a->max_unfinished != 0)
		e = quota_take(c, a->session, a->owner, a->more, a->limits,
			       why);
	if (e == ERR_OK)
		e = write_rows(c, a, why);
	return commit_or_roll_back(c, e, why);
}

static enum err add_within_quota(struct db *db, const struct addition *a,
				 write_rows_fn *write_rows, struct errmsg *why)
{
	enum err e = add_once(db, a, write_rows, why);

	/* Retry as files_add() does: the row of `quota` was missing, or another
	 * request has just freed space */
	for (int retry = 0; e == ERR_QUOTA && retry < 2; retry++) {
		e = quota_refused(db, a->session, a->owner, a->more, a->limits,
				  why);
		if (e != ERR_OK)
			break;
		e = add_once(db, a, write_rows, why);
	}
	return e;
}

/* --- adding --------------------------------------------------------------- */

static enum err insert_upload(struct db_conn *c, const struct addition *a,
			      struct errmsg *why)
{
	const struct tus_upload *u = a->u;
	enum err e = db_tx_change(
		c,
		/* clang-format off */
		"INSERT INTO upload"
		"      (id, owner,"
		"       concat, concat_sent, name, type, metadata,"
		"       length, held_bytes, held_files, sha256, life,"
		"       created_at, expires_at, finished_at)"
		" SELECT ?, IF(? = 0, l.user_id, ?),"
		"       ?, ?, ?, ?, ?,"
		"       ?, ?, ?, ?, ?,"
		"       ?, ?, ?"
		"  FROM live_session l"
		" WHERE " SESSION_VALID,
		/* clang-format on */
		DB_IN(db_text(span_of(u->id)), db_uint(a->owner),
		      db_uint(a->owner), db_int((int64_t)u->concat),
		      db_text(span_of(u->concat_sent)),
		      db_text(span_of(u->name)), db_text(span_of(u->type)),
		      db_text(span_of(u->metadata)),
		      db_int_or_null(u->length, TUS_LENGTH_UNKNOWN),
		      db_int(u->reserved.bytes), db_int(u->reserved.files),
		      sha256_value(u), db_int_or_null(u->life, FILES_NEVER),
		      db_int(u->created_at), db_int(u->expires_at),
		      db_int_or_null(u->finished_at, TUS_UNFINISHED),
		      SESSION_VALUES(a->session)),
		why);

	return e == ERR_NOT_FOUND ? ERR_BAD_TOKEN : e;
}

static enum err insert_unfinished(struct db_conn *c, const struct addition *a,
				  struct errmsg *why)
{
	int64_t unfinished;
	/* clang-format off */
	enum err e = db_tx_row(c,
		"SELECT COUNT(*)"
		"  FROM upload"
		" WHERE owner = ?"
		"   AND finished_at IS NULL"
		"   AND expires_at > ?",
		DB_IN(db_uint(a->u->owner), db_int(a->u->created_at)),
		DB_OUT(db_to_int(&unfinished)), why);
	/* clang-format on */

	if (e == ERR_OK && unfinished >= a->max_unfinished)
		return ERR_TOO_MANY_UPLOADS;
	return e == ERR_OK ? insert_upload(c, a, why) : e;
}

enum err tus_uploads_add(struct db *db, const struct session_check *session,
			 uint64_t owner, const struct quota_limits *limits,
			 int64_t max_unfinished, struct tus_upload *u,
			 struct errmsg *why)
{
	struct addition a = { .session = session,
			      .owner = owner,
			      .limits = limits,
			      .max_unfinished = max_unfinished,
			      .u = u };

	u->reserved = (struct amount) { u->length, u->concat != TUS_PARTIAL };
	if (u->length == TUS_LENGTH_UNKNOWN)
		u->reserved.bytes = 0;
	a.more = u->reserved;
	return add_within_quota(db, &a, insert_unfinished, why);
}

/* --- reserving ------------------------------------------------------------ */

/* Update the row only if it is unchanged: another request may have reserved
 * more, or set the length */
static enum err update_reserved(struct db_conn *c, const struct addition *a,
				struct errmsg *why)
{
	const struct tus_upload *u = a->u;
	enum err e = db_tx_change(
		c,
		/* clang-format off */
		"UPDATE upload"
		"   SET length = ?, held_bytes = ?"
		" WHERE id = ?"
		"   AND length IS NULL"
		"   AND held_bytes = ?"
		"   AND finished_at IS NULL",
		/* clang-format on */
		DB_IN(db_int_or_null(a->length, TUS_LENGTH_UNKNOWN),
		      db_int(u->reserved.bytes + a->more.bytes),
		      db_text(span_of(u->id)), db_int(u->reserved.bytes)),
		why);

	return e == ERR_NOT_FOUND ? ERR_CONFLICT : e;
}

enum err tus_uploads_reserve(struct db *db, const struct session_check *session,
			     const struct quota_limits *limits,
			     struct tus_upload *u, int64_t bytes,
			     struct errmsg *why)
{
	const struct addition a = {
		.session = session,
		.owner = u->owner,
		.limits = limits,
		.more = { .bytes = bytes - u->reserved.bytes },
		.u = u,
		.length = TUS_LENGTH_UNKNOWN,
	};
	enum err e;

	if (u->length != TUS_LENGTH_UNKNOWN || a.more.bytes <= 0)
		return ERR_OK;
	e = add_within_quota(db, &a, update_reserved, why);
	if (e == ERR_OK)
		u->reserved.bytes = bytes;
	return e;
}

enum err tus_uploads_set_length(struct db *db,
				const struct session_check *session,
				const struct quota_limits *limits,
				struct tus_upload *u, int64_t length,
				struct errmsg *why)
{
	const struct addition a = {
		.session = session,
		.owner = u->owner,
		.limits = limits,
		.more = { .bytes = length - u->reserved.bytes },
		.u = u,
		.length = length,
	};
	enum err e;

	if (length == u->length)
		return ERR_OK;
	if (a.more.bytes < 0)
		return ERR_INVALID;
	e = add_within_quota(db, &a, update_reserved, why);
	if (e == ERR_OK)
		u->length = u->reserved.bytes = length;
	return e;
}

/* --- becoming a file ------------------------------------------------------ */

static enum err mark_finished(struct db_conn *c, const struct tus_upload *u,
			      int64_t now, struct errmsg *why)
{
	return db_tx_change(c,
			    /* clang-format off */
		"UPDATE upload"
		"   SET finished_at = ?, expires_at = ?,"
		"       held_bytes = 0, held_files = 0"
		" WHERE id = ?"
		"   AND finished_at IS NULL",
			    /* clang-format on */
			    DB_IN(db_int(now), db_int(u->expires_at),
				  db_text(span_of(u->id))),
			    why);
}

enum err tus_uploads_finish(struct db *db, const struct session_check *session,
			    const struct tus_upload *u, const struct file *f,
			    const struct webhook_targets *targets,
			    struct errmsg *why)
{
	struct db_conn *c;
	enum err e = db_begin(db, &c, why);

	if (e != ERR_OK)
		return e;
	/* The file counts what the upload had reserved: the quota is unchanged
	 */
	e = mark_finished(c, u, f->created_at, why);
	if (e == ERR_OK)
		e = files_insert(c, session, u->owner, f, targets, why);
	return commit_or_roll_back(c, e, why);
}

static enum err delete_part(struct db_conn *c, const struct tus_upload *part,
			    struct errmsg *why)
{
	/* 1 is TUS_PARTIAL */
	enum err e = db_tx_change(c,
				  /* clang-format off */
				  "DELETE FROM upload"
				  " WHERE id = ?"
				  "   AND concat = 1"
				  "   AND finished_at IS NULL",
				  /* clang-format on */
				  DB_IN(db_text(span_of(part->id))), why);

	return e == ERR_NOT_FOUND ? ERR_CONFLICT : e;
}

static enum err join_rows(struct db_conn *c, const struct addition *a,
			  struct errmsg *why)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < a->part_count && e == ERR_OK; i++)
		e = delete_part(c, &a->part[i], why);
	if (e == ERR_OK)
		e = insert_upload(c, a, why);
	if (e == ERR_OK)
		e = files_insert(c, a->session, a->owner, a->file, a->targets,
				 why);
	return e;
}

enum err tus_uploads_join(struct db *db, const struct session_check *session,
			  const struct quota_limits *limits,
			  const struct tus_upload *whole, const struct file *f,
			  const struct tus_upload *part, size_t part_count,
			  const struct webhook_targets *targets,
			  struct errmsg *why)
{
	struct addition a = {
		.session = session,
		.owner = whole->owner,
		.limits = limits,
		.more = { f->size, 1 },
		.u = whole,
		.part = part,
		.part_count = part_count,
		.file = f,
		.targets = targets,
	};

	for (size_t i = 0; i < part_count; i++)
		a.more.bytes -= part[i].reserved.bytes;
	return add_within_quota(db, &a, join_rows, why);
}
