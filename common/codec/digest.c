/* The one-shot calls of OpenSSL 3 look up their algorithm each time, and an
 * EVP_MD_CTX cannot be saved and restored. The older SHA256_* calls avoid both,
 * also use the processor's SHA instructions, and are deprecated only in name.
 * See docs/decisions/0003-sha256-state.md. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "common/codec/digest.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* By libsodium: OpenSSL's EVP_MAC sets up its providers at the first use, which
 * was 4.6 of the 11.2 million instructions of a download over plain CGI, and
 * allocates a copy of the key for each use. What is authenticated is short. */
struct hmac_key {
	crypto_auth_hmacsha256_state ready; /* copied for each use */
};

_Static_assert(crypto_auth_hmacsha256_BYTES == SHA256_LEN,
	       "HMAC-SHA-256 has the length of SHA-256");

_Static_assert(sizeof(SHA256_CTX) == sizeof(struct sha256),
	       "struct sha256 must hold OpenSSL's state exactly");

/* The state (112 bytes) is copied in and out, so nothing is aliased */
void sha256_init(struct sha256 *h)
{
	SHA256_CTX c;

	(void)SHA256_Init(&c);
	memcpy(h, &c, sizeof(c));
}

void sha256_add(struct sha256 *h, struct span bytes)
{
	SHA256_CTX c;

	memcpy(&c, h, sizeof(c));
	(void)SHA256_Update(&c, bytes.p, bytes.len);
	memcpy(h, &c, sizeof(c));
}

void sha256_end(struct sha256 *h, unsigned char out[static SHA256_LEN])
{
	SHA256_CTX c;

	memcpy(&c, h, sizeof(c));
	(void)SHA256_Final(out, &c);
}

void sha256_of(struct span bytes, unsigned char out[static SHA256_LEN])
{
	struct sha256 h;

	sha256_init(&h);
	sha256_add(&h, bytes);
	sha256_end(&h, out);
}

enum err hmac_key_new(struct span key, struct hmac_key **out)
{
	struct hmac_key *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return ERR_MEMORY;
	(void)crypto_auth_hmacsha256_init(
		&k->ready, (const unsigned char *)key.p, key.len);
	*out = k;
	return ERR_OK;
}

void hmac_key_free(struct hmac_key *k)
{
	if (k == NULL)
		return;
	sodium_memzero(&k->ready, sizeof(k->ready));
	free(k);
}

enum err hmac_sha256(const struct hmac_key *k, struct span bytes,
		     unsigned char out[static SHA256_LEN])
{
	crypto_auth_hmacsha256_state copy = k->ready;

	(void)crypto_auth_hmacsha256_update(
		&copy, (const unsigned char *)bytes.p, bytes.len);
	(void)crypto_auth_hmacsha256_final(&copy, out);
	sodium_memzero(&copy, sizeof(copy));
	return ERR_OK;
}

bool digest_equal(struct span a, struct span b)
{
	return a.len == b.len && CRYPTO_memcmp(a.p, b.p, a.len) == 0;
}
