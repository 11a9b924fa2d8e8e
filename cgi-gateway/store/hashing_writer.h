/* hashing_writer.h - a store_writer that counts, limits and hashes its bytes.
 *
 * The bytes of a file pass through it once, from where the transport put them.
 */
#ifndef HASHING_WRITER_H
#define HASHING_WRITER_H

#include "cgi-gateway/store/store.h"
#include "common/base/err.h"
#include "common/codec/digest.h"

struct hashing_writer {
	struct store_writer *writer; /* NULL: not open */
	int64_t size;		     /* bytes written so far */
	int64_t max;		     /* of these */
	struct sha256 hash;
};

/* Open a writer of the object `id`. Close it by hashing_writer_abort(), unless
 * hashing_writer_commit() returned ERR_OK. */
enum err hashing_writer_open(struct hashing_writer *w, struct store *s,
			     const char *id, int64_t max,
			     struct errmsg *why) MUST_CHECK;

/* Append. ERR_TOO_LARGE, with none of `bytes` written, beyond `max`; and the
 * store's errors. */
enum err hashing_writer_write(struct hashing_writer *w, struct span bytes,
			      struct errmsg *why) MUST_CHECK;

/* Make the object durable, then visible, and close the writer. ERR_DIGEST if
 * the digest differs from `expected`, which may be NULL. */
enum err hashing_writer_commit(struct hashing_writer *w,
			       const unsigned char *expected,
			       unsigned char sha256[static SHA256_LEN],
			       struct errmsg *why) MUST_CHECK;

/* Discard what was written. Does nothing if the writer is not open. */
void hashing_writer_abort(struct hashing_writer *w);

#endif
