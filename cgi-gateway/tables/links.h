/* links.h - the table `link`: share links, addresses from which anyone can
 * download a file.
 *
 * A download is counted by one conditional UPDATE, so of any number of
 * simultaneous requests exactly max_downloads are allowed. An interrupted
 * download can be resumed: for LINK_GRACE seconds after the last counted
 * download, a range that starts after byte 0 is not counted, at most
 * LINK_RESUMES times.
 *
 * A link ends when it expires or is revoked, or when its file is deleted.
 * Errors are those of db.h, and those named here.
 */
#ifndef LINKS_H
#define LINKS_H

#include "cgi-gateway/parse/link_token.h"
#include "cgi-gateway/tables/files.h"

enum {
	LINK_GRACE = 3600,	/* seconds */
	LINK_RESUMES = 32,	/* for each counted download */
	LINK_KEPT = 30 * 86400, /* seconds that an ended link's row is kept */
	LINK_FILE_MAX = 100,	/* links of one file that are not revoked */
	LINK_NEVER = 0,		/* expires_at: does not expire */
	LINK_NO_LIMIT = 0,	/* max_downloads: downloads are not limited */
};

struct link {
	char id[IDENT_LEN + 1];
	int64_t created_at, expires_at; /* seconds since 1970 UTC */
	int64_t max_downloads, downloads;
};

/* Create a link for the file `f`, which was found for the session `session`.
 * l->expires_at and l->max_downloads are given; the rest of *l and its secret
 * `token` are filled.
 *
 *   ERR_TOO_MANY   the file has LINK_FILE_MAX links
 *   ERR_BAD_TOKEN  the session or the file does not exist any more
 */
enum err links_add(struct db *db, const struct session_check *session,
		   const struct file *f, struct link *l,
		   char token[static LINK_TOKEN_LEN + 1],
		   struct errmsg *why) MUST_CHECK;

/* List the links of a file that are not revoked, newest first. */
enum err links_list(struct db *db, const struct file *f, struct link *row,
		    db_each_fn *each, void *arg, struct errmsg *why) MUST_CHECK;

/* Revoke a link of any file of `owner` (files.h). ERR_NOT_FOUND also if it was
 * revoked before; ERR_BAD_TOKEN. */
enum err links_revoke(struct db *db, const struct session_check *session,
		      uint64_t owner, struct span id,
		      struct errmsg *why) MUST_CHECK;

/* Find the link whose secret is `token`, and its file, at `now`.
 *
 *   ERR_NOT_FOUND  there is no such link
 *   ERR_GONE       it has expired or was revoked, or its file was deleted
 *
 * The calls below check the count of downloads. */
enum err links_find(struct db *db, struct span token, int64_t now,
		    struct link *out, struct file *out_file,
		    struct errmsg *why) MUST_CHECK;

/* Return true if another download is allowed. */
bool link_has_left(const struct link *l);

/* Count a download. ERR_GONE if none is left, or if the link has ended since.
 */
enum err links_count(struct db *db, const struct link *l, int64_t now,
		     struct errmsg *why) MUST_CHECK;

/* Resume a counted download. ERR_GONE if the last counted download is more than
 * LINK_GRACE seconds ago, or was resumed LINK_RESUMES times. */
enum err links_resume(struct db *db, const struct link *l, int64_t now,
		      struct errmsg *why) MUST_CHECK;

/* --- for gateway-admin ---------------------------------------------------- */

/* Revoke the links whose file was deleted, so that their LINK_KEPT seconds
 * begin, and remove the rows of links that ended more than LINK_KEPT seconds
 * ago. With `dry`, only count the rows that would be removed. *removed is set
 * even if an error ends the call midway. */
enum err links_gc(struct db *db, int64_t now, bool dry, int64_t *removed,
		  struct errmsg *why) MUST_CHECK;

#endif
