#include "cgi-auth/password/basic_credentials.h"

#include "common/codec/encode.h"

#include <sodium.h>

enum {
	TEXT_MAX = BASIC_USER_MAX + 1 + BASIC_PASSWORD_MAX, /* with the colon */
};

/* RFC 7617 2: neither may hold a CTL (RFC 5234 B.1) */
static enum err split_credentials(struct span text,
				  struct basic_credentials *out)
{
	struct span user = text, password;

	if (!utf8_valid(text) || span_has_control(text) ||
	    !span_cut(&user, ':', &password))
		return ERR_FORMAT;
	if (user.len > BASIC_USER_MAX || password.len > BASIC_PASSWORD_MAX)
		return ERR_TOO_LARGE;
	/* Both fit and have no NUL, so this cannot fail */
	if (!span_to_cstr(user, out->user, sizeof(out->user)) ||
	    !span_to_cstr(password, out->password, sizeof(out->password)))
		return ERR_FORMAT;
	return ERR_OK;
}

enum err basic_credentials_parse(struct span authorization,
				 struct basic_credentials *out)
{
	struct span scheme = span_trim(authorization), encoded = { NULL, 0 };
	char text[TEXT_MAX];
	size_t len;
	enum err e;

	(void)span_cut(&scheme, ' ', &encoded);
	if (!span_eq_nocase(scheme, SPAN("Basic")))
		return ERR_NO_CREDENTIALS;
	encoded = span_trim(encoded);
	if (encoded.len >= BASE64_SIZE(TEXT_MAX + 2))
		return ERR_TOO_LARGE;
	e = base64_decode(encoded, text, sizeof(text), &len);
	if (e == ERR_OK)
		e = split_credentials((struct span) { text, len }, out);
	sodium_memzero(text, sizeof(text));
	return e;
}

void basic_credentials_wipe(struct basic_credentials *c)
{
	sodium_memzero(c, sizeof(*c));
}
