/* partial.h - an object on its way in over many requests (tus).
 *
 * Bytes are appended by one writer at a time. Who becomes the writer takes that
 * from whoever was it before, in this process or another: the older one's next
 * write is refused, and not a byte of it lands. So nobody waits for a
 * connection that broke without a word.
 *
 * What has been written counts, also when the process is killed: the file's
 * length is the offset. The running SHA-256 lies beside it (partial_mark.h), at
 * most PARTIAL_KEEP_EVERY bytes behind, so that to go on reads no more than
 * that again, and to finish nothing. After a loss of power what counts is what
 * partial_keep() had made safe.
 *
 *	DIR/incoming/<id>        the bytes
 *	DIR/incoming/<id>.mark   how far they are kept, who may write
 *
 *	partial_open(s, id, at, ...)
 *	{ partial_write(p, bytes) | partial_push(p) }*
 *	partial_keep(p)
 *	partial_close(p)
 *
 * Errors are store.h's, and those named. Finishing is in partial_finish.h.
 */
#ifndef PARTIAL_H
#define PARTIAL_H

#include "digest.h"
#include "store.h"

enum {
	PARTIAL_GATHER = 128 * 1024, /* bytes a write(2) carries */
	PARTIAL_KEEP_EVERY = 64 * 1024 * 1024,
};

struct partial; /* in one request's hands */

/* Empty, without a writer, and held (store.h) until store_release() or
 * partial_remove(): no row names it yet. Its names are safe from a loss of
 * power. ERR_CONFLICT where there is one already. */
enum err partial_create(struct store *s, const char *id,
			struct errmsg *m) MUST_CHECK;

/* How many of its bytes count, and when it was written last, in seconds since
 * 1970; until finish_end(). ERR_NOT_FOUND. */
enum err partial_look(struct store *s, const char *id, int64_t *offset,
		      int64_t *written_at, struct errmsg *m) MUST_CHECK;

/* Become its writer, for bytes from `at` on. What was written beyond the bytes
 * that count is cut off. With `tentative` those of this writer count only after
 * partial_keep(), all of them or none.
 *
 *   ERR_CONFLICT   `at` is not the number of bytes that count, which is in *at
 *                  then; the older writer goes on
 *   ERR_NOT_FOUND  there is none, or finish_begin() has closed it
 */
enum err partial_open(struct store *s, const char *id, int64_t *at,
		      bool tentative, struct partial **out,
		      struct errmsg *m) MUST_CHECK;

/* Append. ERR_CONFLICT: somebody else is the writer now. After a failure only
 * partial_close() makes sense. */
enum err partial_write(struct partial *p, struct span bytes,
		       struct errmsg *m) MUST_CHECK;

/* Write what is gathered, before a wait for more: then it counts. */
enum err partial_push(struct partial *p, struct errmsg *m) MUST_CHECK;

/* The same, and make all that was written safe from a loss of power. */
enum err partial_keep(struct partial *p, struct errmsg *m) MUST_CHECK;

/* Bytes of the whole so far, gathered ones too. */
int64_t partial_at(const struct partial *p);

/* NULL is fine. */
void partial_close(struct partial *p);

/* Append what another one holds. ERR_CONFLICT when that is not `length` bytes.
 */
enum err partial_append(struct partial *p, const char *id, int64_t length,
			struct errmsg *m) MUST_CHECK;

/* Remove it, and let go; its writer, if there is one, is told with its next
 * write. ERR_NOT_FOUND: nothing of it is there. */
enum err partial_remove(struct store *s, const char *id,
			struct errmsg *m) MUST_CHECK;

#endif
