/* digest_field.h - Repr-Digest and Content-Digest (RFC 9530). */
#ifndef DIGEST_FIELD_H
#define DIGEST_FIELD_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/span.h"
#include "common/codec/digest.h"

/* Read the sha-256 member of the field's dictionary, `sha-256=:base64:`. Other
 * algorithms are skipped (RFC 9530 2). ERR_NOT_FOUND if there is no sha-256.
 * ERR_FORMAT if the field or the member is malformed, or a key is not a valid
 * name of an algorithm, such as SHA-256 in capitals, because its sender expects
 * a check. */
enum err digest_field_parse(struct span field,
			    unsigned char out[static SHA256_LEN]) MUST_CHECK;

/* Append the value of the field for this digest. */
void digest_field_write(const unsigned char sha256[static SHA256_LEN],
			struct buf *out);

#endif
