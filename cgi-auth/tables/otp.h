/* otp.h - a second factor at login: time-based one-time codes (RFC 6238), and
 * recovery codes for the day when the authenticator is lost.
 *
 * SHA-1, six digits, steps of 30 seconds, a secret of 160 random bits (RFC 4226
 * 4 R6): what every authenticator knows. The code of the step before or after
 * the clock's is taken too (RFC 6238 5.2, 6). A step of which a code was taken
 * is used up with all before it, by one UPDATE, so no code works twice, on
 * whichever machine (RFC 6238 5.2).
 *
 * A recovery code is 80 random bits, stored as SHA-256, which is enough for so
 * many; each works once. Case, dashes and blanks in it do not count.
 *
 * Guessing six digits is held up by throttle.h, not here. Errors are db.h's;
 * nothing here logs or reads the clock.
 */
#ifndef OTP_H
#define OTP_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/span.h"
#include "common/db/db.h"

enum {
	OTP_STEP = 30,	/* seconds */
	OTP_WINDOW = 1, /* steps to either side */
	OTP_DIGITS = 6,
	OTP_SECRET = 20,      /* bytes */
	OTP_SECRET_TEXT = 32, /* characters of base32 */
	OTP_RECOVERY_CODES = 10,
	OTP_RECOVERY_TEXT = 19, /* characters: "abcd-efgh-ijkl-mnop" */
	OTP_CODE_MAX = 40,	/* bytes of any code that we look at */
	OTP_URI_MAX = 2048,
};

struct otp_secret {
	char text[OTP_SECRET_TEXT + 1]; /* base32 (RFC 4648 6) */
};

struct otp_recovery {
	char codes[OTP_RECOVERY_CODES][OTP_RECOVERY_TEXT + 1];
};

/* Whether the user may log in with `code`, a one-time or recovery code; the
 * empty span is none. The password was right already.
 *
 *   ERR_OK            the code is right, and used up now; or none is asked of
 *                     this user
 *   ERR_OTP_REQUIRED  it was empty
 *   ERR_OTP           wrong, too old, or used before
 */
enum err otp_check(struct db *db, uint64_t user_id, struct span code,
		   int64_t now, struct errmsg *why) MUST_CHECK;

/* The same, where a user without a second factor is ERR_NOT_FOUND. */
enum err otp_check_strict(struct db *db, uint64_t user_id, struct span code,
			  int64_t now, struct errmsg *why) MUST_CHECK;

/* Give the user a new secret, which has no force yet; one that was not
 * confirmed is replaced. ERR_CONFLICT: one is in force. */
enum err otp_enrol(struct db *db, uint64_t user_id, int64_t now,
		   struct otp_secret *out, struct errmsg *why) MUST_CHECK;

/* Put the new secret in force if `code` is one of its codes, and make new
 * recovery codes. ERR_OTP; ERR_NOT_FOUND: there is no secret to confirm. */
enum err otp_confirm(struct db *db, uint64_t user_id, struct span code,
		     int64_t now, struct otp_recovery *out,
		     struct errmsg *why) MUST_CHECK;

/* Take the second factor away with its recovery codes, in force or not.
 * ERR_NOT_FOUND: there was none. */
enum err otp_remove(struct db *db, uint64_t user_id,
		    struct errmsg *why) MUST_CHECK;

/* Append "otpauth://totp/ISSUER:EMAIL?secret=...", which authenticators read,
 * mostly as a QR code. */
void otp_uri(const struct otp_secret *s, const char *issuer, const char *email,
	     struct buf *out);

/* The code of one step; for tests and for those who check it. ERR_MEMORY. */
enum err otp_code(const unsigned char secret[static OTP_SECRET], int64_t step,
		  char out[static OTP_DIGITS + 1]) MUST_CHECK;

#endif
