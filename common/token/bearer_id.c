#include "common/token/bearer_id.h"

#include "common/codec/encode.h"

#include <sodium.h>
#include <stdio.h>

#define PREFIX SPAN("gh_")

bool bearer_id_is_api(struct span token)
{
	return span_has_prefix(token, PREFIX);
}

/* Check for `len` characters of canonical base64url that decode to `bytes`
 * bytes */
static bool is_random(struct span s, size_t len, size_t bytes)
{
	char raw[32];
	size_t n;

	return s.len == len &&
	       base64url_decode(s, raw, sizeof(raw), &n) == ERR_OK &&
	       n == bytes;
}

enum err bearer_id_parse_api(struct span token, struct bearer_id *out)
{
	struct bearer_id c = { .api = true };
	struct span session, secret;

	if (token.len != API_TOKEN_LEN || !bearer_id_is_api(token))
		return ERR_FORMAT;
	token = span_from(token, PREFIX.len);
	session = (struct span) { token.p, IDENT_LEN };
	secret = span_from(token, IDENT_LEN + 1);
	/* both parts may contain "_", so find it by its position */
	if (token.p[IDENT_LEN] != '_' || !is_random(session, IDENT_LEN, 16) ||
	    !is_random(secret, API_SECRET_LEN, 32) ||
	    !span_to_cstr(session, c.session, sizeof(c.session)))
		return ERR_FORMAT;
	sha256_of(secret, c.secret);
	*out = c;
	return ERR_OK;
}

void bearer_id_make_api(struct bearer_id *out,
			char text[static API_TOKEN_LEN + 1])
{
	char raw[32], secret[API_SECRET_LEN + 1];

	randombytes_buf(raw, sizeof(raw));
	base64url_encode((struct span) { raw, sizeof(raw) }, secret,
			 sizeof(secret));
	out->api = true;
	sha256_of(span_of(secret), out->secret);
	(void)snprintf(text, API_TOKEN_LEN + 1, "gh_%.22s_%s", out->session,
		       secret);
	sodium_memzero(raw, sizeof(raw));
	sodium_memzero(secret, sizeof(secret));
}
