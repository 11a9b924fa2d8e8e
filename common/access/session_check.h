/* session_check.h - whether the session behind a token is still valid.
 *
 * Every token belongs to a session. The view `live_session` shows the sessions
 * that have not ended, of users who are not disabled. Which way a route checks
 * it is a flag of its row (router.h), and dispatch.c does it:
 *
 *   SESSION_BEFORE        session_check_now(), in a round trip of its own,
 *                         before the handler runs
 *   SESSION_IN_STATEMENT  the handler's statement joins the view, so the check
 *                         costs no round trip:
 *
 *	SELECT f.id FROM live_session l
 *	LEFT JOIN file f ON ...
 *	WHERE SESSION_VALID		DB_IN(..., SESSION_VALUES(c))
 *
 * The functions that own such statements are in the tables/ folders. They end
 * with session_check_found() where the statement returned a row and says whose
 * it is, and with session_check_no_row() where it returned none.
 */
#ifndef SESSION_CHECK_H
#define SESSION_CHECK_H

#include "common/base/err.h"
#include "common/db/db.h"
#include "common/http/request.h"
#include "common/http/router.h"

enum {
	SESSION_CHECK_PATTERN_MAX = 80, /* bytes of a scope as a LIKE pattern */
	SESSION_CHECK_USED_EVERY =
		300, /* seconds between updates of a session's
					   last use */
};

/* The session of one request. dispatch.c makes it: rq->session. */
struct session_check {
	struct request *rq;	/* borrowed */
	const char *scope;	/* that the token must have, or "" */
	const char *session;	/* its id */
	struct db_value secret; /* of an API token; NULL for a login */
	int64_t now;		/* seconds since 1970 */
	char pattern[SESSION_CHECK_PATTERN_MAX];
	/* Selected by a statement that says whose session it is; user_id is 0
	 * before */
	uint64_t user_id;
	int64_t last_used; /* seconds since 1970; 0: never */
	char email[CLAIMS_EMAIL_MAX + 1];
};

#define SESSION_VALID                                     \
	"l.id = ? AND l.secret <=> ?"                     \
	" AND (l.expires_at IS NULL OR l.expires_at > ?)" \
	" AND CONCAT(' ', l.scope, ' ') LIKE ?"
#define SESSION_VALUES(c)                                              \
	db_text(span_of((c)->session)), (c)->secret, db_int((c)->now), \
		db_text(span_of((c)->pattern))

/* Prepare the check of the token that bearer_check() read. A statement asks
 * only API tokens for `scope`: an access token names its scopes, bearer_check()
 * has compared them, and its session may have been given more since. */
void session_check_init(struct session_check *c, struct request *rq,
			const char *scope);

/* Check the session in one round trip. For an API token fill rq->claims as an
 * access token's are, and record its use.
 *
 *   ERR_BAD_TOKEN  ended, expired, or never made
 *   ERR_SCOPE      valid, but the API token lacks the scope
 */
enum err session_check_now(struct db *db, const struct session_check *c,
			   struct errmsg *why) MUST_CHECK;

/* Check what `route` wants checked before its handler runs. dispatch.c calls it
 * for every request with a token. Errors of session_check_now(); ERR_SCOPE,
 * explained, for an API token on a route with LOGIN_ONLY. */
enum err session_check_before(struct db *db, const struct route *route,
			      const struct session_check *c,
			      struct response *rs) MUST_CHECK;

/* Make rq->claims known. An access token carries them; the session of an API
 * token is checked now, once a request. */
enum err session_check_identify(struct db *db, const struct session_check *c,
				struct errmsg *why) MUST_CHECK;

/* A statement found the session and selected user_id, email and last_used: for
 * an API token record the user in rq->claims, for the log, and at most every
 * SESSION_CHECK_USED_EVERY seconds its use in the table. */
void session_check_found(struct db *db, const struct session_check *c);

/* A statement returned no row. `otherwise` is what that means where the session
 * is valid: ERR_NOT_FOUND; or ERR_BAD_TOKEN where a valid session always gives
 * a row, and then only an API token is asked for, whose scope may be the
 * reason. ERR_OK for a list that may be empty. Returns ERR_BAD_TOKEN, ERR_SCOPE,
 * or `otherwise`. */
enum err session_check_no_row(struct db *db, const struct session_check *c,
			      enum err otherwise,
			      struct errmsg *why) MUST_CHECK;

/* A callback for db_each() that passes each row on and records that there was
 * one: a list without rows needs session_check_no_row(). `arg` is a struct
 * session_rows. */
struct session_rows {
	db_each_fn *each;
	void *arg; /* of `each` */
	bool any;
};
enum err session_rows_each(void *arg);

#endif
