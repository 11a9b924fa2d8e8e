#include "cgi-auth/tables/user_change.h"

#include "common/db/db_known.h"

#include <string.h>

void user_change_narrow(const char *scope, const char *allowed,
			char out[static CLAIMS_SCOPE_MAX + 1])
{
	struct span words = span_of(scope), word;
	size_t len = 0;

	while (span_next(&words, ' ', &word)) {
		if (word.len == 0 || !span_list_has(span_of(allowed), word))
			continue;
		/* `out` is never longer than `scope` */
		if (len > 0)
			out[len++] = ' ';
		memcpy(out + len, word.p, word.len);
		len += word.len;
	}
	out[len] = '\0';
}

/* Whether tokens of the user would say what is no longer so */
static bool takes_away(const struct user *was, const struct user *to)
{
	char kept[CLAIMS_SCOPE_MAX + 1];

	user_change_narrow(was->scope, to->scope, kept);
	return strcmp(kept, was->scope) != 0 || (was->admin && !to->admin) ||
	       strcmp(was->email, to->email) != 0;
}

/* clang-format off */

/* The API token with the lowest id above `id`, locked. A token that is being
 * created at this moment waits, or is here (sessions_add_token()). */
static enum err next_token(struct db_conn *c, uint64_t user,
			   char id[static IDENT_LEN + 1],
			   char scope[static CLAIMS_SCOPE_MAX + 1],
			   struct errmsg *why)
{
	return db_tx_row(c,
		"SELECT id, scope"
		"  FROM session FORCE INDEX (session_user)"
		" WHERE user_id = ?"
		"   AND kind = 'api'"
		"   AND revoked_at IS NULL"
		"   AND id > ?"
		" ORDER BY id"
		" LIMIT 1"
		"   FOR UPDATE",
		DB_IN(db_uint(user), db_text(span_of(id))),
		DB_OUT(db_to_text(id, IDENT_LEN + 1),
		       db_to_text(scope, CLAIMS_SCOPE_MAX + 1)),
		why);
}

static enum err set_token(struct db_conn *c, const char *id, const char *scope,
			  int64_t now, struct errmsg *why)
{
	return db_tx_change_of(c, DB_KNOWN_SESSIONS,
		change_key_of_text(span_of(id)),
		"UPDATE session"
		"   SET revoked_at = IF(? = '', ?, revoked_at),"
		"       scope = IF(? = '', scope, ?)"
		" WHERE id = ?",
		DB_IN(db_text(span_of(scope)), db_int(now),
		      db_text(span_of(scope)), db_text(span_of(scope)),
		      db_text(span_of(id))),
		why);
}

static enum err set_row(struct db_conn *c, uint64_t id, const struct user *to,
			struct errmsg *why)
{
	return db_tx_change_of(c, DB_KNOWN_SESSIONS, change_key_of_number(id),
		"UPDATE user"
		"   SET email = ?, admin = ?, scope = ?"
		" WHERE id = ?",
		DB_IN(db_text(span_of(to->email)), db_int(to->admin),
		      db_text(span_of(to->scope)), db_uint(id)),
		why);
}
/* clang-format on */

static enum err narrow_tokens(struct db_conn *c, uint64_t user,
			      const char *allowed, int64_t now,
			      struct user_change_result *r, struct errmsg *why)
{
	char id[IDENT_LEN + 1] = "", scope[CLAIMS_SCOPE_MAX + 1];
	char kept[CLAIMS_SCOPE_MAX + 1];
	enum err e;

	while ((e = next_token(c, user, id, scope, why)) == ERR_OK) {
		user_change_narrow(scope, allowed, kept);
		if (strcmp(kept, scope) == 0)
			continue;
		e = set_token(c, id, kept, now, why);
		if (e != ERR_OK)
			return e;
		if (kept[0] == '\0')
			r->tokens_ended++;
		else
			r->tokens_narrowed++;
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* The user's row first, then the sessions, as in users.c */
enum err user_change(struct db *db, const struct user *was,
		     const struct user *to, int64_t now,
		     struct user_change_result *out, struct errmsg *why)
{
	struct sessions_chosen logins = { .tokens = false, .but = "" };
	struct user_change_result r = { .logins_ended = takes_away(was, to) };
	struct db_conn *c;
	enum err e = db_begin_change(db, &c, why);

	if (e != ERR_OK)
		return e;
	e = set_row(c, was->id, to, why);
	if (e == ERR_OK && r.logins_ended)
		e = sessions_end_within(c, was->id, logins, now, why);
	if (e == ERR_OK)
		e = narrow_tokens(c, was->id, to->scope, now, &r, why);
	if (e != ERR_OK) {
		db_rollback(c);
		return e;
	}
	e = db_commit(c, why);
	if (e == ERR_OK)
		*out = r;
	return e;
}
