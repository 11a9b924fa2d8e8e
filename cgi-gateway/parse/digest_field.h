/* digest_field.h - Repr-Digest and Content-Digest (RFC 9530). */
#ifndef DIGEST_FIELD_H
#define DIGEST_FIELD_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/span.h"
#include "common/codec/digest.h"

/* The sha-256 member of the field's dictionary, `sha-256=:base64:`. Other
 * algorithms are skipped, as RFC 9530 2 says. ERR_NOT_FOUND without one.
 * ERR_FORMAT for what is no such member, and for one of no algorithm at all, as
 * SHA-256 in capitals is: whoever sent it counts on being checked. */
enum err digest_field_parse(struct span field,
			    unsigned char out[static SHA256_LEN]) MUST_CHECK;

/* Append the field's value for a digest of ours. */
void digest_field_write(const unsigned char sha256[static SHA256_LEN],
			struct buf *out);

#endif
