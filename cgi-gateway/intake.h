/* intake.h - one file on its way in: counted, bounded, hashed, stored.
 *
 * Bytes go through here once, from where the transport put them.
 */
#ifndef INTAKE_H
#define INTAKE_H

#include "digest.h"
#include "err.h"
#include "files.h"
#include "store.h"

struct intake {
	struct store_writer *writer; /* NULL: nothing under way */
	struct file *file;	     /* whose size and sha256 are filled */
	struct sha256 hash;
	int64_t max; /* bytes */
};

/* Begin the object file->id. Ended by intake_finish() or intake_abandon(). */
enum err intake_begin(struct intake *in, struct store *s, struct file *file,
		      int64_t max, struct errmsg *m) MUST_CHECK;

/* ERR_TOO_LARGE beyond `max`; the store's errors. */
enum err intake_add(struct intake *in, struct span bytes,
		    struct errmsg *m) MUST_CHECK;

/* Fill size and sha256 of the file and make its bytes safe. With `expected`
 * (which may be NULL) the digest must be that: ERR_DIGEST. */
enum err intake_finish(struct intake *in, const unsigned char *expected,
		       struct errmsg *m) MUST_CHECK;

/* Does nothing when nothing is under way. */
void intake_abandon(struct intake *in);

#endif
