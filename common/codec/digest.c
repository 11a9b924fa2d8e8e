/* The one-shot calls of OpenSSL 3 look up their algorithm each time, and an
 * EVP_MD_CTX cannot be saved and restored. The older SHA256_* calls avoid both,
 * also use the processor's SHA instructions, and are deprecated only in name.
 * See docs/decisions/0003-sha256-state.md. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "common/codec/digest.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = SHA256_CBLOCK };

/* RFC 2104 in OpenSSL's SHA256_* calls. OpenSSL's own EVP_MAC sets up its
 * providers at the first use, which was 4.6 of the 11.2 million instructions of
 * a download over plain CGI, and allocates a copy of the key for each use. */
struct hmac_key {
	SHA256_CTX inner, outer; /* each has read its padded key */
};

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

/* Start a hash with the key, each of its bytes XORed with `pad` */
static void add_padded(SHA256_CTX *c, const unsigned char key[static BLOCK],
		       unsigned char pad)
{
	unsigned char block[BLOCK];

	for (size_t i = 0; i < BLOCK; i++)
		block[i] = key[i] ^ pad;
	(void)SHA256_Init(c);
	(void)SHA256_Update(c, block, BLOCK);
	OPENSSL_cleanse(block, sizeof(block));
}

enum err hmac_key_new(struct span key, struct hmac_key **out)
{
	unsigned char block[BLOCK] = { 0 };
	struct hmac_key *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return ERR_MEMORY;
	if (key.len > BLOCK)
		sha256_of(key, block);
	else if (key.len > 0)
		memcpy(block, key.p, key.len);
	add_padded(&k->inner, block, 0x36);
	add_padded(&k->outer, block, 0x5c);
	OPENSSL_cleanse(block, sizeof(block));
	*out = k;
	return ERR_OK;
}

void hmac_key_free(struct hmac_key *k)
{
	if (k == NULL)
		return;
	OPENSSL_cleanse(k, sizeof(*k));
	free(k);
}

enum err hmac_sha256(const struct hmac_key *k, struct span bytes,
		     unsigned char out[static SHA256_LEN])
{
	SHA256_CTX c = k->inner;

	(void)SHA256_Update(&c, bytes.p, bytes.len);
	(void)SHA256_Final(out, &c);
	c = k->outer;
	(void)SHA256_Update(&c, out, SHA256_LEN);
	(void)SHA256_Final(out, &c);
	OPENSSL_cleanse(&c, sizeof(c));
	return ERR_OK;
}

bool digest_equal(struct span a, struct span b)
{
	return a.len == b.len && CRYPTO_memcmp(a.p, b.p, a.len) == 0;
}
