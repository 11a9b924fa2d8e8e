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
#include "common/codec/digest.h"
#include "common/db/db.h"

enum {
	OTP_RECOVERY_CODES = 10,
	OTP_RECOVERY_TEXT = 19, /* characters: "abcd-efgh-ijkl-mnop" */
	OTP_CODE_MAX = 40,	/* bytes; a longer code is refused unread */
};

struct otp_recovery {
	char codes[OTP_RECOVERY_CODES][OTP_RECOVERY_TEXT + 1];
};

/* The second factor of a user, as read from the table. */
struct otp_factor {
	bool active; /* false: this user has none; `secret` is not read */
	unsigned char secret[OTP_SECRET];
};

/* What a code that was found right uses up. */
struct otp_use {
	enum { OTP_USE_NOTHING, OTP_USE_STEP, OTP_USE_RECOVERY } kind;
	int64_t step;
	unsigned char recovery[SHA256_LEN];
};

/* Check `code` by the factor alone, without the database: ERR_OK, and
 * otp_use_within() decides whether it was used before; or ERR_OTP_REQUIRED or
 * ERR_OTP, as otp_check(). */
enum err otp_judge(const struct otp_factor *f, struct span code, int64_t now,
		   struct otp_use *out) MUST_CHECK;

/* Use it up. ERR_OTP: it was used already, or the factor is another one now. */
enum err otp_use_within(struct db_conn *c, uint64_t user_id,
			const struct otp_factor *f, const struct otp_use *use,
			struct errmsg *why) MUST_CHECK;

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
