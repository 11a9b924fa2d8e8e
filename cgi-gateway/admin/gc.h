/* gc.h - one pass over rows and objects, removing what nobody will ask for
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
#ifndef GC_H
#define GC_H

#include "cgi-gateway/store/store.h"
#include "cgi-gateway/tables/files.h"

enum sweep_event {
	GC_EXPIRED, /* removed, or would be */
	GC_ORPHAN,
	GC_UNFINISHED,
	GC_UPLOAD,  /* resumable, that nobody goes on with */
	GC_HELD,    /* left: an upload is at work on it */
	GC_YOUNG,   /* left: no row, but within the grace time */
	GC_FOREIGN, /* left: not ours to judge */
	GC_FAILED,  /* left, against our will */
	GC_EVENTS
};

/* Told of each: an id, or where it lies, or of what kind it is; `why` is "" but
 * for GC_FAILED. */
typedef void gc_report_fn(void *arg, enum sweep_event what, const char *id,
			  const char *why);

struct gc {
	/* given */
	struct db *db;
	struct store *store;
	const struct webhook_targets *to; /* told of what expires */
	int64_t now;			  /* seconds since 1970 UTC */
	int64_t grace;			  /* seconds */
	bool dry; /* remove nothing: count what would be */
	gc_report_fn *tell;
	void *arg; /* of `tell` */
	/* counted, from 0 */
	int64_t count[GC_EVENTS];
	int64_t bytes; /* removed */
};

enum err gc_expired(struct gc *s, struct errmsg *why) MUST_CHECK;

/* Orphans and what is unfinished. */
enum err gc_store(struct gc *s, struct errmsg *why) MUST_CHECK;

/* --- for those who sweep something else ---------------------------------- */

/* Count it and tell. */
void gc_report(struct gc *s, enum sweep_event what, const char *id,
	       const char *why);

/* One thing failed with `e` and `why`: ERR_OK, counted and told, unless the rest
 * would fail as well. */
enum err gc_failed(struct gc *s, const char *id, enum err e,
		   struct errmsg *why) MUST_CHECK;

#endif
