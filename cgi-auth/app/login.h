/* login.h - one attempt to log in, from its place among the attempts to its end.
 *
 * Two commits: the place is reserved before the password is checked
 * (throttle.h), and everything else is one transaction after it. No connection
 * is held while the password is hashed.
 */
#ifndef LOGIN_H
#define LOGIN_H

#include "cgi-auth/app/auth.h"
#include "cgi-auth/password/basic_credentials.h"
#include "cgi-auth/tables/login_read.h"
#include "cgi-auth/tables/refresh.h"
#include "cgi-auth/tables/sessions.h"

struct login {
	struct basic_credentials c;
	struct login_facts facts;
	struct throttle_ticket ticket;
	struct otp_use use;  /* what its code uses up */
	const char *outcome; /* for metrics, log and audit */
};

/* A session that was opened. */
struct login_session {
	struct session session;
	char refresh[REFRESH_LEN + 1];
	int64_t refresh_ends;
};

/* Read everything, and reserve the attempt. ERR_LIMITED: *retry_after is set. */
enum err login_begin(struct auth *a, const struct request *rq, struct login *l,
		     int64_t *retry_after, struct errmsg *why) MUST_CHECK;

/* After a right password and code: add the session, its refresh token if
 * `refresh`, and the audit's row, use up the code, and clear the counts.
 *
 *   ERR_OTP        the code was used before
 *   ERR_NOT_FOUND  the user was changed while the password was checked
 *
 * After an error, nothing was changed, l->outcome says why, and login_fail() is
 * next. */
enum err login_open_session(struct auth *a, const struct request *rq,
			    struct login *l, bool refresh,
			    struct login_session *out,
			    struct errmsg *why) MUST_CHECK;

/* After any other outcome: count it by `e` as throttle_leave() does, and add the
 * audit's row. A failure of that is logged; the answer stays. */
void login_fail(struct auth *a, const struct request *rq, struct login *l,
		enum err e);

#endif
