/* otp_code.h - time-based one-time codes (RFC 6238), and the text of a secret.
 *
 * SHA-1, six digits, steps of 30 seconds, a secret of 160 random bits (RFC 4226
 * 4 R6): what every authenticator supports. Pure.
 */
#ifndef OTP_CODE_H
#define OTP_CODE_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/span.h"

enum {
	OTP_STEP = 30,	/* seconds */
	OTP_WINDOW = 1, /* steps to either side */
	OTP_DIGITS = 6,
	OTP_SECRET = 20,      /* bytes */
	OTP_SECRET_TEXT = 32, /* characters of base32 */
	OTP_URI_MAX = 2048,
};

struct otp_secret {
	char text[OTP_SECRET_TEXT + 1]; /* base32 (RFC 4648 6) */
};

/* The code of one step. ERR_MEMORY. */
enum err otp_code(const unsigned char secret[static OTP_SECRET], int64_t step,
		  char out[static OTP_DIGITS + 1]) MUST_CHECK;

/* The latest step within OTP_WINDOW of `now` whose code is `code`. Every step
 * is computed, so that the time shows nothing. ERR_OTP: none; ERR_MEMORY. */
enum err otp_find_step(const unsigned char secret[static OTP_SECRET],
		       struct span code, int64_t now, int64_t *step) MUST_CHECK;

/* Base32 into `out`, of (len / 5 * 8 + 1) bytes. `len` is a multiple of five,
 * so there is no padding. ERR_MEMORY. */
enum err otp_base32(const unsigned char *bytes, size_t len,
		    char *out) MUST_CHECK;

/* Append "otpauth://totp/ISSUER:EMAIL?secret=...", which authenticators read,
 * usually as a QR code. */
void otp_uri(const struct otp_secret *s, const char *issuer, const char *email,
	     struct buf *out);

#endif
