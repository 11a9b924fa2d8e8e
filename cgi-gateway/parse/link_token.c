#include "cgi-gateway/parse/link_token.h"

#include "common/codec/encode.h"

#include <sodium.h>

enum { RAW_LEN = LINK_TOKEN_LEN / 4 * 3 };

void link_token_make(char text[static LINK_TOKEN_LEN + 1],
		     unsigned char hash[static SHA256_LEN])
{
	char raw[RAW_LEN];

	randombytes_buf(raw, sizeof(raw));
	base64url_encode((struct span) { raw, sizeof(raw) }, text,
			 LINK_TOKEN_LEN + 1);
	sodium_memzero(raw, sizeof(raw));
	sha256_of((struct span) { text, LINK_TOKEN_LEN }, hash);
}

bool link_token_has_form(struct span text)
{
	char raw[RAW_LEN];
	size_t n;

	return text.len == LINK_TOKEN_LEN &&
	       base64url_decode(text, raw, sizeof(raw), &n) == ERR_OK;
}

enum err link_token_hash(struct span text,
			 unsigned char hash[static SHA256_LEN])
{
	if (!link_token_has_form(text))
		return ERR_NOT_FOUND;
	sha256_of(text, hash);
	return ERR_OK;
}
