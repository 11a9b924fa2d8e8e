/* user_change.h - an operator changes the rights or the email of a user.
 *
 * A token says what its user might do when it was issued. So when something is
 * taken away, it ends at the next request:
 *
 *   logins      end if the user has fewer rights than before, or another email
 *               (which the tokens carry); else they stay, and a refresh brings
 *               what is new
 *   API tokens  lose the words of scope that the user no longer has, and end if
 *               none is left; else they stay
 *
 * Errors are those of db.h.
 */
#ifndef USER_CHANGE_H
#define USER_CHANGE_H

#include "cgi-auth/tables/users.h"

struct user_change_result {
	bool logins_ended;
	int tokens_narrowed, tokens_ended;
};

/* Store the email, admin and scope of *to in the row of the user that was read
 * as *was. ERR_NOT_FOUND; ERR_CONFLICT: another user has the email. */
enum err user_change(struct db *db, const struct user *was,
		     const struct user *to, int64_t now,
		     struct user_change_result *out,
		     struct errmsg *why) MUST_CHECK;

/* Write the words of `scope` that are in `allowed` to `out`, in their order.
 * Pure. */
void user_change_narrow(const char *scope, const char *allowed,
			char out[static CLAIMS_SCOPE_MAX + 1]);

#endif
