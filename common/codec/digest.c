/* The one-shot calls of OpenSSL 3 look up their algorithm each time, and an
 * EVP_MD_CTX cannot be saved and restored. The older SHA256_* calls avoid both,
 * also use the processor's SHA instructions, and are deprecated only in name.
 * See docs/decisions/0003-sha256-state.md. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "common/codec/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

struct hmac_key {
	EVP_MAC_CTX *ready; /* copied for each use, never changed */
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

enum err hmac_key_new(struct span key, struct hmac_key **out)
{
	char sha256[] = "SHA256";
	OSSL_PARAM params[] = { OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST,
						       sha256, 0),
				OSSL_PARAM_END };
	struct hmac_key *k = calloc(1, sizeof(*k));
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);

	if (k == NULL || mac == NULL)
		goto fail;
	k->ready = EVP_MAC_CTX_new(mac);
	if (k->ready == NULL ||
	    EVP_MAC_init(k->ready, (const unsigned char *)key.p, key.len,
			 params) != 1)
		goto fail;
	EVP_MAC_free(mac); /* the context holds its own reference */
	*out = k;
	return ERR_OK;
fail:
	EVP_MAC_free(mac);
	hmac_key_free(k);
	return ERR_MEMORY;
}

void hmac_key_free(struct hmac_key *k)
{
	if (k == NULL)
		return;
	EVP_MAC_CTX_free(k->ready); /* cleanses the key */
	free(k);
}

enum err hmac_sha256(const struct hmac_key *k, struct span bytes,
		     unsigned char out[static SHA256_LEN])
{
	EVP_MAC_CTX *c = EVP_MAC_CTX_dup(k->ready);
	size_t n = 0;
	bool ok;

	if (c == NULL)
		return ERR_MEMORY;
	ok = EVP_MAC_update(c, (const unsigned char *)bytes.p, bytes.len) ==
		     1 &&
	     EVP_MAC_final(c, out, &n, SHA256_LEN) == 1 && n == SHA256_LEN;
	EVP_MAC_CTX_free(c);
	return ok ? ERR_OK : ERR_MEMORY;
}

bool digest_equal(struct span a, struct span b)
{
	return a.len == b.len && CRYPTO_memcmp(a.p, b.p, a.len) == 0;
}
