/* session_check.h - whether who asks may still ask: the session behind a token.
 *
 * Every token belongs to a session, and the view `live_session` shows those
 * that have not been ended, of users who have not been disabled. A statement
 * that joins the view checks the token together with whatever it is about, so
 * that a logout is in force at the next request and costs no round trip of its
 * own:
 *
 *	"SELECT ... FROM live_session l LEFT JOIN file f ON ... WHERE "
 *SESSION_VALID DB_IN(..., SESSION_VALUES(&c))
 *
 * No row: the token is good no more (or an API token without the scope).
 */
#ifndef SESSION_CHECK_H
#define SESSION_CHECK_H

#include "common/base/err.h"
#include "common/db/db.h"
#include "common/http/request.h"

enum {
	SESSION_CHECK_PATTERN_MAX =
		80, /* bytes of a scope as a pattern of LIKE */
	SESSION_CHECK_USED_EVERY =
		300, /* seconds between two notes of a last use */
};

/* What a statement asks of the session; borrows from the request. */
struct session_check {
	const char *session;
	struct db_value secret; /* NULL for a login, which has none */
	int64_t now;		/* seconds since 1970 */
	char pattern
		[SESSION_CHECK_PATTERN_MAX]; /* the scope that it must have */
	/* who it turned out to be, where a statement selects it */
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

/* `scope` may be "". An access token was asked for it by bearer_check()
 * already, and its session may have been given more since: only API tokens are
 * asked here. */
void session_check_init(struct session_check *c, const struct request *rq,
			const char *scope);

/* Note in `rq`, for the log, who a statement has found an API token to be; and
 * at most every SESSION_CHECK_USED_EVERY seconds, in the table, that it was used. */
void session_check_used(struct db *db, const struct session_check *c,
			struct request *rq);

/* Ask for the session alone, in one round trip, and fill rq->claims for an API
 * token as an access token's would be. Notes its use as session_check_used() does.
 *
 *   ERR_BAD_TOKEN   ended, expired, or never there
 *   ERR_SCOPE  lives, but an API token may not do this
 */
enum err session_check_alone(struct db *db, struct request *rq,
			     const char *scope, struct errmsg *why) MUST_CHECK;

/* The same for an API token alone, and once a request: before statements that
 * do not tell who it was, and before bytes of somebody not yet known. */
enum err session_check_api(struct db *db, struct request *rq, const char *scope,
			   struct errmsg *why) MUST_CHECK;

/* A statement of files.h's kind answered `e` for want of a row: ask why, if
 * that is not plain. ERR_BAD_TOKEN or ERR_SCOPE if it was the caller, else `e`. */
enum err session_check_refused(struct db *db, struct request *rq,
			       const char *scope, enum err e,
			       struct errmsg *cause) MUST_CHECK;

#endif
