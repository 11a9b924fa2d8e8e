/* live_sessions.h - users and their sessions in a unit test's database.
 *
 * The id of user 42's session is 0000000000000000000042. */
#ifndef LIVE_SESSIONS_H
#define LIVE_SESSIONS_H

#include "common/access/session_check.h"
#include "tests/unit/schema.h"

#include <stdlib.h>

struct session {
	uint64_t user;
	const char *id;	    /* NULL: the user's */
	const char *secret; /* of an API token; NULL: a login */
	const char *scope;  /* NULL: a new user's */
	int64_t expires_at; /* 0: never */
	int64_t revoked_at; /* 0: not revoked */
};

/* The tables and views of one database for both programs */
static inline void sessions_make(void)
{
	schema_auth("001-user");
	schema_auth("002-user-account");
	schema_auth("045-user-email-key");
	schema_auth("004-session");
	schema_auth("006-live-session");
	schema_auth("007-session-use");
	schema_auth("040-live-user");
	schema_auth("051-live-user-email");
}

static inline const char *session_of(uint64_t user)
{
	static char ids[8][IDENT_LEN + 1];
	static size_t next;
	char *id = ids[next++ % COUNT(ids)];

	(void)snprintf(id, IDENT_LEN + 1, "%022llu", (unsigned long long)user);
	return id;
}

/* Add a user */
static inline void sessions_user(struct db *db, uint64_t id, const char *email,
				 bool admin)
{
	assert_ok(db_change(
		db,
		"INSERT INTO user (id, email, password, admin)"
		" VALUES (?, ?, '!', ?)",
		DB_IN(db_uint(id), db_text(span_of(email)), db_int(admin)),
		NULL));
}

static inline void sessions_disable(struct db *db, uint64_t id, bool disabled)
{
	assert_ok(db_change(
		db, "UPDATE user SET disabled_at = ? WHERE id = ?",
		DB_IN(disabled ? db_int(1) : db_null(), db_uint(id)), NULL));
}

/* Add or replace a session */
static inline void sessions_put(struct db *db, const struct session *s)
{
	unsigned char hash[SHA256_LEN] = { 0 };
	const char *scope =
		s->scope != NULL ? s->scope : "files:read files:write";

	if (s->secret != NULL)
		sha256_of(span_of(s->secret), hash);
	assert_ok(db_change(
		db,
		"REPLACE INTO session (id, user_id, kind, scope, secret,"
		" created_at, expires_at, revoked_at)"
		" VALUES (?, ?, ?, ?, ?, 1000, ?, ?)",
		DB_IN(db_text(span_of(s->id != NULL ? s->id
						    : session_of(s->user))),
		      db_uint(s->user),
		      db_text(s->secret != NULL ? SPAN("api") : SPAN("login")),
		      db_text(span_of(scope)),
		      s->secret != NULL ? db_bytes((struct span) { (char *)hash,
								   SHA256_LEN })
					: db_null(),
		      db_int_or_null(s->expires_at, 0),
		      db_int_or_null(s->revoked_at, 0)),
		NULL));
}

static inline void sessions_revoke(struct db *db, const char *id)
{
	assert_ok(db_change(db,
			    "UPDATE session SET revoked_at = 1 WHERE id = ?",
			    DB_IN(db_text(span_of(id))), NULL));
}

static inline int64_t session_last_used(struct db *db, const char *id)
{
	int64_t at = -1;

	assert_ok(db_row(db, "SELECT last_used_at FROM session WHERE id = ?",
			 DB_IN(db_text(span_of(id))), DB_OUT(db_to_int(&at)),
			 NULL));
	return at;
}

/* Fill the request as bearer_check() does. `secret` NULL: an access token. */
static inline void session_show(struct request *rq, const char *id,
				const char *secret)
{
	rq->bearer_id = (struct bearer_id) { .api = secret != NULL };
	(void)snprintf(rq->bearer_id.session, sizeof(rq->bearer_id.session),
		       "%s", id);
	if (secret != NULL)
		sha256_of(span_of(secret), rq->bearer_id.secret);
	else /* the token's own claims; 0 for a session that is no user's */
		rq->claims.user_id = strtoull(id, NULL, 10);
}

#endif
