/* hashing_writer.h - one file on its way in: counted, bounded, hashed, stored.
 *
 * Bytes go through here once, from where the transport put them.
 */
#ifndef HASHING_WRITER_H
#define HASHING_WRITER_H

#include "cgi-gateway/store/store.h"
#include "cgi-gateway/tables/files.h"
#include "common/base/err.h"
#include "common/codec/digest.h"

struct hashing_writer {
	struct store_writer *writer; /* NULL: nothing under way */
	struct file *file;	     /* whose size and sha256 are filled */
	struct sha256 hash;
	int64_t max; /* bytes */
};

/* Begin the object file->id. Ended by hashing_writer_finish() or hashing_writer_abandon(). */
enum err hashing_writer_begin(struct hashing_writer *in, struct store *s,
			      struct file *file, int64_t max,
			      struct errmsg *why) MUST_CHECK;

/* ERR_TOO_LARGE beyond `max`; the store's errors. */
enum err hashing_writer_add(struct hashing_writer *in, struct span bytes,
			    struct errmsg *why) MUST_CHECK;

/* Fill size and sha256 of the file and make its bytes safe. With `expected`
 * (which may be NULL) the digest must be that: ERR_DIGEST. */
enum err hashing_writer_finish(struct hashing_writer *in,
			       const unsigned char *expected,
			       struct errmsg *why) MUST_CHECK;

/* Does nothing when nothing is under way. */
void hashing_writer_abandon(struct hashing_writer *in);

#endif
