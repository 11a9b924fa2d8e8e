/* refresh.h - refresh tokens: each is used once, and rotated into a successor
 * (RFC 6749 6; reuse: RFC 9700 4.14.2).
 *
 * A token is "ghr_" and 43 characters, 256 bits as base64url; the table has the
 * SHA-256 of its text. The first of a session is random. Every other is the
 * HMAC-SHA-256 of the one before it, under the key that signs: a token that is
 * sent twice within the grace time, by two tabs for example, gets the same
 * successor both times, and no second branch grows. The client cannot compute
 * it. After the grace time a spent token means that two clients have the same
 * one, and it is unknown which is the thief: the session ends for both.
 *
 * docs/decisions/0007-refresh-in-two-tabs.md has the reasons.
 */
#ifndef REFRESH_H
#define REFRESH_H

#include "cgi-auth/tables/users.h"
#include "common/base/err.h"
#include "common/codec/ident.h"
#include "common/db/db.h"
#include "common/token/keyring.h"

enum {
	REFRESH_LEN = 47, /* characters: "ghr_" and the base64url of 32 bytes */
};

struct refresh_rules {
	int64_t life;  /* seconds that an unused token stays valid */
	int64_t grace; /* seconds in which a spent one returns its successor */
};

/* The result of a rotation, for the log. */
enum refresh_outcome {
	REFRESH_ROTATED,
	REFRESH_REPEATED, /* spent, within the grace time: the same successor */
	REFRESH_MALFORMED,
	REFRESH_UNKNOWN,
	REFRESH_EXPIRED, /* the token or its session */
	REFRESH_ENDED,	 /* the session has ended, or its user is disabled */
	REFRESH_REUSED, /* spent, after the grace time: the session was ended */
	REFRESH_FAILED, /* the database is unavailable, or no memory */
};

const char *refresh_outcome_name(enum refresh_outcome o); /* "ok", … */

struct refresh_rotation {
	enum refresh_outcome outcome;
	char session[IDENT_LEN + 1]; /* "" if no row was found */
	int64_t session_ends;
	struct user user; /* only id, email, admin, scope, as they are now */
	char text[REFRESH_LEN + 1]; /* the successor */
	int64_t expires_at;	    /* of the successor */
};

/* Make the first token of a session: fill `text`, and *expires_at with a time
 * that is never after `session_ends`. One statement. */
enum err refresh_first(struct db_conn *c, const struct refresh_rules *rules,
		       const char *session, int64_t session_ends, int64_t now,
		       char text[static REFRESH_LEN + 1], int64_t *expires_at,
		       struct errmsg *why) MUST_CHECK;

/* Spend `text` and return its successor. One statement, and a transaction of two;
 * no transaction within the grace time.
 *
 *   ERR_BAD_TOKEN  malformed, unknown, ended, or reused
 *   ERR_EXPIRED    the token or its session has expired
 *
 * rotation->outcome is always filled, the session and the user if a row was
 * found, the successor and its expiry on ERR_OK only. `text` is not in
 * *rotation. Wipe it after use: refresh_rotation_wipe(). */
enum err refresh_rotate(struct db *db, const struct keyring *ring,
			const struct refresh_rules *rules, struct span text,
			int64_t now, struct refresh_rotation *rotation,
			struct errmsg *why) MUST_CHECK;

void refresh_rotation_wipe(struct refresh_rotation *rotation);

#endif
