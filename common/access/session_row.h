/* session_row.h - the row of a session, and whether it allows a request.
 *
 * A statement that finds a session selects these columns by its id alone, and
 * the conditions are checked here: MariaDB needs twice as long for a look-up by
 * key if it evaluates them itself. It also makes the result of a check the
 * same, whether the row comes from the database or from memory.
 */
#ifndef SESSION_ROW_H
#define SESSION_ROW_H

#include "common/base/err.h"
#include "common/codec/digest.h"
#include "common/db/db.h"
#include "common/token/bearer_id.h"
#include "common/token/claims.h"

/* A row of the view `live_session`, without its id. */
struct session_row {
	uint64_t user_id; /* 0: no row */
	char email[CLAIMS_EMAIL_MAX + 1];
	char scope[CLAIMS_SCOPE_MAX + 1];
	int64_t admin;
	int64_t has_secret; /* an API token */
	unsigned char secret[SHA256_LEN];
	int64_t created_at;
	int64_t expires_at;   /* SESSION_ROW_NO_END: never */
	int64_t last_used_at; /* 0: never */
};

enum { SESSION_ROW_NO_END = INT64_MAX };

/* For statements in which the session is `l`, found by "l.id = ?" */
#define SESSION_ROW_COLUMNS                                          \
	"l.user_id, l.email, l.scope, l.admin, l.secret IS NOT NULL" \
	", l.secret, l.created_at, l.expires_at, l.last_used_at"
#define SESSION_ROW_FIELDS(r)                                                  \
	db_to_uint(&(r)->user_id), db_to_text((r)->email, sizeof((r)->email)), \
		db_to_text((r)->scope, sizeof((r)->scope)),                    \
		db_to_int(&(r)->admin), db_to_int(&(r)->has_secret),           \
		db_to_bytes((r)->secret, SHA256_LEN),                          \
		db_to_int(&(r)->created_at),                                   \
		db_to_int_or(&(r)->expires_at, SESSION_ROW_NO_END),            \
		db_to_int(&(r)->last_used_at)

/* Check the row against the token that was shown, at `now`. The scope, "" for
 * any, is compared for API tokens only (session_check.h).
 *
 *   ERR_BAD_TOKEN  expired, or of the other kind, or another secret
 *   ERR_SCOPE      valid, but the API token lacks a word of the scope */
enum err session_row_check(const struct session_row *r,
			   const struct bearer_id *shown, const char *scope,
			   int64_t now) MUST_CHECK;

#endif
