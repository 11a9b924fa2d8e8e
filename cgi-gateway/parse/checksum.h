/* checksum.h - the checksum of one request's bytes, as announced in
 * Upload-Checksum: "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=" (tus 1.0.0, "Checksum").
 *
 *	checksum_begin(&c, field)
 *	{ checksum_add(&c, bytes) }*
 *	checksum_matches(&c)
 *	checksum_release(&c)
 *
 * A crc32 is that of zlib and ISO 3309, as four bytes in network order.
 */
#ifndef CHECKSUM_H
#define CHECKSUM_H

#include "common/base/err.h"
#include "common/base/span.h"

#define CHECKSUM_ALGORITHMS "sha1,sha256,md5,crc32"

enum {
	CHECKSUM_MAX = 32, /* bytes of the longest one */
};

struct checksum {
	bool announced; /* if false, any bytes match */
	/* the announced one is not as long as the algorithm's: nothing matches
	 */
	bool wrong_length;
	size_t len; /* of the checksum, in bytes */
	unsigned char expected[CHECKSUM_MAX];
	struct evp_md_ctx_st *context; /* owned; NULL for a crc32 */
	uint32_t crc;
};

/* Parse `field`; if it is empty, no checksum is announced. ERR_FORMAT: not a
 * name and base64; ERR_INVALID: an algorithm not in CHECKSUM_ALGORITHMS; ERR_MEMORY.
 * After an error there is nothing to release. */
enum err checksum_begin(struct checksum *c, struct span field) MUST_CHECK;

void checksum_add(struct checksum *c, struct span bytes);

/* Whether the bytes have the announced checksum. Call it once. */
bool checksum_matches(struct checksum *c);

void checksum_release(struct checksum *c);

#endif
