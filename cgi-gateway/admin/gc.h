/* gc.h - makes one pass over rows and objects and removes what is no longer
 * used. May run during uploads, deletions and other passes.
 *
 *   expired     a file that has expired: its row is deleted first, then its
 *               bytes, as by DELETE
 *   orphan      an object without a row, left by a crash between the two
 *   unfinished  an upload that was started and abandoned
 *
 * An upload in progress looks like the last two, but it has locked its object
 * (store.h) or has a row of its own (tus_uploads.h). The lock is checked before
 * the rows, so an object whose row is still to be written is never removed. An
 * object that is younger than the grace time is also kept.
 *
 * If one item cannot be checked or removed, it is reported, and the pass
 * continues. Only an unavailable database or store ends it:
 *
 *   ERR_UNAVAILABLE, ERR_MEMORY   `why` has the reason; what was done before
 *                                 is counted
 */
#ifndef GC_H
#define GC_H

#include "cgi-gateway/store/store.h"
#include "cgi-gateway/tables/files.h"

enum gc_event {
	GC_EXPIRED, /* removed, or would be by a dry run */
	GC_ORPHAN,
	GC_UNFINISHED,
	GC_UPLOAD,  /* resumable upload that was not continued in time */
	GC_HELD,    /* kept: locked by an upload in progress */
	GC_YOUNG,   /* kept: no row, but within the grace time */
	GC_FOREIGN, /* kept: a name that we do not use */
	GC_FAILED,  /* kept: it could not be checked or removed */
	GC_EVENTS
};

/* Called for each item. `id` is its id, or its place, or its kind; `why` is ""
 * except for GC_FAILED. */
typedef void gc_report_fn(void *arg, enum gc_event event, const char *id,
			  const char *why);

struct gc {
	/* set by the caller */
	struct db *db;
	struct store *store;
	const struct webhook_targets *to; /* targets of "expired" events */
	int64_t now;			  /* seconds since 1970 UTC */
	int64_t grace;			  /* seconds */
	bool dry;			  /* remove nothing, count everything */
	gc_report_fn *report;
	void *arg; /* of `report` */
	/* counted, from 0 */
	int64_t count[GC_EVENTS];
	int64_t bytes; /* removed */
};

enum err gc_expired(struct gc *gc, struct errmsg *why) MUST_CHECK;

/* Remove orphans and unfinished objects. */
enum err gc_store(struct gc *gc, struct errmsg *why) MUST_CHECK;

/* --- for other kinds of items -------------------------------------------- */

/* Count and report an item. */
void gc_report(struct gc *gc, enum gc_event event, const char *id,
	       const char *why);

/* Report that one item failed with `e` and `why`, and return ERR_OK; or return
 * `e` if the rest would fail as well. */
enum err gc_failed(struct gc *gc, const char *id, enum err e,
		   struct errmsg *why) MUST_CHECK;

#endif
