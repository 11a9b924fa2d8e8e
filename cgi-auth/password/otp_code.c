#include "cgi-auth/password/otp_code.h"

#include "common/codec/digest.h"
#include "common/codec/encode.h"

#include <liboath/oath.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static void start_oath(void)
{
	(void)oath_init(); /* fails only in a build with libgcrypt */
}

enum err otp_code(const unsigned char secret[static OTP_SECRET], int64_t step,
		  char out[static OTP_DIGITS + 1])
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, start_oath);
	if (oath_hotp_generate((const char *)secret, OTP_SECRET, (uint64_t)step,
			       OTP_DIGITS, false, OATH_HOTP_DYNAMIC_TRUNCATION,
			       out) != OATH_OK)
		return ERR_MEMORY;
	return ERR_OK;
}

enum err otp_find_step(const unsigned char secret[static OTP_SECRET],
		       struct span code, int64_t now, int64_t *step)
{
	const int64_t at = now / OTP_STEP;
	int64_t found = -1;
	char want[OTP_DIGITS + 1] = "";
	enum err e = ERR_OK;

	for (int64_t i = at - OTP_WINDOW; i <= at + OTP_WINDOW; i++) {
		e = otp_code(secret, i, want);
		if (e != ERR_OK)
			break;
		if (digest_equal(code, (struct span) { want, OTP_DIGITS }))
			found = i;
	}
	sodium_memzero(want, sizeof(want));
	if (e != ERR_OK)
		return e;
	if (found < 0)
		return ERR_OTP;
	*step = found;
	return ERR_OK;
}

enum err otp_base32(const unsigned char *bytes, size_t len, char *out)
{
	char *text = NULL;
	size_t n = 0;

	if (oath_base32_encode((const char *)bytes, len, &text, &n) != OATH_OK)
		return ERR_MEMORY;
	memcpy(out, text, n + 1);
	sodium_memzero(text, n);
	free(text);
	return ERR_OK;
}

void otp_uri(const struct otp_secret *s, const char *issuer, const char *email,
	     struct buf *out)
{
	buf_add_str(out, "otpauth://totp/");
	percent_encode(span_of(issuer), out);
	buf_add_char(out, ':');
	percent_encode(span_of(email), out);
	buf_printf(out, "?secret=%s&issuer=", s->text);
	percent_encode(span_of(issuer), out);
	buf_printf(out, "&algorithm=SHA1&digits=%d&period=%d", OTP_DIGITS,
		   OTP_STEP);
}
