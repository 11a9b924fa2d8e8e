/* tus_uploads.h - the table `upload`: resumable uploads (tus).
 *
 * An upload becomes the file of the same id. From its creation on, its length
 * is reserved in the owner's quota, so that an upload that was started can be
 * finished. The reservation ends when the upload becomes a file or is removed.
 * While the length is unknown, each request reserves the bytes that it
 * announces before it writes them; the length, when it is set, is never less
 * than what was reserved.
 *
 * An upload of another owner is not found. Errors are those of db.h, and those
 * named here. Each call with a session checks it in its statement, as in
 * files.h, and returns ERR_BAD_TOKEN if it has ended. `owner` is as in files.h.
 */
#ifndef TUS_UPLOADS_H
#define TUS_UPLOADS_H

#include "cgi-gateway/parse/tus_header.h"
#include "cgi-gateway/tables/files.h"

enum {
	TUS_LENGTH_UNKNOWN = -1, /* not set yet */
	TUS_UNFINISHED = 0,
};

struct tus_upload {
	char id[UUID_LEN + 1];
	uint64_t owner;
	enum tus_concat concat;
	char concat_sent[TUS_CONCAT_MAX + 1]; /* Upload-Concat, as received */
	char name[FILE_NAME_MAX + 1];
	char type[FILE_TYPE_MAX + 1];
	char metadata[TUS_METADATA_MAX + 1]; /* Upload-Metadata, as received */
	int64_t length;			     /* bytes, or TUS_LENGTH_UNKNOWN */
	struct amount reserved;		     /* in the quota; 0 once finished */
	bool has_sha256;
	unsigned char sha256[SHA256_LEN]; /* expected of the file */
	int64_t life; /* seconds of the file, or FILES_NEVER */
	int64_t created_at, expires_at, finished_at; /* since 1970 UTC */
};

/* Add a row and reserve its length; u->reserved is filled. `max_unfinished` is
 * the number of uploads that the owner may have: neither finished nor expired.
 * It is exact, because the row of `quota` is locked before they are counted.
 * ERR_QUOTA; ERR_TOO_MANY_UPLOADS. */
enum err tus_uploads_add(struct db *db, const struct session_check *session,
			 uint64_t owner, const struct quota_limits *limits,
			 int64_t max_unfinished, struct tus_upload *u,
			 struct errmsg *why) MUST_CHECK;

/* Find a row, including one that has expired but is not removed yet.
 * ERR_NOT_FOUND. */
enum err tus_uploads_find(struct db *db, struct session_check *session,
			  uint64_t owner, struct span id,
			  struct tus_upload *out,
			  struct errmsg *why) MUST_CHECK;

/* Reserve `bytes` in total for an upload of unknown length, before they are
 * written. Does nothing if that many are already reserved, or the length is
 * known. ERR_QUOTA; ERR_CONFLICT: another request has reserved more or set the
 * length since `u` was read. */
enum err tus_uploads_reserve(struct db *db, const struct session_check *session,
			     const struct quota_limits *limits,
			     struct tus_upload *u, int64_t bytes,
			     struct errmsg *why) MUST_CHECK;

/* Set the length and reserve it. Does nothing if u->length is `length` already,
 * including TUS_LENGTH_UNKNOWN. The same errors; ERR_INVALID: less than is
 * reserved. */
enum err tus_uploads_set_length(struct db *db,
				const struct session_check *session,
				const struct quota_limits *limits,
				struct tus_upload *u, int64_t length,
				struct errmsg *why) MUST_CHECK;

/* Make it the file `f`, whose bytes are durable in the store, with an event for
 * each of `targets`, in one transaction. Its own row is kept until
 * u->expires_at. ERR_NOT_FOUND: it was removed, or is already a file. After
 * ERR_UNAVAILABLE the result is unknown. */
enum err tus_uploads_finish(struct db *db, const struct session_check *session,
			    const struct tus_upload *u, const struct file *f,
			    const struct webhook_targets *targets,
			    struct errmsg *why) MUST_CHECK;

/* The same for an upload that is joined from parts: their rows are deleted, and
 * their reservations pass to the file. ERR_CONFLICT: a part was removed.
 * ERR_QUOTA. */
enum err tus_uploads_join(struct db *db, const struct session_check *session,
			  const struct quota_limits *limits,
			  const struct tus_upload *whole, const struct file *f,
			  const struct tus_upload *part, size_t part_count,
			  const struct webhook_targets *targets,
			  struct errmsg *why) MUST_CHECK;

/* Remove the row; the caller removes the bytes afterwards. ERR_NOT_FOUND: it
 * has become a file, or reserves more than `u` says. */
enum err tus_uploads_remove(struct db *db, const struct tus_upload *u,
			    struct errmsg *why) MUST_CHECK;

/* --- for gateway-admin --------------------------------------------------- */

/* Return ERR_OK if `id` is an upload that has not become a file, else
 * ERR_NOT_FOUND. */
enum err tus_uploads_is_unfinished(struct db *db, struct span id,
				   struct errmsg *why) MUST_CHECK;

/* Return ERR_OK if `id` is such an upload or a file. ERR_NOT_FOUND is final:
 * the bytes of that id can be deleted. */
enum err tus_uploads_is_unfinished_or_file(struct db *db, struct span id,
					   struct errmsg *why) MUST_CHECK;

/* List the uploads that have expired at `now`, by id, after `after` ("" at
 * first), at most FILES_LIST_MAX. Fills id, owner, reserved and finished_at of
 * *row. */
enum err tus_uploads_expired(struct db *db, int64_t now, struct span after,
			     struct tus_upload *row, db_each_fn *each,
			     void *arg, struct errmsg *why) MUST_CHECK;

/* Let it expire later. ERR_NOT_FOUND: there is no row, or it expires even
 * later. */
enum err tus_uploads_prolong(struct db *db, const struct tus_upload *u,
			     int64_t expires_at, struct errmsg *why) MUST_CHECK;

/* Remove the row if it has expired at `now`, finished or not. Reads id, owner
 * and reserved of `u`. ERR_NOT_FOUND. */
enum err tus_uploads_delete_expired(struct db *db, const struct tus_upload *u,
				    int64_t now, struct errmsg *why) MUST_CHECK;

#endif
