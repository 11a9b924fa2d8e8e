/* login_read.h - everything that a login is judged by, read by one statement: the
 * counts of throttle.h, the user, the second factor.
 *
 * If the throttle refuses the attempt, the user is not looked for: the time of a
 * refusal does not depend on whether the email has one.
 */
#ifndef LOGIN_READ_H
#define LOGIN_READ_H

#include "cgi-auth/tables/otp.h"
#include "cgi-auth/tables/throttle_read.h"
#include "cgi-auth/tables/users.h"

struct login_facts {
	struct throttle_who who;
	struct throttle_seen seen;
	struct user user; /* id 0: no user has that email */
	struct otp_factor factor;
	int64_t logins; /* sessions of the user that have not been ended */
};

/* The errors are db.h's; ERR_OK also if there is no such user. */
enum err login_read(struct db *db, struct span email,
		    const struct client *client, int64_t now,
		    struct login_facts *out, struct errmsg *why) MUST_CHECK;

/* Wipe the secret of the second factor and the password's hash. */
void login_facts_wipe(struct login_facts *f);

#endif
