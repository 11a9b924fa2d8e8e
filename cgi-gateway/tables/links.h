/* links.h - the table `link`: addresses that give a file to whoever has them.
 *
 * Downloads are counted by one conditional UPDATE, so that of any number of
 * tries at the same instant exactly max_downloads are let through. A download
 * that was cut off may be resumed: for LINK_GRACE seconds after the last
 * counted download a range that starts behind byte 0 is not counted, at most
 * LINK_RESUMES times. Errors are db.h's.
 */
#ifndef LINKS_H
#define LINKS_H

#include "cgi-gateway/parse/link_token.h"
#include "cgi-gateway/tables/files.h"

enum {
	LINK_GRACE = 3600,	/* seconds */
	LINK_RESUMES = 32,	/* for each counted download */
	LINK_KEPT = 30 * 86400, /* seconds that the row of a dead one stays */
	LINK_FILE_MAX = 100,	/* links of one file that are not revoked */
	LINK_NEVER = 0,		/* expires_at of one that stays */
	LINK_NO_LIMIT = 0, /* max_downloads of one that is not counted out */
};

struct link {
	char id[IDENT_LEN + 1];
	int64_t created_at, expires_at; /* seconds since 1970 UTC */
	int64_t max_downloads, downloads;
};

/* Make `l` (whose expires_at and max_downloads are set) for a file that the
 * caller was found to have, fill in the rest of it, and tell the secret.
 *
 *   ERR_QUOTA  the file has LINK_FILE_MAX links
 *   ERR_BAD_TOKEN   the session lives no more, or the file is gone
 */
enum err links_add(struct db *db, const struct session_check *who,
		   const struct file *f, struct link *l,
		   char token[static LINK_TOKEN_LEN + 1],
		   struct errmsg *why) MUST_CHECK;

/* Those of a file that are not revoked, newest first. */
enum err links_list(struct db *db, const struct file *f, struct link *row,
		    db_each_fn *each, void *arg, struct errmsg *why) MUST_CHECK;

/* End one, whichever file it gives. `owner` is as in files.h. ERR_NOT_FOUND for
 * one that was ended before, and for a session that has ended. */
enum err links_revoke(struct db *db, const struct session_check *who,
		      uint64_t owner, struct span id,
		      struct errmsg *why) MUST_CHECK;

/* The link whose secret is `token`, and its file, at `now`.
 *
 *   ERR_NOT_FOUND  there is none
 *   ERR_GONE       expired, revoked, or its file is no more
 *
 * Whether it is used up is for the calls below. */
enum err links_find(struct db *db, struct span token, int64_t now,
		    struct link *out, struct file *f,
		    struct errmsg *why) MUST_CHECK;

/* Whether a download could be counted still. */
bool link_has_left(const struct link *l);

/* Count a download. ERR_GONE when none is left, or the link has ended since. */
enum err links_count(struct db *db, const struct link *l, int64_t now,
		     struct errmsg *why) MUST_CHECK;

/* Go on with a download that was counted. ERR_GONE when that is too long ago,
 * or was done too often. */
enum err links_resume(struct db *db, const struct link *l, int64_t now,
		      struct errmsg *why) MUST_CHECK;

/* --- for gateway-admin ------------------------------------------------- */

/* Revoke the links of files that are no more, so that their time runs, and
 * remove the rows of links that have been dead for LINK_KEPT; with `dry` only
 * count these. *removed is what this call removed, also where it fails half
 * way. */
enum err links_sweep(struct db *db, int64_t now, bool dry, int64_t *removed,
		     struct errmsg *why) MUST_CHECK;

#endif
