/* users.h - the rows of the table `user`.
 *
 * Times are seconds since 1970 UTC. The errors are db.h's; those named here
 * are the ones that a caller can handle. An email is compared without regard to
 * case, to the composition of its characters, and to blanks at its end, but
 * accents count (email_key.h). Code that counts attempts or names a user
 * therefore uses the id, or the email of the row.
 */
#ifndef USERS_H
#define USERS_H

#include "cgi-auth/password/password.h"
#include "cgi-auth/tables/sessions.h"
#include "common/access/session_check.h"
#include "common/base/err.h"
#include "common/db/db.h"
#include "common/token/claims.h"

enum {
	USER_ENABLED = -1, /* disabled_at of a user who may log in */
};

struct user {
	uint64_t id;
	char email[CLAIMS_EMAIL_MAX + 1];
	char password[PASSWORD_HASH_MAX + 1]; /* as stored, see password.h */
	bool admin;
	char scope[CLAIMS_SCOPE_MAX + 1];
	int64_t created_at, disabled_at, password_changed_at;
};

/* ERR_NOT_FOUND */
enum err users_by_email(struct db *db, struct span email, struct user *out,
			struct errmsg *why) MUST_CHECK;
enum err users_by_id(struct db *db, uint64_t id, struct user *out,
		     struct errmsg *why) MUST_CHECK;

/* The user with the lowest id above `id`; ERR_NOT_FOUND after the last. */
enum err users_after(struct db *db, uint64_t id, struct user *out,
		     struct errmsg *why) MUST_CHECK;

/* Call `each` for every user in the order of ids. Any value but ERR_OK ends the
 * walk and is the result. */
typedef enum err users_each_fn(const struct user *u, void *arg);
enum err users_each(struct db *db, users_each_fn *each, void *arg,
		    struct errmsg *why) MUST_CHECK;

/* Add *u with its email, password, admin, scope and created_at; its other
 * fields are not read. ERR_CONFLICT: the email is taken. */
enum err users_add(struct db *db, const struct user *u,
		   struct errmsg *why) MUST_CHECK;

/* The user of the request's session. ERR_BAD_TOKEN, ERR_SCOPE: see
 * session_check.h. */
enum err users_by_session(struct db *db, struct session_check *c,
			  struct user *out, struct errmsg *why) MUST_CHECK;

/* A new password, set by an operator. It ends every session, API tokens too.
 * ERR_NOT_FOUND. */
enum err users_set_password(struct db *db, uint64_t id, const char *hash,
			    int64_t now, struct errmsg *why) MUST_CHECK;

/* Store the same password in another form: replace `was` by `hash`.
 * ERR_NOT_FOUND: the row no longer exists, or its password has changed. */
enum err users_rehash(struct db *db, uint64_t id, const char *was,
		      const char *hash, struct errmsg *why) MUST_CHECK;

/* A new password, set by a user whose password was just checked against *u. It
 * ends every login but `session`, and no API token. ERR_NOT_FOUND: the password
 * was changed after *u was read. */
enum err users_change_password(struct db *db, const struct user *u,
			       const char *hash, const char *session,
			       int64_t now, struct errmsg *why) MUST_CHECK;

/* Disable the user, and end every session, API tokens too: enabling the user
 * again revives none. ERR_NOT_FOUND. The disabled_at of a user who is disabled
 * already stays as it is. */
enum err users_disable(struct db *db, uint64_t id, int64_t now,
		       struct errmsg *why) MUST_CHECK;
enum err users_enable(struct db *db, uint64_t id,
		      struct errmsg *why) MUST_CHECK;
/* Delete the user with all sessions. ERR_NOT_FOUND. */
enum err users_delete(struct db *db, uint64_t id,
		      struct errmsg *why) MUST_CHECK;

#endif
