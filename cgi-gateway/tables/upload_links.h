/* upload_links.h - the table `upload_link`: addresses by which anyone who has
 * them may put files into their owner's space.
 *
 * What came is counted in the link's row, in the transaction that writes the
 * rows of the files, with the limits in the WHERE of the UPDATE: of any number
 * of uploads at the same instant, those go through that fit. What was deleted
 * since is not given back. A link ends at its expiry, when it is revoked, when
 * no file or no byte is left, and while its owner is disabled.
 *
 * Rows are locked in this order: quota, upload_link, file. Errors are db.h's.
 */
#ifndef UPLOAD_LINKS_H
#define UPLOAD_LINKS_H

#include "cgi-gateway/parse/link_token.h"
#include "cgi-gateway/tables/files.h"

enum {
	UPLOAD_LINK_NAME_MAX = 100,    /* bytes of UTF-8 */
	UPLOAD_LINK_OWNER_MAX = 100,   /* of one owner that are not revoked */
	UPLOAD_LINK_KEPT = 30 * 86400, /* seconds that a dead one's row stays */
	UPLOAD_LINK_NEVER = 0,	       /* expires_at of one that stays */
	UPLOAD_LINK_NO_LIMIT = 0,      /* any of its limits */
};

/* What the holder of one that has ended is told */
#define UPLOAD_LINK_GONE                                                     \
	"This link has expired, was revoked or is used up. Ask who gave it " \
	"to you for another."

struct upload_link {
	char id[IDENT_LEN + 1];
	uint64_t owner;
	char name[UPLOAD_LINK_NAME_MAX + 1];
	int64_t created_at, expires_at; /* seconds since 1970 UTC */
	struct amount most, taken;
	int64_t max_file_bytes;
};

/* Make `l` (whose name, expires_at and limits are set) for `owner`, 0 for the
 * caller, fill in its id, created_at and taken, and tell the secret.
 *
 *   ERR_QUOTA      the owner has UPLOAD_LINK_OWNER_MAX links
 *   ERR_NOT_FOUND  the session lives no more, or there is no such owner
 */
enum err upload_links_add(struct db *db, const struct session_check *who,
			  uint64_t owner, struct upload_link *l,
			  char token[static LINK_TOKEN_LEN + 1],
			  struct errmsg *why) MUST_CHECK;

/* Those of an owner that are not revoked, newest first. No row at all may also
 * mean that the session has ended: session_check_alone() tells. */
enum err upload_links_list(struct db *db, const struct session_check *who,
			   uint64_t owner, struct upload_link *row,
			   db_each_fn *each, void *arg,
			   struct errmsg *why) MUST_CHECK;

/* End one. ERR_NOT_FOUND for one that was ended before, and for a session that
 * has ended. */
enum err upload_links_revoke(struct db *db, const struct session_check *who,
			     uint64_t owner, struct span id,
			     struct errmsg *why) MUST_CHECK;

/* The link whose secret is `token`, at `now`. ERR_NOT_FOUND; ERR_GONE for one
 * that has ended. */
enum err upload_links_find(struct db *db, struct span token, int64_t now,
			   struct upload_link *out,
			   struct errmsg *why) MUST_CHECK;

/* What it still takes; INT64_MAX where it has no limit. */
struct amount upload_link_left(const struct upload_link *l);

/* How many bytes of one file it takes where nobody may send more than `most`.
 */
int64_t upload_link_max_file(const struct upload_link *l, int64_t most);

/* Add the rows of `count` files that came by the link, or none, with an event
 * of each for `to`. After ERR_UNAVAILABLE it is not known which.
 *
 *   ERR_QUOTA  the owner has no room for all of them; `limits` as in files.h
 *   ERR_GONE   the link has ended, or has no room for all of them itself:
 *              upload_links_find() tells which
 */
enum err upload_links_receive(struct db *db, const struct upload_link *l,
			      int64_t now, const struct quota_limits *limits,
			      const struct file *files, size_t count,
			      const struct webhook_targets *to,
			      struct errmsg *why) MUST_CHECK;

/* --- for gateway-admin ------------------------------------------------- */

/* Remove the rows of links that have been dead for UPLOAD_LINK_KEPT; with `dry`
 * only count these. *removed is what this call removed, also where it fails
 * half way. */
enum err upload_links_sweep(struct db *db, int64_t now, bool dry,
			    int64_t *removed, struct errmsg *why) MUST_CHECK;

#endif
