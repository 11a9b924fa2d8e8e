#include "cgi-auth/password/basic_credentials.h"

#include "common/codec/encode.h"

#include <sodium.h>

enum {
	TEXT_MAX = BASIC_USER_MAX + 1 + BASIC_PASSWORD_MAX, /* with the colon */
};

/* Each byte of ISO-8859-1 is the code point of its number */
static bool latin1_to_utf8(struct span in, char *out, size_t cap, size_t *len)
{
	size_t n = 0;

	for (size_t i = 0; i < in.len; i++) {
		unsigned char c = (unsigned char)in.p[i];

		if (n + 2 > cap || (c >= 0x80 && c < 0xa0))
			return false;
		if (c >= 0x80)
			out[n++] = (char)(0xc0 | c >> 6);
		out[n++] = (char)(c < 0x80 ? c : 0x80 | (c & 0x3f));
	}
	*len = n;
	return true;
}

/* RFC 7617 2: neither may hold a CTL (RFC 5234 B.1) */
static enum err split_credentials(struct span text,
				  struct basic_credentials *out)
{
	struct span user = text, password;

	if (span_has_control(text) || !span_cut(&user, ':', &password))
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
	char text[TEXT_MAX], utf8[TEXT_MAX * 2 + 1];
	struct span sent = { text, 0 };
	enum err e;

	(void)span_cut(&scheme, ' ', &encoded);
	if (!span_eq_nocase(scheme, SPAN("Basic")))
		return ERR_NO_CREDENTIALS;
	encoded = span_trim(encoded);
	if (encoded.len >= BASE64_SIZE(TEXT_MAX + 2))
		return ERR_TOO_LARGE;
	e = base64_decode(encoded, text, sizeof(text), &sent.len);
	if (e == ERR_OK && !utf8_valid(sent)) {
		if (!latin1_to_utf8(sent, utf8, sizeof(utf8), &sent.len))
			e = ERR_FORMAT;
		sent.p = utf8;
	}
	if (e == ERR_OK)
		e = split_credentials(sent, out);
	sodium_memzero(text, sizeof(text));
	sodium_memzero(utf8, sizeof(utf8));
	return e;
}

void basic_credentials_wipe(struct basic_credentials *c)
{
	sodium_memzero(c, sizeof(*c));
}
