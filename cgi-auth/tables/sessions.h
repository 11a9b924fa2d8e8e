/* sessions.h - the rows of the table `session`: logins and API tokens.
 *
 * A session is what can be ended: every access token names one, every API token
 * is one. Whether a session lives is asked by caller.h, through the view
 * live_session; here they are made, listed and ended. To end one is one change
 * of one row, and what reads it next sees it ended.
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
	SESSION_NEVER = -1,	  /* expires_at, last_used_at: there is none */
	SESSION_NAME_CHARS = 100, /* characters of a name; the column's width */
	SESSION_NAME_MAX = 400,	  /* and bytes */
	SESSION_ADDRESS_MAX = 45, /* characters of an IPv6 address at most */
	SESSION_LOGINS_MAX = 200, /* of one user; beyond, the oldest ends */
	SESSION_TOKENS_MAX = 100, /* of one user; beyond, there is no new one */
	SESSION_KEPT = 30 * 86400, /* seconds that a row outlives its session */
};

struct session {
	char id[IDENT_LEN + 1];
	uint64_t user_id;
	bool api; /* an API token; else a login */
	char name[SESSION_NAME_MAX + 1];
	char scope[CLAIMS_SCOPE_MAX + 1];
	char address[SESSION_ADDRESS_MAX + 1]; /* of who made it; or "" */
	int64_t created_at, expires_at, last_used_at;
};

/* Add a login for a user as it was read at the check of the password.
 * ERR_NOT_FOUND: the password was changed since, or the user disabled; so no
 * login with an old password slips past the end of all sessions. */
enum err sessions_add_login(struct db *db, const struct session *s,
			    int64_t password_changed_at,
			    struct errmsg *why) MUST_CHECK;

/* End what is beyond SESSION_LOGINS_MAX, the oldest first, but not `newest`. */
enum err sessions_trim_logins(struct db *db, uint64_t user_id,
			      const char *newest, int64_t now,
			      struct errmsg *why) MUST_CHECK;

/* Add an API token by the SHA-256 of its secret. ERR_TOO_MANY: there are
 * SESSION_TOKENS_MAX. (Requests at the same instant may pass by a few.) */
enum err sessions_add_token(struct db *db, const struct session *s,
			    struct span secret, struct errmsg *why) MUST_CHECK;

/* End one. ERR_NOT_FOUND: this user has no such session that has not ended. */
enum err sessions_end(struct db *db, uint64_t user_id, bool api, const char *id,
		      int64_t now, struct errmsg *why) MUST_CHECK;

/* End one, whoever's it is. ERR_NOT_FOUND. */
enum err sessions_end_id(struct db *db, const char *id, int64_t now,
			 struct errmsg *why) MUST_CHECK;

/* Which sessions of a user end together. */
struct sessions_chosen {
	bool tokens;	 /* API tokens too, not only logins */
	const char *but; /* the id of the one that stays, or "" */
};

/* ERR_OK, even when there was none. */
enum err sessions_end_chosen(struct db *db, uint64_t user_id,
			     struct sessions_chosen which, int64_t now,
			     struct errmsg *why) MUST_CHECK;
enum err sessions_end_within(struct db_conn *c, uint64_t user_id,
			     struct sessions_chosen which, int64_t now,
			     struct errmsg *why) MUST_CHECK;

/* Remove a user's rows, refresh tokens too. ERR_OK, even when there are none.
 */
enum err sessions_delete_within(struct db_conn *c, uint64_t user_id,
				struct errmsg *why) MUST_CHECK;

/* Every session of a user that was not ended, newest first: API tokens (those
 * too that have expired), or logins that have not expired at `now`. A login was
 * last used when it was last refreshed. */
typedef enum err sessions_each_fn(const struct session *s, void *arg);
enum err sessions_each(struct db *db, uint64_t user_id, bool api, int64_t now,
		       sessions_each_fn *each, void *arg,
		       struct errmsg *why) MUST_CHECK;

/* Remove what was over SESSION_KEPT seconds before `now`, with the refresh
 * tokens, some at a time. */
struct sessions_swept {
	int64_t sessions, refreshes;
};
enum err sessions_sweep(struct db *db, int64_t now, struct sessions_swept *out,
			struct errmsg *why) MUST_CHECK;

#endif
