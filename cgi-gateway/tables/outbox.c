#include "cgi-gateway/tables/outbox.h"

/* The columns of an event `e` and of its owner `u`, and their destinations. The
 * email is the current one, as events from before have none of their own. */
/* clang-format off */
#define COLUMNS                                                         \
	"e.id, e.receiver, e.kind, e.at,"                               \
	" e.file_id, e.owner, e.name, e.type, e.claimed_type, e.size,"  \
	" e.sha256, e.created_at, e.expires_at, e.upload_link,"         \
	" e.attempts, e.tried_at, e.due_at, e.dead_at, e.why, u.email"
#define JOIN_OWNER " LEFT JOIN live_user u ON u.id = e.owner"
#define FIELDS_OF(e)                                                    \
	DB_OUT(db_to_uint(&(e)->id),                                    \
	       db_to_text((e)->target, sizeof((e)->target)),        \
	       db_to_text((e)->kind, sizeof((e)->kind)),                \
	       db_to_int(&(e)->at),                                     \
	       FILES_FIELDS(&(e)->file),                                \
	       db_to_int(&(e)->attempts), db_to_int(&(e)->tried_at),    \
	       db_to_int(&(e)->due_at), db_to_int(&(e)->dead_at),       \
	       db_to_text((e)->why, sizeof((e)->why)),                  \
	       db_to_text((e)->owner_email, sizeof((e)->owner_email)))
/* clang-format on */

static const char *const kinds[] = {
	[EVENT_UPLOADED] = "uploaded",
	[EVENT_DELETED] = "deleted",
	[EVENT_EXPIRED] = "expired",
};

static enum err add_for(struct db_conn *c, const char *target,
			enum event_kind kind, struct span id, int64_t now,
			struct errmsg *why)
{
	/* The file is copied from its row, which has the current name and
	 * owner. FOR UPDATE, because the row may be deleted next: two
	 * transactions that share a lock and then both request the stronger one
	 * would deadlock. */
	/* clang-format off */
	return db_tx_change(c,
		"INSERT INTO event"
		" (receiver, kind, at, due_at,"
		"  file_id, owner, name, type, claimed_type, size,"
		"  sha256, created_at, expires_at, upload_link)"
		" SELECT ?, ?, ?, ?, " FILES_COLUMNS
		" FROM file f"
		" WHERE f.id = ?"
		" FOR UPDATE",
		DB_IN(db_text(span_of(target)), db_text(span_of(kinds[kind])),
		      db_int(now), db_int(now), db_text(id)),
		why);
	/* clang-format on */
}

enum err outbox_add(struct db_conn *c, const struct webhook_targets *to,
		    enum event_kind kind, struct span id, int64_t now,
		    struct errmsg *why)
{
	enum err e = ERR_OK;

	for (size_t i = 0; to != NULL && i < to->count && e == ERR_OK; i++)
		e = add_for(c, to->url[i], kind, id, now, why);
	return e;
}

/* --- delivering ---------------------------------------------------------- */

/* `p` is an earlier event of the same file. This is a join with index hints
 * instead of NOT EXISTS: otherwise MariaDB reads all waiting events before it
 * returns the first row. */
enum err outbox_due(struct db *db, const char *target, int64_t now,
		    struct event *row, db_each_fn *each, void *arg,
		    struct errmsg *why)
{
	/* clang-format off */
	return db_each(db,
		"SELECT " COLUMNS
		" FROM event e FORCE INDEX (event_due)"
		" LEFT JOIN event p FORCE INDEX (event_file)"
		"   ON p.receiver = e.receiver"
		"   AND p.file_id = e.file_id"
		"   AND p.id < e.id"
		"   AND p.dead_at IS NULL" JOIN_OWNER
		" WHERE e.receiver = ?"
		"   AND e.dead_at IS NULL"
		"   AND e.due_at <= ?"
		"   AND p.id IS NULL"
		" ORDER BY e.due_at, e.id"
		" LIMIT ?",
		DB_IN(db_text(span_of(target)),
		      db_int(now),
		      db_int(OUTBOX_PAGE)),
		FIELDS_OF(row), each, arg, why);
	/* clang-format on */
}

enum err outbox_claim(struct db *db, struct event *e, int64_t now,
		      int64_t until, struct errmsg *why)
{
	/* Of several processes that have read the row, only one finds it
	 * unchanged */
	/* clang-format off */
	enum err got = db_change(db,
		"UPDATE event"
		" SET attempts = attempts + 1,"
		"   due_at = ?,"
		"   tried_at = COALESCE(tried_at, ?)"
		" WHERE id = ?"
		"   AND attempts = ?"
		"   AND due_at = ?"
		"   AND dead_at IS NULL",
		DB_IN(db_int(until), db_int(now),
		      db_uint(e->id), db_int(e->attempts), db_int(e->due_at)),
		why);
	/* clang-format on */

	if (got != ERR_OK)
		return got;
	e->attempts++;
	e->due_at = until;
	if (e->tried_at == 0)
		e->tried_at = now;
	return ERR_OK;
}

enum err outbox_delivered(struct db *db, const struct event *e,
			  struct errmsg *why)
{
	/* clang-format off */
	return db_change(db,
		"DELETE FROM event"
		" WHERE id = ?"
		"   AND attempts = ?",
		DB_IN(db_uint(e->id), db_int(e->attempts)),
		why);
	/* clang-format on */
}

/* Return the seconds from the end of attempt number `attempts` to the next one
 */
static int64_t pause_after(int64_t attempts, int64_t retry_after)
{
	int64_t pause = OUTBOX_RETRY_FIRST;

	for (int64_t i = 1; i < attempts && pause < OUTBOX_RETRY_MAX; i++)
		pause *= 2;
	if (pause < retry_after)
		pause = retry_after;
	return pause < OUTBOX_RETRY_MAX ? pause : OUTBOX_RETRY_MAX;
}

/* Postpone the next event of the same file until event `id` is due. It cannot
 * be sent before; if it were due, outbox_due() would have to read and skip it.
 * Find it without a lock, for which an upload would have to wait. Ignore a
 * failure: the event is then only skipped. */
static void postpone_next(struct db *db, uint64_t id, int64_t due)
{
	struct errmsg why;
	uint64_t next;
	/* clang-format off */
	enum err e = db_row(db,
		"SELECT n.id"
		" FROM event e"
		" JOIN event n"
		"   ON n.receiver = e.receiver"
		"   AND n.file_id = e.file_id"
		"   AND n.id > e.id"
		" WHERE e.id = ?"
		" ORDER BY n.id"
		" LIMIT 1",
		DB_IN(db_uint(id)),
		DB_OUT(db_to_uint(&next)),
		&why);

	if (e == ERR_OK)
		(void)!db_change(db,
			"UPDATE event"
			" SET due_at = ?"
			" WHERE id = ?"
			"   AND attempts = 0",
			DB_IN(db_int(due), db_uint(next)),
			&why);
	/* clang-format on */
}

enum err outbox_failed(struct db *db, struct event *e, int64_t now,
		       int64_t retry_after, int64_t days, const char *reason,
		       struct errmsg *why)
{
	int64_t due = now + pause_after(e->attempts, retry_after);
	int64_t dead = now - e->tried_at >= days * 86400 ? now : 0;
	/* clang-format off */
	enum err got = db_change(db,
		"UPDATE event"
		" SET due_at = ?,"
		"   dead_at = ?,"
		"   why = ?"
		" WHERE id = ?"
		"   AND attempts = ?",
		DB_IN(db_int(due), db_int_or_null(dead, 0),
		      db_text(span_of(reason)),
		      db_uint(e->id), db_int(e->attempts)),
		why);
	/* clang-format on */

	if (got != ERR_OK)
		return got;
	e->due_at = due;
	e->dead_at = dead;
	(void)snprintf(e->why, sizeof(e->why), "%s", reason);
	if (dead == 0)
		postpone_next(db, e->id, due);
	return ERR_OK;
}

/* --- for gateway-admin --------------------------------------------------- */

enum err outbox_totals(struct db *db, struct outbox_total *row,
		       db_each_fn *each, void *arg, struct errmsg *why)
{
	/* clang-format off */
	return db_each(db,
		"SELECT receiver,"
		"   COUNT(*) - COUNT(dead_at),"
		"   COUNT(dead_at),"
		"   MIN(IF(dead_at IS NULL, at, NULL))"
		" FROM event"
		" GROUP BY receiver"
		" ORDER BY receiver",
		DB_NONE,
		DB_OUT(db_to_text(row->target, sizeof(row->target)),
		       db_to_int(&row->waiting),
		       db_to_int(&row->dead),
		       db_to_int(&row->oldest)),
		each, arg, why);
	/* clang-format on */
}

enum err outbox_list(struct db *db, const struct outbox_filter *f,
		     uint64_t after, struct event *row, db_each_fn *each,
		     void *arg, struct errmsg *why)
{
	const struct db_value target = db_text(span_of(f->target));

	/* clang-format off */
	return db_each(db,
		"SELECT " COLUMNS
		" FROM event e" JOIN_OWNER
		" WHERE e.id > ?"
		"   AND (? = 0 OR e.id = ?)"
		"   AND (? = '' OR e.receiver = ?)"
		"   AND (? = 0 OR e.dead_at IS NOT NULL)"
		" ORDER BY e.id"
		" LIMIT ?",
		DB_IN(db_uint(after),
		      db_int(f->id), db_int(f->id),
		      target, target,
		      db_int(f->dead),
		      db_int(OUTBOX_LIST_MAX)),
		FIELDS_OF(row), each, arg, why);
	/* clang-format on */
}

enum err outbox_retry(struct db *db, uint64_t id, int64_t now,
		      struct errmsg *why)
{
	/* clang-format off */
	enum err e = db_change(db,
		"UPDATE event"
		" SET attempts = 0,"
		"   tried_at = NULL,"
		"   due_at = ?,"
		"   dead_at = NULL"
		" WHERE id = ?",
		DB_IN(db_int(now), db_uint(id)),
		why);
	/* clang-format on */

	if (e == ERR_OK)
		postpone_next(db, id, now);
	return e;
}

enum err outbox_forget(struct db *db, uint64_t id, struct errmsg *why)
{
	/* clang-format off */
	return db_change(db,
		"DELETE FROM event"
		" WHERE id = ?",
		DB_IN(db_uint(id)),
		why);
	/* clang-format on */
}

/* Find the next event to remove, with an id above *id. Unused targets are "",
 * which no event has. */
static enum err next_old(struct db *db, const struct webhook_targets *to,
			 int64_t before, uint64_t *id, struct errmsg *why)
{
	struct db_value url[WEBHOOK_TARGETS_MAX];

	_Static_assert(WEBHOOK_TARGETS_MAX == 8, "the statement lists 8 URLs");
	for (size_t i = 0; i < WEBHOOK_TARGETS_MAX; i++)
		url[i] = db_text(span_of(to->url[i]));
	/* clang-format off */
	return db_row(db,
		"SELECT id"
		" FROM event"
		" WHERE id > ?"
		"   AND (dead_at <= ?"
		"     OR (at <= ?"
		"       AND receiver NOT IN (?, ?, ?, ?, ?, ?, ?, ?)))"
		" ORDER BY id"
		" LIMIT 1",
		DB_IN(db_uint(*id),
		      db_int(before),
		      db_int(before),
		      url[0], url[1], url[2], url[3],
		      url[4], url[5], url[6], url[7]),
		DB_OUT(db_to_uint(id)),
		why);
	/* clang-format on */
}

/* Find events without a lock and delete them one by one: a DELETE with this
 * condition would lock every row that it reads, including those of uploads in
 * progress. */
enum err outbox_gc(struct db *db, const struct webhook_targets *to, int64_t now,
		   bool dry, int64_t *removed, struct errmsg *why)
{
	int64_t count = 0;
	uint64_t id = 0;
	enum err e;

	do {
		e = next_old(db, to, now - OUTBOX_KEPT, &id, why);
		if (e != ERR_OK)
			break;
		count++;
		if (!dry)
			e = outbox_forget(db, id, why);
		if (e == ERR_NOT_FOUND) { /* already delivered */
			count--;
			e = ERR_OK;
		}
	} while (e == ERR_OK);
	if (e != ERR_NOT_FOUND)
		return e;
	*removed = count;
	return ERR_OK;
}
