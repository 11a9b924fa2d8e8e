/* resumable_commit.h - turns a complete resumable upload into an object.
 *
 *	resumable_commit_begin(s, id, length, &c)   closes it to writers
 *	resumable_commit_read(c, ...)               optional
 *	resumable_commit_place(c)                   it is a durable object
 *	(write the row)
 *	resumable_commit_end(c)                     it is an upload no longer
 *
 * One caller at a time commits an upload. Others wait in
 * resumable_commit_begin(), which then returns ERR_NOT_FOUND. If a commit stops
 * at any step, even because it is killed, the next one starts again, without
 * reading bytes that were already hashed.
 */
#ifndef RESUMABLE_COMMIT_H
#define RESUMABLE_COMMIT_H

#include "cgi-gateway/store/resumable.h"

struct resumable_commit;

/* Wait until no other commit of `id` is open, and open one. *sha256 is that of
 * the upload's bytes. Close it by resumable_commit_end() or _leave().
 *
 *   ERR_CONFLICT   the upload does not have `length` bytes
 *   ERR_NOT_FOUND  no such upload, or it is already committed */
enum err resumable_commit_begin(struct store *s, const char *id, int64_t length,
				struct resumable_commit **out,
				unsigned char sha256[static SHA256_LEN],
				struct errmsg *why) MUST_CHECK;

/* Read at most `cap` bytes from byte `from` on; *got is 0 at the end. */
enum err resumable_commit_read(struct resumable_commit *c, int64_t from,
			       char *to, size_t cap, size_t *got,
			       struct errmsg *why) MUST_CHECK;

/* Make it an object that survives a loss of power. */
enum err resumable_commit_place(struct resumable_commit *c,
				struct errmsg *why) MUST_CHECK;

/* Remove the checkpoint, so that it is no longer an upload, and close. Call it
 * after the row is written. */
void resumable_commit_end(struct resumable_commit *c);

/* Close, and leave the upload for another attempt. NULL is fine. */
void resumable_commit_leave(struct resumable_commit *c);

#endif
