/* password_attempt.h - one check of a password or code, counted against
 * guessing (throttle.h).
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

/* ERR_LIMITED: refuse; rs->retry_after is set. */
enum err password_attempt_begin(struct auth *a, const struct request *rq,
				struct span email, struct throttle_ticket *out,
				struct response *rs) MUST_CHECK;

/* Where the attempt waits for its hash: a client at an address from which the
 * account has logged in before does not wait among strangers. */
enum fifo_queue_name password_attempt_queue(const struct throttle_ticket *t);

/* `outcome` is that of the check, see throttle_leave(). A failure to count it
 * is logged and does not change the answer. */
void password_attempt_end(struct auth *a, const struct request *rq,
			  const struct throttle_ticket *t, enum err outcome);

#endif
