/* session_known.h - sessions that this process remembers (db_known.h).
 *
 * A session changes with its own row (its end), and with its user (another
 * email or scope, disabled): cgi-auth and auth-admin announce both. Whether it
 * has expired is compared with the clock at each use (session_row_check()).
 */
#ifndef SESSION_KNOWN_H
#define SESSION_KNOWN_H

#include "common/access/session_row.h"
#include "common/db/db_known.h"

/* Find a session that has not changed since it was read. */
bool session_known_find(struct db *db, const char *id, struct session_row *out);

struct session_note {
	struct row_note note;
	uint64_t user; /* 0: not known yet */
};

/* Before the database is asked for the session `id`; `user` is its user if the
 * token says it, else 0. */
void session_known_note(struct db *db, const char *id, uint64_t user,
			struct session_note *out);

/* Remember what the database said. The user of an API token is known only then,
 * so its session is remembered from its second use on: the user of a session
 * never changes. */
void session_known_keep(struct db *db, const char *id,
			const struct session_row *row,
			const struct session_note *n);

/* The session was used: the next check reads when. */
void session_known_drop(struct db *db, const char *id,
			const struct session_row *row);

#endif
