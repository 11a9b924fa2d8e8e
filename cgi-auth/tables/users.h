/* users.h - the rows of the table `user`.
 *
 * Times are seconds since 1970 UTC. The errors are db.h's; those named here
 * are the ones a caller can do something about. An email is compared as its
 * column's collation says: without regard to case, to accents, and to blanks at
 * its end. Who counts attempts or names a user therefore goes by the id, or by
 * the email of the row.
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

/* The user with the least id above `id`; ERR_NOT_FOUND behind the last. */
enum err users_after(struct db *db, uint64_t id, struct user *out,
		     struct errmsg *why) MUST_CHECK;

/* Every user in the order of ids. `each` ends the walk by any value but
 * ERR_OK, which is then the result. */
typedef enum err users_each_fn(const struct user *u, void *arg);
enum err users_each(struct db *db, users_each_fn *each, void *arg,
		    struct errmsg *why) MUST_CHECK;

/* Add *u with its email, password, admin, scope and created_at; its other
 * fields are not read. ERR_CONFLICT: the email is taken. */
enum err users_add(struct db *db, const struct user *u,
		   struct errmsg *why) MUST_CHECK;

/* The user of the caller's session. ERR_BAD_TOKEN, ERR_SCOPE (session_check.h).
 */
enum err users_by_session(struct db *db, struct session_check *c,
			  struct user *out, struct errmsg *why) MUST_CHECK;

/* A new password, by an operator's wish. It ends every session, API tokens too.
 * ERR_NOT_FOUND. */
enum err users_set_password(struct db *db, uint64_t id, const char *hash,
			    int64_t now, struct errmsg *why) MUST_CHECK;

/* The same password, stored in another form: `was` becomes `hash`.
 * ERR_NOT_FOUND: the row is gone, or holds something else by now. */
enum err users_rehash(struct db *db, uint64_t id, const char *was,
		      const char *hash, struct errmsg *why) MUST_CHECK;

/* The same, by a user whose password was just checked against *u: ends every
 * other login but `session`, and no API token. ERR_NOT_FOUND: the password was
 * changed since *u was read. */
enum err users_change_password(struct db *db, const struct user *u,
			       const char *hash, const char *session,
			       int64_t now, struct errmsg *why) MUST_CHECK;

/* Disable and end every session, API tokens too, so that to enable the user
 * again revives none. ERR_NOT_FOUND. A user who is disabled already stays so
 * since then. */
enum err users_disable(struct db *db, uint64_t id, int64_t now,
		       struct errmsg *why) MUST_CHECK;
enum err users_enable(struct db *db, uint64_t id,
		      struct errmsg *why) MUST_CHECK;
/* With all sessions. ERR_NOT_FOUND. */
enum err users_delete(struct db *db, uint64_t id,
		      struct errmsg *why) MUST_CHECK;

#endif
