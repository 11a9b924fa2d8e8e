/* session_check.h - whether the session behind a token is still valid.
 *
 * Every token belongs to a session. The view `live_session` shows the sessions
 * that have not ended, of users who are not disabled. A flag in a route's row
 * (router.h) chooses how dispatch.c checks it:
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
 * The functions with such statements are in the tables/ folders. They end with
 * session_check_found() if the statement returned a row with the user, and with
 * session_check_no_row() if it returned none.
 */
#ifndef SESSION_CHECK_H
#define SESSION_CHECK_H

#include "common/access/session_row.h"
#include "common/base/err.h"
#include "common/db/db.h"
#include "common/http/request.h"
#include "common/http/router.h"

enum {
	SESSION_CHECK_PATTERN_MAX = 80, /* bytes of a scope as a LIKE pattern */
	/* seconds between updates of a session's last use */
	SESSION_CHECK_USED_EVERY = 300,
};

/* The session of one request. dispatch.c makes it: rq->session. */
struct session_check {
	struct request *rq;	/* borrowed */
	const char *scope;	/* words required of the token, or "" */
	const char *session;	/* its id */
	struct db_value secret; /* of an API token; NULL for a login */
	int64_t now;		/* seconds since 1970: request_begun() */
	char pattern[SESSION_CHECK_PATTERN_MAX];
	/* Set by a statement that selects the user of the session; user_id is 0
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

/* Prepare the check of the token that bearer_check() read. A statement compares
 * `scope` for API tokens only: bearer_check() has compared the scopes in an
 * access token, and those that its session gained since do not count. If
 * `scope` has several words, session_check_before() compares them. */
void session_check_init(struct session_check *c, struct request *rq,
			const char *scope);

/* Check the session in one round trip. For an API token, fill rq->claims as for
 * an access token, and record its use.
 *
 *   ERR_BAD_TOKEN  revoked, expired, or never issued
 *   ERR_SCOPE      valid, but the API token lacks the scope */
enum err session_check_now(struct db *db, const struct session_check *c,
			   struct errmsg *why) MUST_CHECK;

/* Check what `route` requires before its handler runs. dispatch.c calls this
 * for every request with a token. Returns the errors of session_check_now();
 * ERR_SCOPE, with a sentence for the client, for an API token on a route with
 * LOGIN_ONLY. */
enum err session_check_before(struct db *db, const struct route *route,
			      const struct session_check *c,
			      struct response *rs) MUST_CHECK;

/* Make sure that rq->claims is filled. An access token carries its claims; for
 * an API token the session is checked now, once per request. */
enum err session_check_identify(struct db *db, const struct session_check *c,
				struct errmsg *why) MUST_CHECK;

/* The same for a row that a statement of the caller selected, by the columns of
 * session_row.h; row->user_id is 0 if it found none. ERR_OK sets c->user_id,
 * c->email and c->last_used. */
enum err session_check_row(struct db *db, struct session_check *c,
			   const struct session_row *row) MUST_CHECK;

/* Check the session now, where sessions are remembered (db_known.h): from
 * memory, or else in a round trip after which this one is. The errors and the
 * outputs of session_check_row(). ERR_NOT_FOUND: they are not, and nothing was
 * asked; check it with another statement. */
enum err session_check_remembered(struct db *db, struct session_check *c,
				  struct errmsg *why) MUST_CHECK;

/* The user of the session, if the token says it; 0 for an API token. */
uint64_t session_check_user(const struct session_check *c);

/* Call when a statement found the session and selected user_id, email and
 * last_used. For an API token, records the user in rq->claims, for the log, and
 * its use in the table at most every SESSION_CHECK_USED_EVERY seconds. */
void session_check_found(struct db *db, const struct session_check *c);

/* Call when a statement returned no row. `otherwise` is the meaning of that for
 * a valid session: ERR_NOT_FOUND; ERR_OK for a list that may be empty; or
 * ERR_BAD_TOKEN if a valid session always yields a row. In this last case only
 * an API token is checked, because its scope may be the reason. Returns
 * ERR_BAD_TOKEN, ERR_SCOPE, or `otherwise`. */
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
