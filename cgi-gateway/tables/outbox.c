#include "cgi-gateway/tables/outbox.h"

/* In each statement `e` is the event. */
#define COLUMNS                                                               \
	"e.id, e.receiver, e.kind, e.at, e.file_id, e.owner, e.name, e.type," \
	" e.claimed_type, e.size, e.sha256, e.created_at, e.expires_at,"      \
	" e.upload_link, e.attempts, e.tried_at, e.due_at, e.dead_at, e.why"
#define FIELDS_OF(e)                                                          \
	DB_OUT(db_to_uint(&(e)->id),                                          \
	       db_to_text((e)->receiver, sizeof((e)->receiver)),              \
	       db_to_text((e)->kind, sizeof((e)->kind)), db_to_int(&(e)->at), \
	       FILES_FIELDS(&(e)->file), db_to_int(&(e)->attempts),           \
	       db_to_int(&(e)->tried_at), db_to_int(&(e)->due_at),            \
	       db_to_int(&(e)->dead_at),                                      \
	       db_to_text((e)->why, sizeof((e)->why)))

static const char *const kinds[] = {
	[EVENT_UPLOADED] = "uploaded",
	[EVENT_DELETED] = "deleted",
	[EVENT_EXPIRED] = "expired",
};

/* From the row itself, for only that tells whose it is and what it is called by
 * now. FOR UPDATE: who is about to delete it would else ask for a stronger lock
 * while another waits for the same, and one of them would have to give up. */
enum err outbox_note(struct db_conn *c, const struct webhook_targets *to,
		     enum event_kind kind, struct span id, int64_t now,
		     struct errmsg *why)
{
	enum err e = ERR_OK;

	for (size_t i = 0; to != NULL && i < to->count && e == ERR_OK; i++)
		e = db_tx_change(
			c,
			"INSERT INTO event (receiver, kind, at, due_at,"
			" file_id, owner, name, type, claimed_type, size,"
			" sha256, created_at, expires_at, upload_link)"
			" SELECT ?, ?, ?, ?, " FILES_COLUMNS
			" FROM file f WHERE f.id = ? FOR UPDATE",
			DB_IN(db_text(span_of(to->url[i])),
			      db_text(span_of(kinds[kind])), db_int(now),
			      db_int(now), db_text(id)),
			why);
	return e;
}

/* --- delivering ---------------------------------------------------------- */

/* A join and no NOT EXISTS, and told where to look: left to itself, MariaDB
 * reads all that waits before it gives the first row. */
enum err outbox_due(struct db *db, const char *receiver, int64_t now,
		    struct event *row, db_each_fn *each, void *arg,
		    struct errmsg *why)
{
	return db_each(
		db,
		"SELECT " COLUMNS " FROM event e FORCE INDEX (event_due)"
		" LEFT JOIN event p FORCE INDEX (event_file)"
		" ON p.receiver = e.receiver AND p.file_id = e.file_id"
		" AND p.id < e.id AND p.dead_at IS NULL"
		" WHERE e.receiver = ? AND e.dead_at IS NULL AND e.due_at <= ?"
		" AND p.id IS NULL ORDER BY e.due_at, e.id LIMIT ?",
		DB_IN(db_text(span_of(receiver)), db_int(now),
		      db_int(OUTBOX_PAGE)),
		FIELDS_OF(row), each, arg, why);
}

enum err outbox_claim(struct db *db, struct event *e, int64_t now,
		      int64_t until, struct errmsg *why)
{
	/* Of several who have read the same row one finds it as it was */
	enum err got = db_change(
		db,
		"UPDATE event SET attempts = attempts + 1, due_at = ?,"
		" tried_at = COALESCE(tried_at, ?)"
		" WHERE id = ? AND attempts = ? AND due_at = ?"
		" AND dead_at IS NULL",
		DB_IN(db_int(until), db_int(now), db_uint(e->id),
		      db_int(e->attempts), db_int(e->due_at)),
		why);

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
	return db_change(db, "DELETE FROM event WHERE id = ? AND attempts = ?",
			 DB_IN(db_uint(e->id), db_int(e->attempts)), why);
}

/* Seconds from the end of attempt number `attempts` to the next one */
static int64_t pause_after(int64_t attempts, int64_t wait)
{
	int64_t pause = OUTBOX_RETRY_FIRST;

	for (int64_t i = 1; i < attempts && pause < OUTBOX_RETRY_MAX; i++)
		pause *= 2;
	if (pause < wait)
		pause = wait;
	return pause < OUTBOX_RETRY_MAX ? pause : OUTBOX_RETRY_MAX;
}

/* The next of its file cannot go before event `id` does: left due, it would be
 * passed by whenever outbox_due() looks, and so would many others. Found
 * without a lock, which who writes events would wait for. Where this fails, it
 * stays as it was. */
static void let_next_wait(struct db *db, uint64_t id, int64_t due)
{
	struct errmsg why;
	uint64_t next;
	enum err e =
		db_row(db,
		       "SELECT n.id FROM event e JOIN event n"
		       " ON n.receiver = e.receiver"
		       " AND n.file_id = e.file_id AND n.id > e.id"
		       " WHERE e.id = ? ORDER BY n.id LIMIT 1",
		       DB_IN(db_uint(id)), DB_OUT(db_to_uint(&next)), &why);

	if (e == ERR_OK)
		(void)!db_change(db,
				 "UPDATE event SET due_at = ?"
				 " WHERE id = ? AND attempts = 0",
				 DB_IN(db_int(due), db_uint(next)), &why);
}

enum err outbox_failed(struct db *db, struct event *e, int64_t now,
		       int64_t wait, int64_t days, const char *why,
		       struct errmsg *cause)
{
	int64_t due = now + pause_after(e->attempts, wait);
	int64_t dead = now - e->tried_at >= days * 86400 ? now : 0;
	enum err got =
		db_change(db,
			  "UPDATE event SET due_at = ?, dead_at = ?, why = ?"
			  " WHERE id = ? AND attempts = ?",
			  DB_IN(db_int(due), db_int_or_null(dead, 0),
				db_text(span_of(why)), db_uint(e->id),
				db_int(e->attempts)),
			  cause);

	if (got != ERR_OK)
		return got;
	e->due_at = due;
	e->dead_at = dead;
	(void)snprintf(e->why, sizeof(e->why), "%s", why);
	if (dead == 0)
		let_next_wait(db, e->id, due);
	return ERR_OK;
}

/* --- for gateway-admin --------------------------------------------------- */

enum err outbox_totals(struct db *db, struct outbox_total *row,
		       db_each_fn *each, void *arg, struct errmsg *why)
{
	return db_each(db,
		       "SELECT receiver, COUNT(*) - COUNT(dead_at),"
		       " COUNT(dead_at), MIN(IF(dead_at IS NULL, at, NULL))"
		       " FROM event GROUP BY receiver ORDER BY receiver",
		       DB_NONE,
		       DB_OUT(db_to_text(row->receiver, sizeof(row->receiver)),
			      db_to_int(&row->waiting), db_to_int(&row->dead),
			      db_to_int(&row->oldest)),
		       each, arg, why);
}

enum err outbox_list(struct db *db, const struct outbox_which *w,
		     uint64_t after, struct event *row, db_each_fn *each,
		     void *arg, struct errmsg *why)
{
	const struct db_value receiver = db_text(span_of(w->receiver));

	return db_each(db,
		       "SELECT " COLUMNS " FROM event e WHERE e.id > ?"
		       " AND (? = 0 OR e.id = ?) AND (? = '' OR e.receiver = ?)"
		       " AND (? = 0 OR e.dead_at IS NOT NULL)"
		       " ORDER BY e.id LIMIT ?",
		       DB_IN(db_uint(after), db_int(w->id), db_int(w->id),
			     receiver, receiver, db_int(w->dead),
			     db_int(OUTBOX_LIST_MAX)),
		       FIELDS_OF(row), each, arg, why);
}

enum err outbox_retry(struct db *db, uint64_t id, int64_t now,
		      struct errmsg *why)
{
	enum err e = db_change(db,
			       "UPDATE event SET attempts = 0, tried_at = NULL,"
			       " due_at = ?, dead_at = NULL WHERE id = ?",
			       DB_IN(db_int(now), db_uint(id)), why);

	if (e == ERR_OK)
		let_next_wait(db, id, now);
	return e;
}

enum err outbox_forget(struct db *db, uint64_t id, struct errmsg *why)
{
	return db_change(db, "DELETE FROM event WHERE id = ?",
			 DB_IN(db_uint(id)), why);
}

#define OVER                                            \
	"(dead_at <= ? OR (at <= ? AND receiver NOT IN" \
	" (?, ?, ?, ?, ?, ?, ?, ?)))"
#define RECEIVER(to, i) db_text(span_of((to)->url[i]))
#define OVER_VALUES(to, before)                                           \
	db_int(before), db_int(before), RECEIVER(to, 0), RECEIVER(to, 1), \
		RECEIVER(to, 2), RECEIVER(to, 3), RECEIVER(to, 4),        \
		RECEIVER(to, 5), RECEIVER(to, 6), RECEIVER(to, 7)
_Static_assert(WEBHOOK_TARGETS_MAX == 8, "as many as the statement has places");

/* Found without a lock and removed one by one: a DELETE that looked for them
 * would lock what it passes, the rows of uploads under way among them */
enum err outbox_sweep(struct db *db, const struct webhook_targets *to,
		      int64_t now, bool dry, int64_t *removed,
		      struct errmsg *why)
{
	const int64_t before = now - OUTBOX_KEPT;
	int64_t count = 0;
	uint64_t id = 0;
	enum err e;

	do {
		e = db_row(db,
			   "SELECT id FROM event WHERE id > ? AND " OVER
			   " ORDER BY id LIMIT 1",
			   DB_IN(db_uint(id), OVER_VALUES(to, before)),
			   DB_OUT(db_to_uint(&id)), why);
		if (e != ERR_OK)
			break;
		count++;
		if (!dry)
			e = outbox_forget(db, id, why);
		if (e == ERR_NOT_FOUND) { /* delivered meanwhile */
			count--;
			e = ERR_OK;
		}
	} while (e == ERR_OK);
	if (e != ERR_NOT_FOUND)
		return e;
	*removed = count;
	return ERR_OK;
}
