/* resumable.h - an object on its way in over many requests (tus).
 *
 * Bytes are appended by one writer at a time. Who becomes the writer takes that
 * from whoever was it before, in this process or another: the older one's next
 * write is refused, and not a byte of it lands. So nobody waits for a
 * connection that broke without a word.
 *
 * What has been written counts, also when the process is killed: the file's
 * length is the offset. The running SHA-256 lies beside it (resumable_mark.h), at
 * most RESUMABLE_SYNC_EVERY bytes behind, so that to go on reads no more than
 * that again, and to finish nothing. After a loss of power what counts is what
 * resumable_sync() had made safe.
 *
 *	DIR/incoming/<id>        the bytes
 *	DIR/incoming/<id>.mark   how far they are kept, who may write
 *
 *	resumable_open(s, id, at, ...)
 *	{ resumable_write(p, bytes) | resumable_flush(p) }*
 *	resumable_sync(p)
 *	resumable_close(p)
 *
 * Errors are store.h's, and those named. Finishing is in resumable_finish.h.
 */
#ifndef RESUMABLE_H
#define RESUMABLE_H

#include "cgi-gateway/store/store.h"
#include "common/codec/digest.h"

enum {
	RESUMABLE_GATHER = 128 * 1024, /* bytes a write(2) carries */
	RESUMABLE_SYNC_EVERY = 64 * 1024 * 1024,
};

struct resumable; /* in one request's hands */

/* Empty, without a writer, and held (store.h) until store_unlock() or
 * resumable_remove(): no row names it yet. Its names are safe from a loss of
 * power. ERR_CONFLICT where there is one already. */
enum err resumable_create(struct store *s, const char *id,
			  struct errmsg *why) MUST_CHECK;

/* How many of its bytes count, and when it was written last, in seconds since
 * 1970; until resumable_commit_end(). ERR_NOT_FOUND. */
enum err resumable_offset(struct store *s, const char *id, int64_t *offset,
			  int64_t *written_at, struct errmsg *why) MUST_CHECK;

/* Become its writer, for bytes from `at` on. What was written beyond the bytes
 * that count is cut off. With `tentative` those of this writer count only after
 * resumable_sync(), all of them or none.
 *
 *   ERR_CONFLICT   `at` is not the number of bytes that count, which is in *at
 *                  then; the older writer goes on
 *   ERR_NOT_FOUND  there is none, or resumable_commit_begin() has closed it
 */
enum err resumable_open(struct store *s, const char *id, int64_t *at,
			bool tentative, struct resumable **out,
			struct errmsg *why) MUST_CHECK;

/* Append. ERR_CONFLICT: somebody else is the writer now. After a failure only
 * resumable_close() makes sense. */
enum err resumable_write(struct resumable *p, struct span bytes,
			 struct errmsg *why) MUST_CHECK;

/* Write what is gathered, before a wait for more: then it counts. */
enum err resumable_flush(struct resumable *p, struct errmsg *why) MUST_CHECK;

/* The same, and make all that was written safe from a loss of power. */
enum err resumable_sync(struct resumable *p, struct errmsg *why) MUST_CHECK;

/* Bytes of the whole so far, gathered ones too. */
int64_t resumable_at(const struct resumable *p);

/* NULL is fine. */
void resumable_close(struct resumable *p);

/* Append what another one holds. ERR_CONFLICT when that is not `length` bytes.
 */
enum err resumable_append(struct resumable *p, const char *id, int64_t length,
			  struct errmsg *why) MUST_CHECK;

/* Remove it, and let go; its writer, if there is one, is told with its next
 * write. ERR_NOT_FOUND: nothing of it is there. */
enum err resumable_remove(struct store *s, const char *id,
			  struct errmsg *why) MUST_CHECK;

#endif
