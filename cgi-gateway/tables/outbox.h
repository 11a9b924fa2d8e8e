/* outbox.h - the table `event`: what happened to files, for those who are to be
 * told of it (receivers.h) and have not been yet.
 *
 * An event is written in the transaction that changes `file`, one row for each
 * receiver, and its row goes when that receiver has taken it. So the table has
 * what is owed and nothing else.
 *
 * Who delivers calls, for each receiver:
 *
 *	outbox_due		what can be tried now
 *	outbox_claim		this one is mine for so long
 *	...			the request, in no transaction
 *	outbox_delivered	or outbox_failed
 *
 * Any number of processes may do so at the same time. A claim ends by itself,
 * so an event whose claimer died is tried again: at least once, never not at
 * all. An event is due only when no earlier one of the same file and receiver
 * waits; for that its row must be gone, not just claimed. Earlier means a lower
 * id: the file's row is there before anybody can delete it, so its events are
 * numbered as they happened, though those of different files may become visible
 * in any order. Hence no cursor.
 *
 * Errors are db.h's.
 */
#ifndef OUTBOX_H
#define OUTBOX_H

#include "cgi-gateway/parse/webhook_target.h"
#include "cgi-gateway/tables/files.h"
#include "common/base/err.h"
#include "common/db/db.h"

enum {
	EVENT_KIND_MAX = 16,	  /* bytes; as wide as their columns */
	EVENT_WHY_MAX = 200,	  /* ASCII */
	OUTBOX_PAGE = 32,	  /* rows that outbox_due() gives */
	OUTBOX_LIST_MAX = 1000,	  /* rows that outbox_list() gives */
	OUTBOX_RETRY_FIRST = 10,  /* seconds after a first failure; doubles */
	OUTBOX_RETRY_MAX = 3600,  /* and stays there */
	OUTBOX_KEPT = 30 * 86400, /* seconds a dead event is shown */
};

enum event_kind { EVENT_UPLOADED, EVENT_DELETED, EVENT_EXPIRED };

struct event {
	uint64_t id;
	char receiver[WEBHOOK_TARGET_URL_MAX + 1];
	char kind[EVENT_KIND_MAX + 1];
	int64_t at;	  /* seconds since 1970 UTC, as all times here */
	struct file file; /* as it was then */
	int64_t attempts; /* begun; with the id it names a claim */
	int64_t tried_at; /* the first of them; 0: none */
	int64_t due_at;	  /* not before */
	int64_t dead_at;  /* 0: it lives */
	char why[EVENT_WHY_MAX + 1]; /* the last failure; or "" */
};

/* In the transaction that adds or removes the row of file `id`, while that row
 * is there: it is copied, and locked. `to` NULL or of nobody: does nothing.
 * ERR_NOT_FOUND: there is no such row. */
enum err outbox_note(struct db_conn *c, const struct webhook_targets *to,
		     enum event_kind kind, struct span id, int64_t now,
		     struct errmsg *why) MUST_CHECK;

/* --- delivering --------------------------------------------------------- */

/* What `receiver` may be sent of what is due at `now`, the longest due first,
 * at most OUTBOX_PAGE. */
enum err outbox_due(struct db *db, const char *receiver, int64_t now,
		    struct event *row, db_each_fn *each, void *arg,
		    struct errmsg *why) MUST_CHECK;

/* Take an event as outbox_due() gave it, until the time `until`, and count an
 * attempt in *e. ERR_NOT_FOUND: somebody else has. */
enum err outbox_claim(struct db *db, struct event *e, int64_t now,
		      int64_t until, struct errmsg *why) MUST_CHECK;

/* The receiver has it. ERR_NOT_FOUND: the claim had ended and somebody else has
 * made one; the receiver may get it twice. */
enum err outbox_delivered(struct db *db, const struct event *e,
			  struct errmsg *why) MUST_CHECK;

/* It failed, for the reason `why` (ASCII): due again after a time that doubles
 * with each attempt, and not before `wait` seconds if the receiver asked for
 * that; OUTBOX_RETRY_MAX at the most. The next of its file is put off with
 * it. When the first attempt was `days` days ago, it is dead. Updates
 * *e. ERR_NOT_FOUND as above. */
enum err outbox_failed(struct db *db, struct event *e, int64_t now,
		       int64_t wait, int64_t days, const char *why,
		       struct errmsg *cause) MUST_CHECK;

/* --- for gateway-admin -------------------------------------------------- */

/* What one receiver is owed. */
struct outbox_total {
	char receiver[WEBHOOK_TARGET_URL_MAX + 1];
	int64_t waiting, dead;
	int64_t oldest; /* the time of the oldest that waits; 0: none does */
};

/* Each receiver that has any. */
enum err outbox_totals(struct db *db, struct outbox_total *row,
		       db_each_fn *each, void *arg,
		       struct errmsg *why) MUST_CHECK;

/* Which events are meant: all those that fit. */
struct outbox_which {
	int64_t id;	      /* 0: any */
	const char *receiver; /* NULL: any */
	bool dead;	      /* only dead ones */
};

/* Those with an id above `after`, by id, at most OUTBOX_LIST_MAX. */
enum err outbox_list(struct db *db, const struct outbox_which *w,
		     uint64_t after, struct event *row, db_each_fn *each,
		     void *arg, struct errmsg *why) MUST_CHECK;

/* As if it had never been tried, due at once; the next of its file behind it.
 */
enum err outbox_retry(struct db *db, uint64_t id, int64_t now,
		      struct errmsg *why) MUST_CHECK;
enum err outbox_forget(struct db *db, uint64_t id,
		       struct errmsg *why) MUST_CHECK;

/* Remove what nobody will be told of any more: what has been dead for
 * OUTBOX_KEPT, and what is as old and for a receiver that is not in `to`. */
enum err outbox_sweep(struct db *db, const struct webhook_targets *to,
		      int64_t now, bool dry, int64_t *removed,
		      struct errmsg *why) MUST_CHECK;

#endif
