/* quota.h - the table `quota`: what each owner has, and may have.
 *
 * A row counts the bytes and files of one owner, and is changed in the same
 * transaction as the rows of `file` and of `upload`, so all agree. The limit
 * stands in the WHERE of the UPDATE that counts: two uploads for the last free
 * place wait for each other at the row, and the second finds no room. Nothing
 * is read first and believed later.
 *
 * Whoever adds or deletes locks the row of `quota` first, and rows of other
 * tables only then, so that nobody waits in a circle.
 *
 * An owner without a row has nothing. Errors are db.h's, and those named.
 */
#ifndef QUOTA_H
#define QUOTA_H

#include "common/access/session_check.h"
#include "common/base/err.h"
#include "common/db/db.h"

enum { QUOTA_NONE = 0 }; /* as a limit: none */

struct quota_limits {
	int64_t bytes, files; /* QUOTA_NONE, or at the most so many */
};

struct usage {
	int64_t bytes, files;	    /* of uploads under way, too */
	struct quota_limits limits; /* that are in force */
};

/* Bytes and files together, as they come or go. */
struct amount {
	int64_t bytes, files;
};

/* Who asks and who pays are two: `who` is whose session must live, `owner` in
 * whose row it counts, 0 for the caller's own. Without a session, `who` NULL,
 * it is for others to say in the same transaction whether anybody may add. */

/* --- in the transaction that changes `file` ----------------------------- */

/* Count what is about to be added, if it fits; `defaults` for an owner without
 * limits of their own. A limit that was lowered below what is there refuses
 * nothing that adds none of its kind: what was begun can be finished.
 * ERR_QUOTA: no room, or no row yet, or the session has ended: roll back and
 * ask quota_refused(). */
enum err quota_take(struct db_conn *c, const struct session_check *who,
		    uint64_t owner, struct amount more,
		    const struct quota_limits *defaults,
		    struct errmsg *why) MUST_CHECK;

/* Count down what was removed. */
enum err quota_give(struct db_conn *c, uint64_t owner, struct amount less,
		    struct errmsg *why) MUST_CHECK;

/* --- outside ------------------------------------------------------------ */

/* Why quota_take() refused. ERR_OK: there was no row, or there is room by now;
 * try again. Else ERR_QUOTA, or ERR_BAD_TOKEN. */
enum err quota_refused(struct db *db, const struct session_check *who,
		       uint64_t owner, struct amount more,
		       const struct quota_limits *defaults,
		       struct errmsg *why) MUST_CHECK;

/* In one round trip, with the session. ERR_BAD_TOKEN. Fills who->user_id and so on
 * for session_check_used(). */
enum err quota_usage(struct db *db, struct session_check *who, uint64_t owner,
		     const struct quota_limits *defaults, struct usage *out,
		     struct errmsg *why) MUST_CHECK;

/* Whether `more` fits into what is left. */
bool usage_has_room(const struct usage *u, struct amount more);

/* --- for gateway-admin -------------------------------------------------- */

enum { QUOTA_DEFAULT = -1, QUOTA_KEEP = -2 }; /* as a limit to set */

enum err quota_show(struct db *db, uint64_t owner,
		    const struct quota_limits *defaults, struct usage *out,
		    struct errmsg *why) MUST_CHECK;

/* Each of `l` a limit, QUOTA_NONE, QUOTA_DEFAULT or QUOTA_KEEP. */
enum err quota_set(struct db *db, uint64_t owner, const struct quota_limits *l,
		   struct errmsg *why) MUST_CHECK;

/* The lowest owner above `after` who has a row or a file; 0 behind the last. */
enum err quota_next(struct db *db, uint64_t after, uint64_t *owner,
		    struct errmsg *why) MUST_CHECK;

/* Count the owner's files again, in one transaction, while the service may run:
 * *was is what the row said, *is what it says now. */
enum err quota_recount(struct db *db, uint64_t owner, struct amount *was,
		       struct amount *is, struct errmsg *why) MUST_CHECK;

#endif
