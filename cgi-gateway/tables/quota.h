/* quota.h - the table `quota`: the usage of each owner, and their limits.
 *
 * A row counts the bytes and files of one owner. It is changed in the same
 * transaction as the rows of `file` and `upload`, so they always agree. The
 * limit is in the WHERE of the UPDATE that counts: if two uploads compete for
 * the last room, one waits for the other's lock and then finds none. No
 * decision depends on a value read earlier.
 *
 * A transaction that adds or deletes locks the row of `quota` first and rows of
 * other tables after it, so that no two transactions wait for each other.
 *
 * An owner without a row uses nothing. Errors are those of db.h, and those
 * named here.
 */
#ifndef QUOTA_H
#define QUOTA_H

#include "common/access/session_check.h"
#include "common/base/err.h"
#include "common/db/db.h"

enum { QUOTA_NONE = 0 }; /* a limit: there is none */

struct quota_limits {
	int64_t bytes, files; /* QUOTA_NONE, or the maximum */
};

struct usage {
	int64_t bytes, files;	    /* of files and of uploads in progress */
	struct quota_limits limits; /* the owner's own, or else the defaults */
};

/* Bytes and files that are added or removed together. */
struct amount {
	int64_t bytes, files;
};

/* In all calls `session` must be valid, and `owner` is the user whose row
 * counts, 0 for the session's own user. If `session` is NULL, no session is
 * checked: the same transaction must check the permission in another way. */

/* --- in the transaction that changes `file` ------------------------------- */

/* Count `more` if it fits; `defaults` apply to an owner without limits of their
 * own. Adding no bytes always fits the limit of bytes, and likewise for files,
 * even if the limit is now below the current usage, so that a started upload
 * can be finished. ERR_QUOTA: there is no room, or no row yet, or the session
 * has ended. Then roll back and call quota_refused(). */
enum err quota_take(struct db_conn *c, const struct session_check *session,
		    uint64_t owner, struct amount more,
		    const struct quota_limits *defaults,
		    struct errmsg *why) MUST_CHECK;

/* Subtract what was removed. */
enum err quota_give(struct db_conn *c, uint64_t owner, struct amount less,
		    struct errmsg *why) MUST_CHECK;

/* --- outside -------------------------------------------------------------- */

/* Find out why quota_take() returned ERR_QUOTA: ERR_QUOTA (no room for the
 * bytes), ERR_QUOTA_FILES (for the number of files) or ERR_BAD_TOKEN.
 * ERR_OK: the row was missing and exists now, or there is room now; retry. */
enum err quota_refused(struct db *db, const struct session_check *session,
		       uint64_t owner, struct amount more,
		       const struct quota_limits *defaults,
		       struct errmsg *why) MUST_CHECK;

/* Check the session and read the usage in one round trip. ERR_BAD_TOKEN,
 * ERR_SCOPE. */
enum err quota_usage(struct db *db, struct session_check *session,
		     uint64_t owner, const struct quota_limits *defaults,
		     struct usage *out, struct errmsg *why) MUST_CHECK;

/* Return ERR_OK if `more` fits into the remaining room; else ERR_QUOTA or
 * ERR_QUOTA_FILES. */
enum err usage_check_room(const struct usage *u, struct amount more) MUST_CHECK;

/* Read the usage without a session. */
enum err quota_show(struct db *db, uint64_t owner,
		    const struct quota_limits *defaults, struct usage *out,
		    struct errmsg *why) MUST_CHECK;

/* --- for gateway-admin ---------------------------------------------------- */

enum { QUOTA_DEFAULT = -1, QUOTA_KEEP = -2 }; /* as a limit to set */

/* Set both limits, each to a number, QUOTA_NONE, QUOTA_DEFAULT or QUOTA_KEEP.
 */
enum err quota_set(struct db *db, uint64_t owner, const struct quota_limits *l,
		   struct errmsg *why) MUST_CHECK;

/* Find the lowest owner above `after` with a row or a file; 0 if there is none.
 */
enum err quota_next(struct db *db, uint64_t after, uint64_t *owner,
		    struct errmsg *why) MUST_CHECK;

/* Count the owner's files and uploads again and correct the row, in one
 * transaction; the service may be running. *was is the row before, *is the row
 * after. */
enum err quota_recount(struct db *db, uint64_t owner, struct amount *was,
		       struct amount *is, struct errmsg *why) MUST_CHECK;

#endif
