/* outbox.h - the table `event`, a transactional outbox: one row for each event
 * of a file and each webhook target (webhook_target.h) that has not accepted it
 * yet. The column `receiver` is the URL of the target.
 *
 * A row is written in the transaction that changes `file`, and deleted when the
 * target has accepted the event. So the table contains only events that are
 * still to be delivered.
 *
 * To deliver, for each target:
 *
 *	outbox_due		the events that can be tried now
 *	outbox_claim		reserve one of them for some time
 *	...			the request, outside any transaction
 *	outbox_delivered	or outbox_failed
 *
 * Any number of processes may do so at the same time. A claim expires by
 * itself, so the event of a process that died is retried: each event is
 * delivered at least once. An event is due only if no earlier event of the same
 * file waits for the same target; a claimed event still waits. Earlier means a
 * lower id: the row of a file exists before it can be deleted, so the ids of
 * its events are in the order in which they happened. The events of different
 * files may become visible in any order, so ids cannot serve as a cursor.
 *
 * Errors are those of db.h.
 */
#ifndef OUTBOX_H
#define OUTBOX_H

#include "cgi-gateway/parse/webhook_target.h"
#include "cgi-gateway/tables/files.h"
#include "common/base/err.h"
#include "common/db/db.h"
#include "common/token/claims.h"

enum {
	EVENT_KIND_MAX = 16,	  /* bytes, as the column */
	EVENT_WHY_MAX = 200,	  /* ASCII, as the column */
	OUTBOX_PAGE = 32,	  /* most rows of outbox_due() */
	OUTBOX_LIST_MAX = 1000,	  /* most rows of outbox_list() */
	OUTBOX_RETRY_FIRST = 10,  /* seconds after the first failure; doubles */
	OUTBOX_RETRY_MAX = 3600,  /* seconds, the longest pause */
	OUTBOX_KEPT = 30 * 86400, /* seconds that a dead event is kept */
};

enum event_kind { EVENT_UPLOADED, EVENT_DELETED, EVENT_EXPIRED };

struct event {
	uint64_t id;
	char target[WEBHOOK_TARGET_URL_MAX + 1];
	char kind[EVENT_KIND_MAX + 1];
	int64_t at;	  /* seconds since 1970 UTC, as all times here */
	struct file file; /* as it was at that time */
	int64_t attempts; /* started; with the id, identifies a claim */
	int64_t tried_at; /* the first attempt; 0: none yet */
	int64_t due_at;	  /* no attempt before */
	int64_t dead_at;  /* when it was given up; 0: not dead */
	char why[EVENT_WHY_MAX + 1]; /* the last failure; or "" */
	/* of file.owner, now; "" if that user is disabled or deleted */
	char owner_email[CLAIMS_EMAIL_MAX + 1];
};

/* Add an event for each target, in the transaction that adds or deletes the row
 * of file `id`. The row must exist; it is copied and locked. Does nothing
 * without targets (NULL or none). ERR_NOT_FOUND: there is no such file. */
enum err outbox_add(struct db_conn *c, const struct webhook_targets *to,
		    enum event_kind kind, struct span id, int64_t now,
		    struct errmsg *why) MUST_CHECK;

/* --- delivering --------------------------------------------------------- */

/* List the events that may be sent to `target` at `now`, the longest due first,
 * at most OUTBOX_PAGE. */
enum err outbox_due(struct db *db, const char *target, int64_t now,
		    struct event *row, db_each_fn *each, void *arg,
		    struct errmsg *why) MUST_CHECK;

/* Claim an event that outbox_due() returned, until the time `until`, and count
 * an attempt in *e. ERR_NOT_FOUND: another process has claimed it. */
enum err outbox_claim(struct db *db, struct event *e, int64_t now,
		      int64_t until, struct errmsg *why) MUST_CHECK;

/* Delete an event that the target has accepted. ERR_NOT_FOUND: the claim had
 * expired, and another process has claimed it; the target may get the event
 * twice. */
enum err outbox_delivered(struct db *db, const struct event *e,
			  struct errmsg *why) MUST_CHECK;

/* Record that the attempt failed because of `reason` (ASCII). The event is due
 * again after a pause that doubles with each attempt and is at least
 * `retry_after` seconds, if the target requested one, but at most
 * OUTBOX_RETRY_MAX. The next event of the same file is postponed as well. If
 * the first attempt was at least `days` days ago, the event is marked as dead.
 * Updates *e. ERR_NOT_FOUND as above. */
enum err outbox_failed(struct db *db, struct event *e, int64_t now,
		       int64_t retry_after, int64_t days, const char *reason,
		       struct errmsg *why) MUST_CHECK;

/* --- for gateway-admin -------------------------------------------------- */

/* The events of one target */
struct outbox_total {
	char target[WEBHOOK_TARGET_URL_MAX + 1];
	int64_t waiting, dead;
	int64_t oldest; /* the time of the oldest waiting event; 0: none */
};

/* List each target that has events. */
enum err outbox_totals(struct db *db, struct outbox_total *row,
		       db_each_fn *each, void *arg,
		       struct errmsg *why) MUST_CHECK;

/* Selects events that match every member */
struct outbox_filter {
	int64_t id;	    /* 0: any */
	const char *target; /* NULL: any */
	bool dead;	    /* only dead events */
};

/* List the events with an id above `after`, by id, at most OUTBOX_LIST_MAX. */
enum err outbox_list(struct db *db, const struct outbox_filter *f,
		     uint64_t after, struct event *row, db_each_fn *each,
		     void *arg, struct errmsg *why) MUST_CHECK;

/* Make an event and the next event of its file due at once, as if never tried.
 */
enum err outbox_retry(struct db *db, uint64_t id, int64_t now,
		      struct errmsg *why) MUST_CHECK;
enum err outbox_forget(struct db *db, uint64_t id,
		       struct errmsg *why) MUST_CHECK;

/* Remove events that have been dead for OUTBOX_KEPT, and events of that age for
 * targets that are not in `to`. A dry run only counts them. */
enum err outbox_gc(struct db *db, const struct webhook_targets *to, int64_t now,
		   bool dry, int64_t *removed, struct errmsg *why) MUST_CHECK;

#endif
