/* files.h - the table `file`: one row for each finished file.
 *
 * A row exists only if its bytes are durable in the store. A file of another
 * owner, or an expired one, is not found. A row is inserted or deleted in one
 * transaction with its count (quota.h) and its event (outbox.h). Errors are
 * those of db.h, and those named here.
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
	FILES_NEVER = 0,       /* expires_at: does not expire */
	FILES_LIST_MAX = 1000, /* rows of one page */
};

struct file {
	char id[UUID_LEN + 1];
	uint64_t owner; /* user id */
	char name[FILE_NAME_MAX + 1];
	char type[FILE_TYPE_MAX + 1]; /* decided by the bytes */
	/* the type that the client sent; "" if `type` was not decided by the
	 * bytes, as in rows of older versions */
	char claimed_type[FILE_TYPE_MAX + 1];
	int64_t size; /* bytes */
	unsigned char sha256[SHA256_LEN];
	int64_t created_at, expires_at; /* seconds since 1970 UTC */
	/* id of the upload link (upload_links.h) that received it, or "" */
	char upload_link[IDENT_LEN + 1];
};

/* Return the sum of the sizes, and the number of files. */
struct amount files_amount(const struct file *files, size_t count);

/* For statements in which the file is `f` */
#define FILES_COLUMNS                                            \
	"f.id, f.owner, f.name, f.type, f.claimed_type, f.size," \
	" f.sha256, f.created_at, f.expires_at, f.upload_link"
#define FILES_FIELDS(f)                                                      \
	db_to_text((f)->id, sizeof((f)->id)), db_to_uint(&(f)->owner),       \
		db_to_text((f)->name, sizeof((f)->name)),                    \
		db_to_text((f)->type, sizeof((f)->type)),                    \
		db_to_text((f)->claimed_type, sizeof((f)->claimed_type)),    \
		db_to_int(&(f)->size), db_to_bytes((f)->sha256, SHA256_LEN), \
		db_to_int(&(f)->created_at),                                 \
		db_to_int_or(&(f)->expires_at, FILES_NEVER),                 \
		db_to_text((f)->upload_link, sizeof((f)->upload_link))

/* The calls below check `session` in the same statement, without another round
 * trip. They return ERR_BAD_TOKEN if it is not valid, and ERR_SCOPE if an API
 * token lacks the scope (session_check.h). `owner` is the user who owns the
 * files, 0 for the session's own user. `to` are the webhook targets that get an
 * event; NULL for none. */

/* Insert all `count` rows, or none, each with its event. The owner is `owner`;
 * files[i].owner is ignored. `defaults` are the limits of an owner without
 * limits of their own. ERR_QUOTA: there is no room for all of them.
 * ERR_UNAVAILABLE: it is unknown whether the rows were inserted. */
enum err files_add(struct db *db, const struct session_check *session,
		   uint64_t owner, const struct quota_limits *defaults,
		   const struct file *files, size_t count,
		   const struct webhook_targets *to,
		   struct errmsg *why) MUST_CHECK;

/* Insert one row and its event, in the caller's transaction, which must also
 * count it in the quota. `session` may be NULL, as in quota.h. ERR_BAD_TOKEN.
 */
enum err files_insert(struct db_conn *c, const struct session_check *session,
		      uint64_t owner, const struct file *f,
		      const struct webhook_targets *to,
		      struct errmsg *why) MUST_CHECK;

/* Find one file. ERR_NOT_FOUND. */
enum err files_find(struct db *db, struct session_check *session,
		    uint64_t owner, struct span id, struct file *out,
		    struct errmsg *why) MUST_CHECK;

/* Selects a page of the list. */
struct files_page {
	uint64_t owner;
	uint64_t user;	   /* of the session */
	struct span after; /* id of the last file of the previous page, or "" */
	/* Only names that contain this, by the rules of name_fold.h; "": all.
	 * At most FILE_NAME_MAX bytes of UTF-8 */
	struct span part;
	int64_t limit; /* rows */
};

/* List files, newest first; `each` gets every row in *row. If there are no
 * rows, a second round trip checks the session. */
enum err files_list(struct db *db, const struct session_check *session,
		    const struct files_page *p, struct file *row,
		    db_each_fn *each, void *arg, struct errmsg *why) MUST_CHECK;

/* Write the columns of `f` that `which` names; the row is found by f->id and
 * f->owner. The other columns are not written: another request may be changing
 * them. ERR_NOT_FOUND also if the session has ended since the file was found.
 */
struct files_changed {
	bool name, expiry;
	/* The file as it was found, or NULL. If another request has changed it
	 * since, nothing is written: ERR_NOT_FOUND. */
	const struct file *from;
};
enum err files_update(struct db *db, const struct session_check *session,
		      const struct file *f, struct files_changed which,
		      struct errmsg *why) MUST_CHECK;

/* Delete the row and add an event, including for an expired file, which is
 * still counted. The caller then removes the bytes. ERR_NOT_FOUND. */
enum err files_remove(struct db *db, const struct session_check *session,
		      uint64_t owner, struct span id,
		      const struct webhook_targets *to,
		      struct errmsg *why) MUST_CHECK;

/* The same, if the file is still as it was found: `from`, or NULL for any
 * state. ERR_NOT_FOUND also if another request has changed it. */
enum err files_remove_from(struct db *db, const struct session_check *session,
			   uint64_t owner, struct span id,
			   const struct file *from,
			   const struct webhook_targets *to,
			   struct errmsg *why) MUST_CHECK;

/* --- for gateway-admin ---------------------------------------------------- */

/* Delete the row if it has expired at `now`, and add an event. ERR_NOT_FOUND if
 * its expiry was changed since it was read. Uses the members id, owner and size
 * of `f`. */
enum err files_delete_expired(struct db *db, const struct file *f, int64_t now,
			      const struct webhook_targets *to,
			      struct errmsg *why) MUST_CHECK;

/* Return ERR_OK if there is a row with this id, of any owner and age, else
 * ERR_NOT_FOUND. Waits for an open transaction that has inserted it: its
 * program may have crashed, and it is unknown until then whether the server
 * commits. */
enum err files_exists(struct db *db, struct span id,
		      struct errmsg *why) MUST_CHECK;

/* List the files that have expired at `now`, oldest first, at most
 * FILES_LIST_MAX. They begin after `after`, whose id and expires_at are used;
 * "" and 0 for the first page. */
enum err files_expired(struct db *db, int64_t now, const struct file *after,
		       struct file *row, db_each_fn *each, void *arg,
		       struct errmsg *why) MUST_CHECK;

/* List every row after the id `after` ("" at first), by id, at most
 * FILES_LIST_MAX. */
enum err files_walk(struct db *db, struct span after, struct file *row,
		    db_each_fn *each, void *arg, struct errmsg *why) MUST_CHECK;

struct files_total {
	int64_t files, bytes, owners;
};

/* Compute the sums over all files. */
enum err files_count(struct db *db, struct files_total *out,
		     struct errmsg *why) MUST_CHECK;

#endif
