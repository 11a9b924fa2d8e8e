/* password_attempt.h - one look at a password, counted against guessing (throttle.h).
 *
 *	e = password_attempt_begin(a, rq, email, &t, rs);
 *	if (e == ERR_OK) {
 *		e = ...;
 *		password_attempt_end(a, rq, &t, e);
 *	}
 */
#ifndef PASSWORD_ATTEMPT_H
#define PASSWORD_ATTEMPT_H

#include "cgi-auth/app/auth.h"
#include "cgi-auth/tables/throttle.h"

/* ERR_LIMITED: refuse, with rs->retry_after set. */
enum err password_attempt_begin(struct auth *a, const struct request *rq,
				struct span email, struct throttle_ticket *out,
				struct response *rs) MUST_CHECK;

/* `outcome` is ERR_OK, ERR_CREDENTIALS, ERR_OTP, or what was neither. That it
 * cannot be counted is logged and changes no answer. */
void password_attempt_end(struct auth *a, const struct request *rq,
			  const struct throttle_ticket *t, enum err outcome);

#endif
