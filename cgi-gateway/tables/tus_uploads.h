/* tus_uploads.h - the table `upload`: resumable uploads (tus) under way.
 *
 * An upload becomes the file of the same id. From its creation on its length
 * counts in the owner's quota as if it were there, so that what was begun can
 * be finished; when it becomes a file, or is removed, the count goes with it.
 * As long as the length is not told, the bytes count that requests have said
 * they bring: no more are ever written than are held, and none of these is
 * beyond the length when it is told.
 *
 * What belongs to someone else is not found. Errors are db.h's, and those
 * named; each call that takes a caller checks the session as files.h does.
 */
#ifndef TUS_UPLOADS_H
#define TUS_UPLOADS_H

#include "cgi-gateway/parse/tus_header.h"
#include "cgi-gateway/tables/files.h"

enum {
	TUS_LENGTH_UNKNOWN = -1, /* not told yet */
	TUS_UNFINISHED = 0,
};

struct tus_upload {
	char id[UUID_LEN + 1];
	uint64_t owner;
	enum tus_concat concat;
	char concat_sent[TUS_CONCAT_MAX + 1]; /* the field, as it was sent */
	char name[FILE_NAME_MAX + 1];
	char type[FILE_TYPE_MAX + 1];
	char metadata[TUS_METADATA_MAX + 1]; /* as well */
	int64_t length;			     /* bytes, or TUS_LENGTH_UNKNOWN */
	struct amount held;
	bool has_sha256;
	unsigned char sha256[SHA256_LEN]; /* that the file must have */
	int64_t life; /* seconds of the file, or FILES_NEVER */
	int64_t created_at, expires_at, finished_at; /* since 1970 UTC */
};

/* Add it, and hold its length for it. `owner` is as in files.h; u->held is
 * filled. ERR_QUOTA. */
enum err tus_uploads_add(struct db *db, const struct session_check *who,
			 uint64_t owner, const struct quota_limits *limits,
			 struct tus_upload *u, struct errmsg *why) MUST_CHECK;

/* Also one that has expired, and was not removed yet. ERR_BAD_TOKEN. */
enum err tus_uploads_find(struct db *db, struct session_check *who,
			  uint64_t owner, struct span id,
			  struct tus_upload *out,
			  struct errmsg *why) MUST_CHECK;

/* Before bytes come to one whose length is not known: hold so many of it in
 * all, if it does not hold them already. ERR_QUOTA; ERR_CONFLICT when another
 * request changed that since `u` was read, or told the length. */
enum err tus_uploads_hold(struct db *db, const struct session_check *who,
			  const struct quota_limits *limits,
			  struct tus_upload *u, int64_t bytes,
			  struct errmsg *why) MUST_CHECK;

/* Now the length is known: hold it. The same errors; ERR_INVALID when it is
 * less than what is held. */
enum err tus_uploads_measured(struct db *db, const struct session_check *who,
			      const struct quota_limits *limits,
			      struct tus_upload *u, int64_t length,
			      struct errmsg *why) MUST_CHECK;

/* In one transaction it becomes the file `f`, whose bytes are safe in the
 * store, and everybody in `to` is told; its own row lives until u->expires_at.
 * ERR_NOT_FOUND: it was removed, or is one already. After ERR_UNAVAILABLE it is
 * not known. */
enum err tus_uploads_finish(struct db *db, const struct session_check *who,
			    const struct tus_upload *u, const struct file *f,
			    const struct webhook_targets *to,
			    struct errmsg *why) MUST_CHECK;

/* The same for one that was put together of `parts`, whose rows go, and with
 * them what they held. ERR_CONFLICT: one of them is no more. ERR_QUOTA. */
enum err tus_uploads_join(struct db *db, const struct session_check *who,
			  const struct quota_limits *limits,
			  const struct tus_upload *whole, const struct file *f,
			  const struct tus_upload *parts, size_t count,
			  const struct webhook_targets *to,
			  struct errmsg *why) MUST_CHECK;

/* Remove it, unless it became a file meanwhile: ERR_NOT_FOUND. The bytes come
 * after, by the caller. */
enum err tus_uploads_remove(struct db *db, const struct tus_upload *u,
			    struct errmsg *why) MUST_CHECK;

/* --- for gateway-admin --------------------------------------------------- */

/* Whether `id` is of one that has not become a file. ERR_NOT_FOUND. */
enum err tus_uploads_exists(struct db *db, struct span id,
			    struct errmsg *why) MUST_CHECK;

/* Whether it is of one, or of a file. ERR_NOT_FOUND: nobody's, for good. */
enum err tus_uploads_wants(struct db *db, struct span id,
			   struct errmsg *why) MUST_CHECK;

/* Those that have expired at `now`, by id from behind `after` ("" at first), at
 * most FILES_LIST_MAX. Of each *row gets id, owner, held and finished_at. */
enum err tus_uploads_expired(struct db *db, int64_t now, struct span after,
			     struct tus_upload *row, db_each_fn *each,
			     void *arg, struct errmsg *why) MUST_CHECK;

/* It is not abandoned: let it live until then. ERR_NOT_FOUND. */
enum err tus_uploads_prolong(struct db *db, const struct tus_upload *u,
			     int64_t expires_at, struct errmsg *why) MUST_CHECK;

/* Remove the row of one that has expired at `now`, finished or not; of `u` id,
 * owner and held count. ERR_NOT_FOUND. */
enum err tus_uploads_drop(struct db *db, const struct tus_upload *u,
			  int64_t now, struct errmsg *why) MUST_CHECK;

#endif
