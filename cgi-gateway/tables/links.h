/* links.h - the table `link`: share links, addresses from which anyone can
 * download a file.
 *
 * A counted download sends the file once. What follows belongs to it as long as
 * all of it together stays within the file's size and link_tolerance(): a
 * download that is resumed, or fetched in several ranges. The bytes are counted
 * in the link's row by one conditional UPDATE, so of any number of simultaneous
 * requests exactly max_downloads downloads are sent
 * (docs/decisions/0038-a-counted-download-sends-the-file-once.md).
 *
 * A link ends when it expires or is revoked, or when its file is deleted.
 * Errors are those of db.h, and those named here.
 */
#ifndef LINKS_H
#define LINKS_H

#include "cgi-gateway/parse/link_token.h"
#include "cgi-gateway/tables/files.h"

enum {
	LINK_GRACE = 3600, /* seconds without a request that end the last
			      download */
	LINK_PROBE = 2,	   /* bytes; Safari asks for bytes=0-1 first */
	/* Bytes that may be on their way when a connection breaks: at most half
	 * of the file, and none of a file so small that it is sent at once */
	LINK_IN_FLIGHT = 64 << 20,
	LINK_IN_FLIGHT_FROM = 64 << 10,
	LINK_KEPT = 30 * 86400, /* seconds that an ended link's row is kept */
	LINK_FILE_MAX = 100,	/* links of one file that are not revoked */
	LINK_NEVER = 0,		/* expires_at: does not expire */
	LINK_NO_LIMIT = 0,	/* max_downloads: downloads are not limited */
};

struct link {
	char id[IDENT_LEN + 1];
	int64_t created_at, expires_at; /* seconds since 1970 UTC */
	int64_t max_downloads, downloads;
	int64_t bytes_left;	  /* of the counted downloads */
	int64_t bytes_sending;	  /* taken by requests that have not ended */
	int64_t last_download_at; /* or 0 */
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

/* Return the bytes of a file of `size` bytes that a link may send twice. */
int64_t link_tolerance(int64_t size);

/* Return true if a request at `now` may send at least one byte of the file. */
bool link_has_left(const struct link *l, int64_t now);

/* The bytes that a request sends of a file of `size` bytes. */
struct link_charge {
	int64_t size, length;
	/* links_end_charge() will follow, and may give some of them back */
	bool open;
};

/* Charge them to the downloads that were counted, if they fit, else to another
 * one. ERR_GONE if none is left, or if the link has ended since. */
enum err links_charge(struct db *db, const struct link *l,
		      const struct link_charge *c, int64_t now,
		      struct errmsg *why) MUST_CHECK;

/* Return true if the charge may fit when requests that have not ended have given
 * back what they do not send. *l is as links_find() read it. */
bool link_charge_may_fit(const struct link *l, const struct link_charge *c,
			 int64_t now);

/* End an open charge. Give back `unsent` bytes of it, because the client broke
 * the connection. */
enum err links_end_charge(struct db *db, const struct link *l,
			  const struct link_charge *c, int64_t unsent,
			  struct errmsg *why) MUST_CHECK;

/* --- for gateway-admin ---------------------------------------------------- */

/* Revoke the links whose file was deleted, so that their LINK_KEPT seconds
 * begin, and remove the rows of links that ended more than LINK_KEPT seconds
 * ago. With `dry`, only count the rows that would be removed. *removed is set
 * even if an error ends the call midway. */
enum err links_gc(struct db *db, int64_t now, bool dry, int64_t *removed,
		  struct errmsg *why) MUST_CHECK;

#endif
