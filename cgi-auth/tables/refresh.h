/* refresh.h - refresh tokens: used once, each for the next (RFC 6749 6, and
 * its section on reuse, RFC 9700 4.14.2).
 *
 * A token is "ghr_" and 43 characters that say 256 bits; the table has the
 * SHA-256 of its text. The first of a session is random. Every other follows
 * from the one before by HMAC-SHA-256 under the key that signs, so whoever
 * presents one token twice within the grace time, two tabs say, gets the same
 * successor twice and no second branch grows; the client cannot compute it.
 * After the grace time a spent token means that two hold the same one, and
 * nobody knows who is the thief: the session ends for both.
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
	int64_t life;  /* seconds that one token may lie unused */
	int64_t grace; /* seconds that a spent one still gives its successor */
};

/* What a turn came to, for the log. */
enum refresh_outcome {
	REFRESH_TURNED,
	REFRESH_REPEATED, /* within the grace time: the same successor again */
	REFRESH_MALFORMED,
	REFRESH_UNKNOWN,
	REFRESH_EXPIRED, /* the token or its session */
	REFRESH_ENDED,	 /* the session, or its user was disabled */
	REFRESH_REUSED,	 /* spent long ago: the session has just been ended */
	REFRESH_FAILED,	 /* the database, or no memory */
};

const char *refresh_outcome_name(enum refresh_outcome o); /* "ok", … */

struct refresh_turn {
	enum refresh_outcome outcome;
	char session[IDENT_LEN + 1]; /* "" if no row was found */
	int64_t session_ends;
	struct user user; /* id, email, admin, scope as they are now; no more */
	char text[REFRESH_LEN + 1]; /* the successor */
	int64_t expires_at;	    /* and its end */
};

/* Make the first token of a session. Fills `text`; *expires_at is never beyond
 * `session_ends`. One statement. */
enum err refresh_first(struct db *db, const struct refresh_rules *rules,
		       const char *session, int64_t session_ends, int64_t now,
		       char text[static REFRESH_LEN + 1], int64_t *expires_at,
		       struct errmsg *why) MUST_CHECK;

/* Spend `text` and give its successor. Three statements, one within the grace
 * time.
 *
 *   ERR_BAD_TOKEN     malformed, unknown, ended, or reused
 *   ERR_EXPIRED  its time or its session's is over
 *
 * turn->outcome is filled always, the session and the user whenever a row was
 * found, the rest on ERR_OK. `text` is not in *turn. Wipe it after use:
 * refresh_turn_wipe(). */
enum err refresh_turn(struct db *db, const struct keyring *ring,
		      const struct refresh_rules *rules, struct span text,
		      int64_t now, struct refresh_turn *turn,
		      struct errmsg *why) MUST_CHECK;

void refresh_turn_wipe(struct refresh_turn *turn);

#endif
