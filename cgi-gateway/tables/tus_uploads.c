#include "cgi-gateway/tables/tus_uploads.h"

/* In each statement `l` is the caller's session (caller.h), `u` the upload. */
#define OWNER "IF(? = 0, l.user_id, ?)"
#define OWNER_VALUES(owner) db_uint(owner), db_uint(owner)

#define COLUMNS                                                                \
	"u.id, u.owner, u.concat, u.concat_sent, u.name, u.type, u.metadata, " \
	"u.length,"                                                            \
	" u.held_bytes, u.held_files, u.sha256 IS NOT NULL, u.sha256,"         \
	" u.life, u.created_at, u.expires_at, u.finished_at"

/* What a row does not hold in the shape of struct tus_upload */
struct row {
	int64_t concat, has_sha256;
};

#define FIELDS(u, r)                                                      \
	db_to_text((u)->id, sizeof((u)->id)), db_to_uint(&(u)->owner),    \
		db_to_int(&(r)->concat),                                  \
		db_to_text((u)->concat_sent, sizeof((u)->concat_sent)),   \
		db_to_text((u)->name, sizeof((u)->name)),                 \
		db_to_text((u)->type, sizeof((u)->type)),                 \
		db_to_text((u)->metadata, sizeof((u)->metadata)),         \
		db_to_int_or(&(u)->length, TUS_LENGTH_UNKNOWN),           \
		db_to_int(&(u)->held.bytes), db_to_int(&(u)->held.files), \
		db_to_int(&(r)->has_sha256),                              \
		db_to_bytes((u)->sha256, SHA256_LEN),                     \
		db_to_int_or(&(u)->life, FILES_NEVER),                    \
		db_to_int(&(u)->created_at), db_to_int(&(u)->expires_at), \
		db_to_int_or(&(u)->finished_at, TUS_UNFINISHED)

static struct db_value digest_value(const struct tus_upload *u)
{
	return u->has_sha256 ? db_bytes((struct span) { (const char *)u->sha256,
							SHA256_LEN })
			     : db_null();
}

/* --- taking room --------------------------------------------------------- */

/* What a transaction counts in the quota, and for what */
struct take {
	const struct session_check *who;
	uint64_t owner; /* 0: the caller */
	const struct quota_limits *limits;
	struct amount more;
	const struct tus_upload *u;
	int64_t length;			  /* to be told: in grow() */
	const struct file *f;		  /* in join() */
	const struct tus_upload *parts;	  /* the same */
	size_t count;			  /* of them */
	const struct webhook_targets *to; /* the same, too */
};

typedef enum err change_fn(struct db_conn *c, const struct take *t,
			   struct errmsg *why);

static enum err ended(struct db_conn *c, enum err e, struct errmsg *why)
{
	if (e == ERR_OK)
		return db_commit(c, why);
	db_rollback(c);
	return e;
}

static enum err take_once(struct db *db, const struct take *t,
			  change_fn *change, struct errmsg *why)
{
	struct db_conn *c;
	enum err e = db_begin(db, &c, why);

	if (e != ERR_OK)
		return e;
	/* Nothing more is refused to nobody, also when a limit was lowered */
	if (t->more.bytes != 0 || t->more.files != 0)
		e = quota_take(c, t->who, t->owner, t->more, t->limits, why);
	if (e == ERR_OK)
		e = change(c, t, why);
	return ended(c, e, why);
}

static enum err take(struct db *db, const struct take *t, change_fn *change,
		     struct errmsg *why)
{
	enum err e = take_once(db, t, change, why);

	/* As in files_add(): an owner without a row, or room just made */
	for (int again = 0; e == ERR_QUOTA && again < 2; again++) {
		e = quota_refused(db, t->who, t->owner, t->more, t->limits,
				  why);
		if (e != ERR_OK)
			break;
		e = take_once(db, t, change, why);
	}
	return e;
}

/* --- adding --------------------------------------------------------------- */

static enum err insert(struct db_conn *c, const struct take *t,
		       struct errmsg *why)
{
	const struct tus_upload *u = t->u;
	enum err e = db_tx_change(
		c,
		"INSERT INTO upload (id, owner, concat, concat_sent, name, "
		"type, metadata,"
		" length, held_bytes, held_files, sha256, life, created_at,"
		" expires_at, finished_at)"
		" SELECT ?, " OWNER ", ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
		" FROM live_session l WHERE " SESSION_VALID,
		DB_IN(db_text(span_of(u->id)), OWNER_VALUES(t->owner),
		      db_int((int64_t)u->concat),
		      db_text(span_of(u->concat_sent)),
		      db_text(span_of(u->name)), db_text(span_of(u->type)),
		      db_text(span_of(u->metadata)),
		      db_int_or_null(u->length, TUS_LENGTH_UNKNOWN),
		      db_int(u->held.bytes), db_int(u->held.files),
		      digest_value(u), db_int_or_null(u->life, FILES_NEVER),
		      db_int(u->created_at), db_int(u->expires_at),
		      db_int_or_null(u->finished_at, TUS_UNFINISHED),
		      SESSION_VALUES(t->who)),
		why);

	return e == ERR_NOT_FOUND ? ERR_BAD_TOKEN : e;
}

enum err tus_uploads_add(struct db *db, const struct session_check *who,
			 uint64_t owner, const struct quota_limits *limits,
			 struct tus_upload *u, struct errmsg *why)
{
	struct take t = { .who = who, .owner = owner, .limits = limits };

	u->held = (struct amount) { u->length, u->concat != TUS_PARTIAL };
	if (u->length == TUS_LENGTH_UNKNOWN)
		u->held.bytes = 0;
	t.more = u->held;
	t.u = u;
	return take(db, &t, insert, why);
}

/* --- finding ------------------------------------------------------------- */

enum err tus_uploads_find(struct db *db, struct session_check *who,
			  uint64_t owner, struct span id,
			  struct tus_upload *out, struct errmsg *why)
{
	struct row r;
	enum err e;

	if (!ident_is_uuid(id))
		id = SPAN("");
	e = db_row(db,
		   "SELECT l.user_id, l.email, l.last_used_at, " COLUMNS
		   " FROM live_session l LEFT JOIN upload u ON u.id = ?"
		   " AND u.owner = " OWNER " WHERE " SESSION_VALID,
		   DB_IN(db_text(id), OWNER_VALUES(owner), SESSION_VALUES(who)),
		   DB_OUT(db_to_uint(&who->user_id),
			  db_to_text(who->email, sizeof(who->email)),
			  db_to_int(&who->last_used), FIELDS(out, &r)),
		   why);
	if (e == ERR_NOT_FOUND)
		return ERR_BAD_TOKEN;
	if (e != ERR_OK)
		return e;
	out->concat = (enum tus_concat)r.concat;
	out->has_sha256 = r.has_sha256 != 0;
	return out->id[0] != '\0' ? ERR_OK : ERR_NOT_FOUND;
}

/* --- on its way ---------------------------------------------------------- */

/* Only from what was read: whoever else changes it, or tells its length, makes
 * this one look again */
static enum err grow(struct db_conn *c, const struct take *t,
		     struct errmsg *why)
{
	const struct tus_upload *u = t->u;
	enum err e = db_tx_change(
		c,
		"UPDATE upload SET length = ?, held_bytes = ? WHERE id = ?"
		" AND length IS NULL AND held_bytes = ?"
		" AND finished_at IS NULL",
		DB_IN(db_int_or_null(t->length, TUS_LENGTH_UNKNOWN),
		      db_int(u->held.bytes + t->more.bytes),
		      db_text(span_of(u->id)), db_int(u->held.bytes)),
		why);

	return e == ERR_NOT_FOUND ? ERR_CONFLICT : e;
}

enum err tus_uploads_hold(struct db *db, const struct session_check *who,
			  const struct quota_limits *limits,
			  struct tus_upload *u, int64_t bytes,
			  struct errmsg *why)
{
	const struct take t = {
		.who = who,
		.owner = u->owner,
		.limits = limits,
		.more = { .bytes = bytes - u->held.bytes },
		.u = u,
		.length = TUS_LENGTH_UNKNOWN,
	};
	enum err e;

	if (t.more.bytes <= 0)
		return ERR_OK;
	e = take(db, &t, grow, why);
	if (e == ERR_OK)
		u->held.bytes = bytes;
	return e;
}

enum err tus_uploads_measured(struct db *db, const struct session_check *who,
			      const struct quota_limits *limits,
			      struct tus_upload *u, int64_t length,
			      struct errmsg *why)
{
	const struct take t = {
		.who = who,
		.owner = u->owner,
		.limits = limits,
		.more = { .bytes = length - u->held.bytes },
		.u = u,
		.length = length,
	};
	enum err e = ERR_INVALID;

	if (t.more.bytes >= 0)
		e = take(db, &t, grow, why);
	if (e == ERR_OK)
		u->length = u->held.bytes = length;
	return e;
}

/* --- its end -------------------------------------------------------------- */

static enum err mark_finished(struct db_conn *c, const struct tus_upload *u,
			      int64_t now, struct errmsg *why)
{
	return db_tx_change(c,
			    "UPDATE upload SET finished_at = ?, expires_at = ?,"
			    " held_bytes = 0, held_files = 0"
			    " WHERE id = ? AND finished_at IS NULL",
			    DB_IN(db_int(now), db_int(u->expires_at),
				  db_text(span_of(u->id))),
			    why);
}

enum err tus_uploads_finish(struct db *db, const struct session_check *who,
			    const struct tus_upload *u, const struct file *f,
			    const struct webhook_targets *to,
			    struct errmsg *why)
{
	struct db_conn *c;
	enum err e = db_begin(db, &c, why);

	if (e != ERR_OK)
		return e;
	/* What it held is what the file counts: the quota stays as it is */
	e = mark_finished(c, u, f->created_at, why);
	if (e == ERR_OK)
		e = files_insert(c, who, u->owner, f, to, why);
	return ended(c, e, why);
}

static enum err release(struct db_conn *c, const struct tus_upload *part,
			struct errmsg *why)
{
	enum err e = db_tx_change(c,
				  "DELETE FROM upload WHERE id = ?"
				  " AND concat = 1 AND finished_at IS NULL",
				  DB_IN(db_text(span_of(part->id))), why);

	return e == ERR_NOT_FOUND ? ERR_CONFLICT : e;
}

static enum err join(struct db_conn *c, const struct take *t,
		     struct errmsg *why)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < t->count && e == ERR_OK; i++)
		e = release(c, &t->parts[i], why);
	if (e == ERR_OK)
		e = insert(c, t, why);
	if (e == ERR_OK)
		e = files_insert(c, t->who, t->owner, t->f, t->to, why);
	return e;
}

enum err tus_uploads_join(struct db *db, const struct session_check *who,
			  const struct quota_limits *limits,
			  const struct tus_upload *whole, const struct file *f,
			  const struct tus_upload *parts, size_t count,
			  const struct webhook_targets *to, struct errmsg *why)
{
	struct take t = {
		.who = who,
		.owner = whole->owner,
		.limits = limits,
		.more = { f->size, 1 },
		.u = whole,
		.f = f,
		.parts = parts,
		.count = count,
		.to = to,
	};

	for (size_t i = 0; i < count; i++)
		t.more.bytes -= parts[i].held.bytes;
	return take(db, &t, join, why);
}
