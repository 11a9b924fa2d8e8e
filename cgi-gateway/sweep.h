/* sweep.h - one pass over rows and objects, removing what nobody will ask for
 * again. May run while uploads, deletions and other passes do.
 *
 *   expired     a file whose time is over: the row goes first, then the bytes,
 *               as with a deletion
 *   orphan      an object that no row names, from a crash between the two
 *   unfinished  what was begun and left
 *
 * An upload under way looks just like the last two, but it holds its object
 * (store.h), or has a row of its own (uploads.h). The hold is asked for first
 * and rows only then, so nothing that is still to get its row is ever removed.
 * What is younger than the grace time is spared besides.
 *
 * What cannot be looked at or removed is told and passed over; only when the
 * database or the whole store is away does a pass end early:
 *
 *   ERR_UNAVAILABLE, ERR_MEMORY   `m` tells; what was done until then is
 *                                 counted
 */
#ifndef SWEEP_H
#define SWEEP_H

#include "files.h"
#include "store.h"

enum sweep_event {
	SWEEP_EXPIRED, /* removed, or would be */
	SWEEP_ORPHAN,
	SWEEP_UNFINISHED,
	SWEEP_UPLOAD,  /* resumable, that nobody goes on with */
	SWEEP_HELD,    /* left: an upload is at work on it */
	SWEEP_YOUNG,   /* left: no row, but within the grace time */
	SWEEP_FOREIGN, /* left: not ours to judge */
	SWEEP_FAILED,  /* left, against our will */
	SWEEP_EVENTS
};

/* Told of each: an id, or where it lies, or of what kind it is; `why` is "" but
 * for SWEEP_FAILED. */
typedef void sweep_tell_fn(void *arg, enum sweep_event what, const char *id,
			   const char *why);

struct sweep {
	/* given */
	struct db *db;
	struct store *store;
	const struct receivers *to; /* told of what expires */
	int64_t now;		    /* seconds since 1970 UTC */
	int64_t grace;		    /* seconds */
	bool dry;		    /* remove nothing: count what would be */
	sweep_tell_fn *tell;
	void *arg; /* of `tell` */
	/* counted, from 0 */
	int64_t count[SWEEP_EVENTS];
	int64_t bytes; /* removed */
};

enum err sweep_expired(struct sweep *s, struct errmsg *m) MUST_CHECK;

/* Orphans and what is unfinished. */
enum err sweep_store(struct sweep *s, struct errmsg *m) MUST_CHECK;

/* --- for those who sweep something else ---------------------------------- */

/* Count it and tell. */
void sweep_tell(struct sweep *s, enum sweep_event what, const char *id,
		const char *why);

/* One thing failed with `e` and `m`: ERR_OK, counted and told, unless the rest
 * would fail as well. */
enum err sweep_failed(struct sweep *s, const char *id, enum err e,
		      struct errmsg *m) MUST_CHECK;

#endif
