/* files.h - the table `file`: one row for each finished file.
 *
 * A row exists only for bytes that are safe in the store. What belongs to
 * someone else, or has expired, is not found. Errors are db.h's. Rows come and
 * go in one transaction with what quota.h counts and events.h notes.
 */
#ifndef FILES_H
#define FILES_H

#include "cgi-gateway/parse/file_name.h"
#include "cgi-gateway/parse/file_type.h"
#include "cgi-gateway/parse/webhook_target.h"
#include "cgi-gateway/tables/quota.h"
#include "common/access/session_check.h"
#include "common/base/err.h"
#include "common/codec/digest.h"
#include "common/codec/ident.h"
#include "common/db/db.h"

enum {
	FILES_NEVER = 0,       /* expires_at of a file that stays */
	FILES_LIST_MAX = 1000, /* rows of one page */
};

struct file {
	char id[UUID_LEN + 1];
	uint64_t owner; /* user id */
	char name[FILE_NAME_MAX + 1];
	char type[FILE_TYPE_MAX + 1]; /* which the bytes decided */
	/* as the client said; "" in rows from when nobody looked at bytes */
	char claimed_type[FILE_TYPE_MAX + 1];
	int64_t size; /* bytes */
	unsigned char sha256[SHA256_LEN];
	int64_t created_at, expires_at; /* seconds since 1970 UTC */
	/* the id of the link (upload_links.h) by which it came, or "" */
	char upload_link[IDENT_LEN + 1];
};

/* What they are together. */
struct amount files_amount(const struct file *files, size_t count);

/* For statements of other tables that join a file as `f` */
#define FILES_COLUMNS                                                       \
	"f.id, f.owner, f.name, f.type, f.claimed_type, f.size, f.sha256, " \
	"f.created_at,"                                                     \
	" f.expires_at, f.upload_link"
#define FILES_FIELDS(f)                                                      \
	db_to_text((f)->id, sizeof((f)->id)), db_to_uint(&(f)->owner),       \
		db_to_text((f)->name, sizeof((f)->name)),                    \
		db_to_text((f)->type, sizeof((f)->type)),                    \
		db_to_text((f)->claimed_type, sizeof((f)->claimed_type)),    \
		db_to_int(&(f)->size), db_to_bytes((f)->sha256, SHA256_LEN), \
		db_to_int(&(f)->created_at),                                 \
		db_to_int_or(&(f)->expires_at, FILES_NEVER),                 \
		db_to_text((f)->upload_link, sizeof((f)->upload_link))

/* Each call below checks the caller's session in the same statement, hence in
 * the same round trip: ERR_BAD_TOKEN when it lives no more. `owner` is whose files
 * they are, 0 for the caller's own. */

/* Add all `count` rows or none, for `owner` whatever the rows say, with an
 * event of each for everybody in `to` (NULL: nobody). After ERR_UNAVAILABLE it
 * is not known which. ERR_QUOTA: the owner has no room for all of them;
 * `limits` hold for who has none of their own. */
enum err files_add(struct db *db, const struct session_check *who,
		   uint64_t owner, const struct quota_limits *limits,
		   const struct file *files, size_t count,
		   const struct webhook_targets *to,
		   struct errmsg *why) MUST_CHECK;

/* In the transaction of who counts it in the quota: write one row, with its
 * event. `who` may be NULL, as in quota.h. ERR_BAD_TOKEN */
enum err files_insert(struct db_conn *c, const struct session_check *who,
		      uint64_t owner, const struct file *f,
		      const struct webhook_targets *to,
		      struct errmsg *why) MUST_CHECK;

enum err files_find(struct db *db, struct session_check *who, uint64_t owner,
		    struct span id, struct file *out,
		    struct errmsg *why) MUST_CHECK;

/* What a page of the list is to hold. */
struct files_page {
	uint64_t owner;
	struct span
		after;	  /* id of the last file of the page before; or empty */
	struct span part; /* what the name contains; empty: any */
	int64_t limit;	  /* rows */
};

/* Newest first; `each` gets every row in *row. No row at all may also mean that
 * the session has ended: session_check_alone() tells. */
enum err files_list(struct db *db, const struct session_check *who,
		    const struct files_page *p, struct file *row,
		    db_each_fn *each, void *arg, struct errmsg *why) MUST_CHECK;

/* Write those columns of `f` that `which` names, by its id and owner; another
 * request may be changing the others. ERR_NOT_FOUND for a session that has
 * ended, too: who changes a file has found it before. */
struct files_changed {
	bool name, expiry;
};
enum err files_update(struct db *db, const struct session_check *who,
		      const struct file *f, struct files_changed which,
		      struct errmsg *why) MUST_CHECK;

/* Remove the row, of an expired file too: it still counts; with an event for
 * everybody in `to`. The bytes come after, by the caller. ERR_NOT_FOUND for a
 * session that has ended, too: session_check_alone() tells. */
enum err files_remove(struct db *db, const struct session_check *who,
		      uint64_t owner, struct span id,
		      const struct webhook_targets *to,
		      struct errmsg *why) MUST_CHECK;

/* --- for gateway-admin ------------------------------------------------- */

/* Remove the row if it has expired at `now`, with an event for everybody in
 * `to`: its owner may have lifted that since it was read. Of `f`, its id, owner
 * and size count. ERR_NOT_FOUND. */
enum err files_drop(struct db *db, const struct file *f, int64_t now,
		    const struct webhook_targets *to,
		    struct errmsg *why) MUST_CHECK;

/* Whether a row with this id exists, whoever's and however old. Waits for a
 * transaction that has written it and not ended: its program may be gone, but
 * what the server does with a COMMIT on its way is not known before. */
enum err files_exists(struct db *db, struct span id,
		      struct errmsg *why) MUST_CHECK;

/* What has expired at `now`, oldest first, at most FILES_LIST_MAX: behind the
 * file `after`, of which id and expires_at count, "" and 0 at first. */
enum err files_expired(struct db *db, int64_t now, const struct file *after,
		       struct file *row, db_each_fn *each, void *arg,
		       struct errmsg *why) MUST_CHECK;

/* Every row behind the id `after` ("" at first), at most FILES_LIST_MAX, by id.
 */
enum err files_walk(struct db *db, struct span after, struct file *row,
		    db_each_fn *each, void *arg, struct errmsg *why) MUST_CHECK;

struct files_total {
	int64_t files, bytes, owners;
};

enum err files_count(struct db *db, struct files_total *out,
		     struct errmsg *why) MUST_CHECK;

#endif
