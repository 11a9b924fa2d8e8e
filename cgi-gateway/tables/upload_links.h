/* upload_links.h - the table `upload_link`: addresses by which anyone can
 * upload files into their owner's space.
 *
 * Files and bytes are counted in the link's row, in the transaction that
 * inserts the files, with the limits in the WHERE of the UPDATE: of any number
 * of simultaneous uploads, those that fit are stored. A file that is deleted
 * later remains counted. A link ends when it expires or is revoked, when no
 * file or no byte is left, and while its owner is disabled.
 *
 * Rows are locked in this order: quota, upload_link, file. Errors are those of
 * db.h, and those named here.
 */
#ifndef UPLOAD_LINKS_H
#define UPLOAD_LINKS_H

#include "cgi-gateway/parse/link_token.h"
#include "cgi-gateway/tables/files.h"

enum {
	/* characters of a name; the column's width */
	UPLOAD_LINK_NAME_CHARS = 100,
	UPLOAD_LINK_NAME_MAX = 400,  /* bytes of a name */
	UPLOAD_LINK_OWNER_MAX = 100, /* of one owner, not revoked */
	UPLOAD_LINK_KEPT =
		30 * 86400,	  /* seconds that an ended link's row is kept */
	UPLOAD_LINK_NEVER = 0,	  /* expires_at: does not expire */
	UPLOAD_LINK_NO_LIMIT = 0, /* any of the limits: there is none */
};

/* The explanation of ERR_GONE for a client */
#define UPLOAD_LINK_GONE                                             \
	"This link has expired, was revoked or is used up. Ask the " \
	"person who gave it to you for a new one."

/* Whether the link `k` of the owner `u` (live_user) accepts files, as an
 * expression; its one parameter is the time. */
#define UPLOAD_LINK_ACCEPTS                                   \
	"u.id IS NOT NULL"                                    \
	" AND k.revoked_at IS NULL"                           \
	" AND (k.expires_at IS NULL OR k.expires_at > ?)"     \
	" AND (k.max_files IS NULL OR k.files < k.max_files)" \
	" AND (k.max_bytes IS NULL OR k.bytes < k.max_bytes)"

struct upload_link {
	char id[IDENT_LEN + 1];
	uint64_t owner;
	char name[UPLOAD_LINK_NAME_MAX + 1];
	int64_t created_at, expires_at; /* seconds since 1970 UTC */
	struct amount limits, used;	/* over the life of the link */
	int64_t max_file_bytes;
};

/* Create a link for `owner`, 0 for the session's own user. Its name, expires_at
 * and limits are given; the rest of *l and its secret `token` are filled.
 *
 *   ERR_TOO_MANY   the owner has UPLOAD_LINK_OWNER_MAX links
 *   ERR_NOT_FOUND  there is no such owner
 *   ERR_BAD_TOKEN  the session has ended
 */
enum err upload_links_add(struct db *db, const struct session_check *session,
			  uint64_t owner, struct upload_link *l,
			  char token[static LINK_TOKEN_LEN + 1],
			  struct errmsg *why) MUST_CHECK;

/* List the links of an owner that are not revoked, newest first. ERR_BAD_TOKEN.
 */
enum err upload_links_list(struct db *db, const struct session_check *session,
			   uint64_t owner, struct upload_link *row,
			   db_each_fn *each, void *arg,
			   struct errmsg *why) MUST_CHECK;

/* Revoke a link. ERR_NOT_FOUND also if it was revoked before; ERR_BAD_TOKEN. */
enum err upload_links_revoke(struct db *db, const struct session_check *session,
			     uint64_t owner, struct span id,
			     struct errmsg *why) MUST_CHECK;

/* Find the link whose secret is `token`, at `now`. ERR_NOT_FOUND; ERR_GONE if
 * it has ended. */
enum err upload_links_find(struct db *db, struct span token, int64_t now,
			   struct upload_link *out,
			   struct errmsg *why) MUST_CHECK;

/* Return what the link still accepts; INT64_MAX if it has no limit. */
struct amount upload_link_left(const struct upload_link *l);

/* Return the size limit of one file, in bytes: the link's, but at most `max`.
 */
int64_t upload_link_max_file(const struct upload_link *l, int64_t max);

/* Insert the rows of `count` files received by the link, or none, each with an
 * event for `to`. ERR_UNAVAILABLE: it is unknown whether they were inserted.
 *
 *   ERR_QUOTA  the owner has no room for all of them; `defaults` as in files.h
 *   ERR_GONE   the link has ended, or has no room for all of them:
 *              upload_links_find() reports which */
enum err upload_links_receive(struct db *db, const struct upload_link *l,
			      int64_t now, const struct quota_limits *defaults,
			      const struct file *files, size_t count,
			      const struct webhook_targets *to,
			      struct errmsg *why) MUST_CHECK;

/* --- for gateway-admin ---------------------------------------------------- */

/* Remove the rows of links that ended more than UPLOAD_LINK_KEPT seconds ago;
 * with `dry`, only count them. *removed is set even if an error ends the call
 * midway. */
enum err upload_links_gc(struct db *db, int64_t now, bool dry, int64_t *removed,
			 struct errmsg *why) MUST_CHECK;

#endif
