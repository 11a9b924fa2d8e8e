/* checksum.h - the checksum of one piece of an upload, as Upload-Checksum
 * announces it: "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=" (tus 1.0.0, "Checksum").
 *
 *	checksum_begin(&c, field)
 *	{ checksum_add(&c, bytes) }*
 *	checksum_matches(&c)
 *	checksum_release(&c)
 *
 * A crc32 is that of zlib and of ISO 3309, its four bytes in network order.
 */
#ifndef CHECKSUM_H
#define CHECKSUM_H

#include "common/base/err.h"
#include "common/base/span.h"

#define CHECKSUM_ALGORITHMS "sha1,sha256,md5,crc32"

enum {
	CHECKSUM_MAX = 32, /* bytes of the longest */
};

struct checksum {
	bool announced; /* without one, everything matches */
	size_t len;	/* bytes of it */
	unsigned char wanted[CHECKSUM_MAX];
	struct evp_md_ctx_st *context; /* owned; NULL for a crc32 */
	uint32_t crc;
};

/* `field` may be empty: nothing was announced.
 * ERR_FORMAT for what is no checksum, ERR_INVALID for an algorithm that is not
 * one of ours, ERR_MEMORY; then there is nothing to release. */
enum err checksum_begin(struct checksum *c, struct span field) MUST_CHECK;

void checksum_add(struct checksum *c, struct span bytes);

/* Whether the bytes are those that were announced. Once. */
bool checksum_matches(struct checksum *c);

void checksum_release(struct checksum *c);

#endif
