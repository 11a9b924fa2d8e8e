#include "cgi-gateway/parse/checksum.h"

#include "common/codec/digest.h"
#include "common/codec/encode.h"

#include <openssl/evp.h>
#include <zlib.h>

static const struct algorithm {
	const char *name;
	size_t len;		       /* bytes */
	const EVP_MD *(*digest)(void); /* NULL: crc32 */
} algorithms[] = {
	{ "sha1", 20, EVP_sha1 },
	{ "sha256", 32, EVP_sha256 },
	{ "md5", 16, EVP_md5 },
	{ "crc32", 4, NULL },
};

static const struct algorithm *find_algorithm(struct span name)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++)
		if (span_eq(name, span_of(algorithms[i].name)))
			return &algorithms[i];
	return NULL;
}

enum err checksum_begin(struct checksum *c, struct span field)
{
	struct checksum new = { .announced = field.len > 0 };
	const struct algorithm *a;
	struct span value;
	enum err e;

	if (!new.announced) {
		*c = new;
		return ERR_OK;
	}
	if (!span_cut(&field, ' ', &value))
		return ERR_FORMAT;
	a = find_algorithm(field);
	if (a == NULL)
		return ERR_INVALID;
	e = base64_decode(value, (char *)new.expected, sizeof(new.expected),
			  &new.len);
	if (e == ERR_FORMAT || (e == ERR_OK && new.len == 0))
		return ERR_FORMAT;
	new.wrong_length = e != ERR_OK || new.len != a->len;
	new.crc = (uint32_t)crc32(0, NULL, 0);
	if (a->digest != NULL) {
		new.context = EVP_MD_CTX_new();
		if (new.context == NULL ||
		    EVP_DigestInit_ex(new.context, a->digest(), NULL) != 1) {
			EVP_MD_CTX_free(new.context);
			return ERR_MEMORY;
		}
	}
	*c = new;
	return ERR_OK;
}

void checksum_add(struct checksum *c, struct span bytes)
{
	if (c->context != NULL)
		(void)EVP_DigestUpdate(c->context, bytes.p, bytes.len);
	else if (c->announced && bytes.len > 0)
		c->crc = (uint32_t)crc32_z(c->crc, (const Bytef *)bytes.p,
					   bytes.len);
}

bool checksum_matches(struct checksum *c)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	struct span expected = { (const char *)c->expected, c->len };

	if (!c->announced)
		return true;
	if (c->wrong_length)
		return false;
	for (size_t i = 0; i < 4; i++)
		sum[i] = (unsigned char)(c->crc >> (24 - 8 * i));
	if (c->context != NULL &&
	    EVP_DigestFinal_ex(c->context, sum, NULL) != 1)
		return false;
	return digest_equal((struct span) { (const char *)sum, c->len },
			    expected);
}

void checksum_release(struct checksum *c)
{
	EVP_MD_CTX_free(c->context);
	c->context = NULL;
}
