/* partial_finish.h - what becomes of an upload (partial.h) that has all of its
 * bytes: an object like any other.
 *
 *	finish_begin(s, id, length, &f)	nobody writes it any more
 *	finish_read(f, ...)		who wants a look at the bytes
 *	finish_place(f)			they are an object, and safe
 *	(the row)
 *	finish_end(f)			it was an upload no more
 *
 * One does this at a time, the others wait in finish_begin(), and find that it
 * was done: ERR_NOT_FOUND. If it stops anywhere in between, however it stops,
 * whoever comes next begins again, and no byte is read twice for it.
 */
#ifndef PARTIAL_FINISH_H
#define PARTIAL_FINISH_H

#include "partial.h"

struct finish;

/* Wait for whoever finishes it, and be the one. *sha256 is that of its bytes.
 *
 *   ERR_CONFLICT   these are not `length` bytes
 *   ERR_NOT_FOUND  there is none, or it was finished
 */
enum err finish_begin(struct store *s, const char *id, int64_t length,
		      struct finish **out,
		      unsigned char sha256[static SHA256_LEN],
		      struct errmsg *m) MUST_CHECK;

/* At most `cap` of its bytes from `from` on; *got is 0 at the end. */
enum err finish_read(struct finish *f, int64_t from, char *to, size_t cap,
		     size_t *got, struct errmsg *m) MUST_CHECK;

/* Make it an object, that survives a loss of power. */
enum err finish_place(struct finish *f, struct errmsg *m) MUST_CHECK;

/* Forget that it was an upload: call it when its row is written. */
void finish_end(struct finish *f);

/* Leave it as it is, for another try. NULL is fine. */
void finish_leave(struct finish *f);

#endif
