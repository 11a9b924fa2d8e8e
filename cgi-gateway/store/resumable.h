/* resumable.h - an upload that arrives in many requests (tus).
 *
 * One writer at a time appends. A new writer replaces the one before it, in
 * this process or another: the older writer's next write returns ERR_CONFLICT,
 * and no byte of it is stored. So a client that lost its connection can resume
 * at once.
 *
 * Written bytes count even if the process is killed. After a loss of power,
 * only those count that resumable_sync() had made durable. The store keeps a
 * checkpoint with the running SHA-256, so neither resuming nor committing reads
 * the whole upload again.
 *
 *	resumable_open(s, id, &at, ...)
 *	{ resumable_write(r, bytes) | resumable_flush(r) }*
 *	resumable_sync(r)
 *	resumable_close(r)
 *
 * Errors are those of store.h, and those named here. resumable_commit.h turns a
 * complete upload into an object.
 */
#ifndef RESUMABLE_H
#define RESUMABLE_H

#include "cgi-gateway/store/store.h"
#include "common/codec/digest.h"

struct resumable; /* a writer; used by one thread */

/* Create an upload without bytes, locked (store.h) until store_unlock() or
 * resumable_remove(), because no row names it yet. It survives a loss of
 * power. ERR_CONFLICT if it exists. */
enum err resumable_create(struct store *s, const char *id,
			  struct errmsg *why) MUST_CHECK;

/* Report how many bytes count, and when the upload was last written, in seconds
 * since 1970. Works until resumable_commit_end(). ERR_NOT_FOUND. */
enum err resumable_offset(struct store *s, const char *id, int64_t *offset,
			  int64_t *written_at, struct errmsg *why) MUST_CHECK;

/* Open as the newest writer, at offset *at. Bytes beyond the offset, which do
 * not count, are truncated. If `tentative`, the bytes of this writer count only
 * after resumable_sync(), all at once.
 *
 *   ERR_CONFLICT   *at is not the offset; *at is set to it, and the older
 *                  writer remains
 *   ERR_NOT_FOUND  no such upload, or resumable_commit_begin() has closed it */
enum err resumable_open(struct store *s, const char *id, int64_t *at,
			bool tentative, struct resumable **out,
			struct errmsg *why) MUST_CHECK;

/* Append; the bytes may be buffered. ERR_CONFLICT: there is a newer writer.
 * After a failure, only call resumable_close(). */
enum err resumable_write(struct resumable *r, struct span bytes,
			 struct errmsg *why) MUST_CHECK;

/* Write what is buffered, so that it counts. Call it before waiting for more
 * bytes. */
enum err resumable_flush(struct resumable *r, struct errmsg *why) MUST_CHECK;

/* Flush, and make all bytes durable. */
enum err resumable_sync(struct resumable *r, struct errmsg *why) MUST_CHECK;

/* Return the bytes of the whole upload so far, including buffered ones. */
int64_t resumable_at(const struct resumable *r);

/* Close without flushing. NULL is fine. */
void resumable_close(struct resumable *r);

/* Append the bytes of the upload `id`. ERR_CONFLICT if it does not have
 * `length` bytes. */
enum err resumable_append(struct resumable *r, const char *id, int64_t length,
			  struct errmsg *why) MUST_CHECK;

/* Remove the upload and unlock it. An open writer's next write returns
 * ERR_CONFLICT. Also removes what a store_writer left unfinished; a finished
 * object is ERR_NOT_FOUND. */
enum err resumable_remove(struct store *s, const char *id,
			  struct errmsg *why) MUST_CHECK;

#endif
