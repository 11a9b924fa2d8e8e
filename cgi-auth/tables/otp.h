/* otp.h - the second factor of a login: time-based one-time codes (RFC 6238),
 * and recovery codes for a user who has lost the authenticator.
 *
 * The codes of the step before and the step after are accepted too (RFC 6238
 * 5.2, 6). One UPDATE uses up the step of an accepted code and all steps before
 * it, so no code works twice, on whichever machine (RFC 6238 5.2).
 *
 * A recovery code is 80 random bits, stored as SHA-256, which is enough for so
 * many bits; each works once. Case, dashes and blanks in it do not count.
 *
 * throttle.h slows down guessing, not this module. Errors are db.h's; nothing
 * here logs or reads the clock.
 */
#ifndef OTP_H
#define OTP_H

#include "cgi-auth/password/otp_code.h"
#include "common/base/err.h"
#include "common/base/span.h"
#include "common/db/db.h"

enum {
	OTP_RECOVERY_CODES = 10,
	OTP_RECOVERY_TEXT = 19, /* characters: "abcd-efgh-ijkl-mnop" */
	OTP_CODE_MAX = 40,	/* bytes; a longer code is refused unread */
};

struct otp_recovery {
	char codes[OTP_RECOVERY_CODES][OTP_RECOVERY_TEXT + 1];
};

/* Check `code`, a one-time or recovery code, of a user whose password was
 * right.
 *
 *   ERR_OK            the code is right, and used up now; or this user has no
 *                     second factor
 *   ERR_OTP_REQUIRED  `code` is empty
 *   ERR_OTP           wrong, too old, or already used */
enum err otp_check(struct db *db, uint64_t user_id, struct span code,
		   int64_t now, struct errmsg *why) MUST_CHECK;

/* The same, but ERR_NOT_FOUND for a user without a second factor. */
enum err otp_check_strict(struct db *db, uint64_t user_id, struct span code,
			  int64_t now, struct errmsg *why) MUST_CHECK;

/* Give the user a new secret, which is not in force yet; it replaces one that
 * was not confirmed. ERR_CONFLICT: one is in force. */
enum err otp_enrol(struct db *db, uint64_t user_id, int64_t now,
		   struct otp_secret *out, struct errmsg *why) MUST_CHECK;

/* Put the new secret in force if `code` is one of its codes, and make new
 * recovery codes. ERR_OTP; ERR_NOT_FOUND: no secret waits for confirmation, or
 * another enrolment has just replaced it. */
enum err otp_confirm(struct db *db, uint64_t user_id, struct span code,
		     int64_t now, struct otp_recovery *out,
		     struct errmsg *why) MUST_CHECK;

/* Delete the second factor with its recovery codes, in force or not.
 * ERR_NOT_FOUND: there was none. */
enum err otp_remove(struct db *db, uint64_t user_id,
		    struct errmsg *why) MUST_CHECK;

#endif
