/* files.h - the table `file`: one row for each finished file.
 *
 * A row exists only for bytes that are safe in the store. What belongs to
 * someone else, or has expired, is not found. Errors are db.h's.
 */
#ifndef FILES_H
#define FILES_H

#include "db.h"
#include "digest.h"
#include "err.h"
#include "file_name.h"
#include "ident.h"

enum {
	FILES_NEVER = 0,       /* expires_at of a file that stays */
	FILES_LIST_MAX = 1000, /* rows of one page */
};

struct file {
	char id[UUID_LEN + 1];
	uint64_t owner; /* user id */
	char name[FILE_NAME_MAX + 1];
	char type[FILE_TYPE_MAX + 1];
	int64_t size; /* bytes */
	unsigned char sha256[SHA256_LEN];
	int64_t created_at, expires_at; /* seconds since 1970 UTC */
};

/* Add all `count` rows or none. After ERR_UNAVAILABLE it is not known which. */
enum err files_add(struct db *db, const struct file *files, size_t count,
		   struct errmsg *m) MUST_CHECK;

enum err files_find(struct db *db, struct span id, uint64_t owner, int64_t now,
		    struct file *out, struct errmsg *m) MUST_CHECK;

/* What a page of the list is to hold. */
struct files_page {
	uint64_t owner;
	int64_t now;
	struct span
		after;	  /* id of the last file of the page before; or empty */
	struct span part; /* what the name contains; empty: any */
	int64_t limit;	  /* rows */
};

/* Newest first; `each` gets every row in *row. */
enum err files_list(struct db *db, const struct files_page *p, struct file *row,
		    db_each_fn *each, void *arg, struct errmsg *m) MUST_CHECK;

/* Write name and expires_at of `f` back, by its id and owner. */
enum err files_update(struct db *db, const struct file *f,
		      struct errmsg *m) MUST_CHECK;

/* Remove the row. The bytes come after, by the caller. */
enum err files_remove(struct db *db, struct span id, uint64_t owner,
		      struct errmsg *m) MUST_CHECK;

/* --- for gateway-admin ------------------------------------------------- */

/* Whether a row with this id exists, whoever's and however old. */
enum err files_exists(struct db *db, struct span id,
		      struct errmsg *m) MUST_CHECK;

/* The ids that have expired at `now`, oldest first, at most FILES_LIST_MAX. */
enum err files_expired(struct db *db, int64_t now, struct file *row,
		       db_each_fn *each, void *arg,
		       struct errmsg *m) MUST_CHECK;

/* Every row behind the id `after` ("" at first), at most FILES_LIST_MAX, by id.
 */
enum err files_walk(struct db *db, struct span after, struct file *row,
		    db_each_fn *each, void *arg, struct errmsg *m) MUST_CHECK;

struct files_total {
	int64_t files, bytes, owners;
};

enum err files_count(struct db *db, struct files_total *out,
		     struct errmsg *m) MUST_CHECK;

#endif
