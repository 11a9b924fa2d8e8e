/* digest.h - SHA-256 in steps, HMAC-SHA-256, constant-time comparison.
 *
 * SHA-256 is FIPS 180-4, HMAC is RFC 2104; both by OpenSSL. The state of a
 * running SHA-256 is a plain value of fixed size: an interrupted upload can
 * store it and resume from there.
 */
#ifndef DIGEST_H
#define DIGEST_H

#include "common/base/err.h"
#include "common/base/span.h"

enum {
	SHA256_LEN = 32, /* bytes */
};

struct sha256 {
	/* OpenSSL's SHA256_CTX, whose header only digest.c includes */
	uint32_t state[28];
};

void sha256_init(struct sha256 *h);
void sha256_add(struct sha256 *h, struct span bytes);
void sha256_end(struct sha256 *h, unsigned char out[static SHA256_LEN]);
void sha256_of(struct span bytes, unsigned char out[static SHA256_LEN]);

/* A prepared key: its two key blocks are already hashed, which is most of the
 * cost of a short HMAC. Opaque; safe to use from many threads. */
struct hmac_key;

/* Prepare a key; its bytes are copied. ERR_MEMORY. */
enum err hmac_key_new(struct span key, struct hmac_key **out) MUST_CHECK;
void hmac_key_free(struct hmac_key *k); /* wipes it; NULL is fine */

enum err hmac_sha256(const struct hmac_key *k, struct span bytes,
		     unsigned char out[static SHA256_LEN]) MUST_CHECK;

/* Compare in constant time: of two spans of equal length, it does not matter
 * where they differ. */
bool digest_equal(struct span a, struct span b);

#endif
