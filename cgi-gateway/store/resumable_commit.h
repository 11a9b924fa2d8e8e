/* resumable_commit.h - what becomes of an upload (partial.h) that has all of its
 * bytes: an object like any other.
 *
 *	resumable_commit_begin(s, id, length, &f)	nobody writes it any more
 *	resumable_commit_read(f, ...)		who wants a look at the bytes
 *	resumable_commit_place(f)			they are an object, and safe
 *	(the row)
 *	resumable_commit_end(f)			it was an upload no more
 *
 * One does this at a time, the others wait in resumable_commit_begin(), and find that it
 * was done: ERR_NOT_FOUND. If it stops anywhere in between, however it stops,
 * whoever comes next begins again, and no byte is read twice for it.
 */
#ifndef RESUMABLE_COMMIT_H
#define RESUMABLE_COMMIT_H

#include "cgi-gateway/store/resumable.h"

struct resumable_commit;

/* Wait for whoever finishes it, and be the one. *sha256 is that of its bytes.
 *
 *   ERR_CONFLICT   these are not `length` bytes
 *   ERR_NOT_FOUND  there is none, or it was finished
 */
enum err resumable_commit_begin(struct store *s, const char *id, int64_t length,
				struct resumable_commit **out,
				unsigned char sha256[static SHA256_LEN],
				struct errmsg *why) MUST_CHECK;

/* At most `cap` of its bytes from `from` on; *got is 0 at the end. */
enum err resumable_commit_read(struct resumable_commit *f, int64_t from,
			       char *to, size_t cap, size_t *got,
			       struct errmsg *why) MUST_CHECK;

/* Make it an object, that survives a loss of power. */
enum err resumable_commit_place(struct resumable_commit *f,
				struct errmsg *why) MUST_CHECK;

/* Forget that it was an upload: call it when its row is written. */
void resumable_commit_end(struct resumable_commit *f);

/* Leave it as it is, for another try. NULL is fine. */
void resumable_commit_leave(struct resumable_commit *f);

#endif
