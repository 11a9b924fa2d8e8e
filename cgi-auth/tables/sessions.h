/* sessions.h - the rows of the table `session`: logins and API tokens.
 *
 * Every access token names a session, and every API token is one: a session is
 * what can be ended. session_check.h checks whether a session is valid, by the
 * view live_session; this module makes, lists and ends them. Ending one changes
 * one row, and the next statement that reads it sees it ended.
 *
 * Times are seconds since 1970 UTC. The errors are db.h's.
 */
#ifndef SESSIONS_H
#define SESSIONS_H

#include "common/base/err.h"
#include "common/codec/ident.h"
#include "common/db/db.h"
#include "common/token/claims.h"

enum {
	SESSION_NEVER = -1,	  /* expires_at, last_used_at: no such time */
	SESSION_NAME_CHARS = 100, /* characters of a name; the column's width */
	SESSION_NAME_MAX = 400,	  /* bytes of a name */
	SESSION_ADDRESS_MAX = 45, /* characters of an IPv6 address at most */
	SESSION_LOGINS_MAX = 200, /* of one user; one more ends the oldest */
	SESSION_TOKENS_MAX = 100, /* of one user; one more is refused */
	SESSION_KEPT = 30 * 86400, /* seconds that a row outlives its session */
};

struct session {
	char id[IDENT_LEN + 1];
	uint64_t user_id;
	bool api; /* an API token; else a login */
	char name[SESSION_NAME_MAX + 1];
	char scope[CLAIMS_SCOPE_MAX + 1];
	char address[SESSION_ADDRESS_MAX +
		     1]; /* that it was made from; or "" */
	int64_t created_at, expires_at, last_used_at;
};

/* What the user's row had when the password was checked, with s->scope.
 * `has_factor`: a code was checked as well. */
struct session_basis {
	int64_t password_changed_at;
	const char *email;
	bool admin;
	bool has_factor;
};

/* Add a login for a user as read when the password was checked. ERR_NOT_FOUND:
 * since then the password, the email or the rights were changed, the user
 * disabled, or a second factor confirmed; so no login with what was before
 * survives the end of all sessions. */
enum err sessions_add_login(struct db_conn *c, const struct session *s,
			    const struct session_basis *as_read,
			    struct errmsg *why) MUST_CHECK;

/* End the oldest logins over SESSION_LOGINS_MAX, but never `newest`.
 * (Simultaneous logins may exceed that by a few, until the next one.) */
enum err sessions_trim_logins(struct db_conn *c, uint64_t user_id,
			      const char *newest, int64_t now,
			      struct errmsg *why) MUST_CHECK;

/* Add an API token with the SHA-256 of its secret, in the name of the login
 * `by`. ERR_TOO_MANY: the user has SESSION_TOKENS_MAX. (Simultaneous requests
 * may exceed that by a few.) ERR_NOT_FOUND: the login has just ended. */
enum err sessions_add_token(struct db *db, const struct session *s,
			    const char *by, struct span secret,
			    struct errmsg *why) MUST_CHECK;

/* End one. ERR_NOT_FOUND: this user has no such session, or it has ended. */
enum err sessions_end(struct db_conn *c, uint64_t user_id, bool api,
		      const char *id, int64_t now,
		      struct errmsg *why) MUST_CHECK;

/* End one, of any user. ERR_NOT_FOUND. */
enum err sessions_end_id(struct db *db, const char *id, int64_t now,
			 struct errmsg *why) MUST_CHECK;

/* Which sessions of a user end together. */
struct sessions_chosen {
	bool tokens;	 /* API tokens too, not only logins */
	const char *but; /* the id of the one that stays, or "" */
};

/* ERR_OK also if there was none. */
enum err sessions_end_chosen(struct db *db, uint64_t user_id,
			     struct sessions_chosen which, int64_t now,
			     struct errmsg *why) MUST_CHECK;
enum err sessions_end_within(struct db_conn *c, uint64_t user_id,
			     struct sessions_chosen which, int64_t now,
			     struct errmsg *why) MUST_CHECK;

/* Delete a user's rows, refresh tokens too. ERR_OK also if there are none. */
enum err sessions_delete_within(struct db_conn *c, uint64_t user_id,
				struct errmsg *why) MUST_CHECK;

/* Call `each` for every session of a user that was not ended, newest first: API
 * tokens (expired ones too), or logins that have not expired at `now`. The last
 * use of a login is its last refresh. */
typedef enum err sessions_each_fn(const struct session *s, void *arg);
enum err sessions_each(struct db *db, uint64_t user_id, bool api, int64_t now,
		       sessions_each_fn *each, void *arg,
		       struct errmsg *why) MUST_CHECK;

/* Delete sessions that ended more than SESSION_KEPT seconds before `now`, with
 * their refresh tokens, in small statements. */
struct sessions_swept {
	int64_t sessions, refreshes;
};
enum err sessions_sweep(struct db *db, int64_t now, struct sessions_swept *out,
			struct errmsg *why) MUST_CHECK;

#endif
