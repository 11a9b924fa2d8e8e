#include "cgi-auth/tables/refresh.h"

#include "cgi-auth/tables/sessions.h"
#include "common/codec/digest.h"
#include "common/codec/encode.h"

#include <sodium.h>
#include <string.h>

#define PREFIX "ghr_"
/* With a blank, which no JWT contains: a MAC of one is never that of the other
 */
#define CONTEXT "gatehouse refresh"

enum {
	NOT_SPENT = -1,
	RANDOM_LEN = 32,
};

struct refresh_row {
	int64_t expires_at, spent_at;
	char next_hash[SHA256_LEN];
	int64_t ended_at, session_ends, disabled_at, admin;
};

/* A token with the SHA-256 `hash` that becomes rotation->text */
struct spending {
	const struct refresh_rotation *rotation;
	const unsigned char *hash;
	int64_t now;
};

const char *refresh_outcome_name(enum refresh_outcome o)
{
	static const char *const names[] = {
		[REFRESH_ROTATED] = "ok",
		[REFRESH_REPEATED] = "grace",
		[REFRESH_MALFORMED] = "malformed",
		[REFRESH_UNKNOWN] = "unknown",
		[REFRESH_EXPIRED] = "expired",
		[REFRESH_ENDED] = "ended",
		[REFRESH_REUSED] = "reuse",
		[REFRESH_FAILED] = "unavailable",
	};

	return names[o];
}

static void write_text(const unsigned char raw[static RANDOM_LEN],
		       char out[static REFRESH_LEN + 1])
{
	memcpy(out, PREFIX, sizeof(PREFIX));
	base64url_encode((struct span) { (const char *)raw, RANDOM_LEN },
			 out + sizeof(PREFIX) - 1,
			 REFRESH_LEN + 2 - sizeof(PREFIX));
}

static bool is_refresh(struct span text)
{
	char raw[RANDOM_LEN];
	size_t n;

	return text.len == REFRESH_LEN && span_has_prefix(text, SPAN(PREFIX)) &&
	       base64url_decode(span_from(text, sizeof(PREFIX) - 1), raw,
				sizeof(raw), &n) == ERR_OK;
}

static struct span hash_span(const unsigned char hash[static SHA256_LEN])
{
	return (struct span) { (const char *)hash, SHA256_LEN };
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static enum err insert_token(struct db_conn *c, const char *text,
			     const char *session, int64_t now,
			     int64_t expires_at, struct errmsg *why)
{
	unsigned char hash[SHA256_LEN];

	sha256_of(span_of(text), hash);
	/* clang-format off */
	return db_tx_change(c,
		"INSERT INTO refresh (hash, session_id, created_at, expires_at)"
		" VALUES (?, ?, ?, ?)",
		DB_IN(db_bytes(hash_span(hash)), db_text(span_of(session)),
		      db_int(now), db_int(expires_at)),
		why);
	/* clang-format on */
}

enum err refresh_first(struct db_conn *c, const struct refresh_rules *rules,
		       const char *session, int64_t session_ends, int64_t now,
		       char text[static REFRESH_LEN + 1], int64_t *expires_at,
		       struct errmsg *why)
{
	int64_t until = earlier(now + rules->life, session_ends);
	unsigned char raw[RANDOM_LEN];
	char fresh[REFRESH_LEN + 1];
	enum err e;

	randombytes_buf(raw, sizeof(raw));
	write_text(raw, fresh);
	e = insert_token(c, fresh, session, now, until, why);
	if (e == ERR_OK) {
		memcpy(text, fresh, sizeof(fresh));
		*expires_at = until;
	}
	sodium_memzero(raw, sizeof(raw));
	sodium_memzero(fresh, sizeof(fresh));
	return e;
}

/* The successor of `text` under `key` */
static enum err derive(const struct key *key, struct span text,
		       char out[static REFRESH_LEN + 1])
{
	char message[sizeof(CONTEXT) + REFRESH_LEN];
	unsigned char mac[SHA256_LEN];
	enum err e;

	memcpy(message, CONTEXT, sizeof(CONTEXT) - 1);
	memcpy(message + sizeof(CONTEXT) - 1, text.p, REFRESH_LEN);
	e = hmac_sha256(
		key->hmac,
		(struct span) { message, sizeof(CONTEXT) - 1 + REFRESH_LEN },
		mac);
	if (e == ERR_OK)
		write_text(mac, out);
	sodium_memzero(message, sizeof(message));
	sodium_memzero(mac, sizeof(mac));
	return e;
}

static enum err read_row(struct db *db,
			 const unsigned char hash[static SHA256_LEN],
			 struct refresh_row *row, struct refresh_rotation *t,
			 struct errmsg *why)
{
	struct user *u = &t->user;
	enum err e;

	/* next_hash is NULL as long as spent_at is NULL, and is not used then
	 */
	/* clang-format off */
	e = db_row(db,
		"SELECT r.expires_at, r.spent_at,"
		"       COALESCE(r.next_hash, r.hash),"
		"       s.id, s.revoked_at, s.expires_at,"
		"       u.id, u.email, u.admin, u.scope, u.disabled_at"
		"  FROM refresh r"
		"  JOIN session s ON s.id = r.session_id"
		"  JOIN user u ON u.id = s.user_id"
		" WHERE r.hash = ?",
		DB_IN(db_bytes(hash_span(hash))),
		DB_OUT(db_to_int(&row->expires_at),
		       db_to_int_or(&row->spent_at, NOT_SPENT),
		       db_to_bytes(row->next_hash, sizeof(row->next_hash)),
		       db_to_text(t->session, sizeof(t->session)),
		       db_to_int_or(&row->ended_at, SESSION_NEVER),
		       db_to_int(&row->session_ends),
		       db_to_uint(&u->id),
		       db_to_text(u->email, sizeof(u->email)),
		       db_to_int(&row->admin),
		       db_to_text(u->scope, sizeof(u->scope)),
		       db_to_int_or(&row->disabled_at, USER_ENABLED)),
		why);
	/* clang-format on */
	if (e == ERR_TOO_LARGE) /* a row's fault, not the client's */
		return ERR_IO;
	if (e == ERR_OK) {
		u->admin = row->admin != 0;
		t->session_ends = row->session_ends;
	}
	return e;
}

/* The successor of a spent token, by the key whose result hashes to next_hash.
 * The keyring still has that key: a key is kept longer than its last access
 * token is valid, and so longer than any grace time. */
static enum err find_successor(const struct keyring *ring, struct span text,
			       const struct refresh_row *row,
			       char out[static REFRESH_LEN + 1])
{
	struct span want = { row->next_hash, SHA256_LEN };
	unsigned char hash[SHA256_LEN];

	for (size_t i = 0; i < ring->count; i++) {
		enum err e = derive(&ring->keys[i], text, out);

		if (e != ERR_OK)
			return e;
		sha256_of(span_of(out), hash);
		if (digest_equal(hash_span(hash), want))
			return ERR_OK;
	}
	return ERR_NOT_FOUND;
}

static enum err refuse_rotation(struct refresh_rotation *t,
				enum refresh_outcome o)
{
	t->outcome = o;
	return o == REFRESH_EXPIRED ? ERR_EXPIRED : ERR_BAD_TOKEN;
}

static enum err repeat(struct db *db, const struct keyring *ring,
		       const struct refresh_rules *rules, struct span text,
		       int64_t now, const struct refresh_row *row,
		       struct refresh_rotation *t, struct errmsg *why)
{
	enum err e;

	if (now >= row->spent_at + rules->grace) {
		e = sessions_end_id(db, t->session, now, why);
		if (e != ERR_OK && e != ERR_NOT_FOUND)
			return e;
		return refuse_rotation(t, REFRESH_REUSED);
	}
	e = find_successor(ring, text, row, t->text);
	/* Its key was removed: the successor cannot be computed any more */
	if (e == ERR_NOT_FOUND)
		return refuse_rotation(t, REFRESH_UNKNOWN);
	if (e != ERR_OK)
		return e;
	t->outcome = REFRESH_REPEATED;
	t->expires_at = earlier(row->spent_at + rules->life, t->session_ends);
	return ERR_OK;
}

/* Record the successor in the row of the spent token, then insert it */
static enum err spend_within(struct db_conn *c, const struct spending *s,
			     struct errmsg *why)
{
	unsigned char next[SHA256_LEN];
	enum err e;

	sha256_of(span_of(s->rotation->text), next);
	/* clang-format off */
	e = db_tx_change(c,
		"UPDATE refresh"
		"   SET spent_at = ?, next_hash = ?"
		" WHERE hash = ?"
		"   AND spent_at IS NULL",
		DB_IN(db_int(s->now), db_bytes(hash_span(next)),
		      db_bytes(hash_span(s->hash))),
		why);
	/* clang-format on */
	if (e != ERR_OK)
		return e;
	e = insert_token(c, s->rotation->text, s->rotation->session, s->now,
			 s->rotation->expires_at, why);
	if (e != ERR_CONFLICT)
		return e;
	/* A program of an earlier version has inserted it, and was stopped
	 * before it recorded it */
	(void)err_set(why, e, "%s", "");
	return ERR_OK;
}

/* One transaction: ERR_NOT_FOUND if another request has just spent the token */
static enum err spend(struct db *db, const struct keyring *ring,
		      const struct refresh_rules *rules, struct span text,
		      const unsigned char hash[static SHA256_LEN], int64_t now,
		      struct refresh_rotation *t, struct errmsg *why)
{
	const struct spending s = { t, hash, now };
	struct db_conn *c;
	enum err e = derive(keyring_signer(ring), text, t->text);

	if (e != ERR_OK)
		return e;
	t->expires_at = earlier(now + rules->life, t->session_ends);
	e = db_begin(db, &c, why);
	if (e != ERR_OK)
		return e;
	e = spend_within(c, &s, why);
	if (e == ERR_OK)
		e = db_commit(c, why);
	else
		db_rollback(c);
	if (e == ERR_OK)
		t->outcome = REFRESH_ROTATED;
	return e;
}

static enum err rotate_row(struct db *db, const struct keyring *ring,
			   const struct refresh_rules *rules, struct span text,
			   int64_t now, struct refresh_rotation *t,
			   struct errmsg *why)
{
	unsigned char hash[SHA256_LEN];
	enum err e = ERR_NOT_FOUND;
	struct refresh_row row;

	sha256_of(text, hash);
	/* spend() returns ERR_NOT_FOUND if another request has just spent the
	 * token; the second round then reads the row as spent */
	for (int round = 0; round < 2 && e == ERR_NOT_FOUND; round++) {
		e = read_row(db, hash, &row, t, why);
		if (e == ERR_NOT_FOUND)
			return refuse_rotation(t, REFRESH_UNKNOWN);
		if (e != ERR_OK)
			return e;
		if (row.ended_at != SESSION_NEVER ||
		    row.disabled_at != USER_ENABLED)
			return refuse_rotation(t, REFRESH_ENDED);
		if (now >= row.expires_at || now >= row.session_ends)
			return refuse_rotation(t, REFRESH_EXPIRED);
		if (row.spent_at != NOT_SPENT)
			return repeat(db, ring, rules, text, now, &row, t, why);
		e = spend(db, ring, rules, text, hash, now, t, why);
	}
	return e == ERR_NOT_FOUND ? refuse_rotation(t, REFRESH_UNKNOWN) : e;
}

enum err refresh_rotate(struct db *db, const struct keyring *ring,
			const struct refresh_rules *rules, struct span text,
			int64_t now, struct refresh_rotation *rotation,
			struct errmsg *why)
{
	enum err e;

	*rotation = (struct refresh_rotation) { .outcome = REFRESH_FAILED };
	if (!is_refresh(text))
		return refuse_rotation(rotation, REFRESH_MALFORMED);
	e = rotate_row(db, ring, rules, text, now, rotation, why);
	if (e != ERR_OK) { /* a successor that was not stored, or not found */
		refresh_rotation_wipe(rotation);
		rotation->expires_at = 0;
	}
	return e;
}

void refresh_rotation_wipe(struct refresh_rotation *rotation)
{
	sodium_memzero(rotation->text, sizeof(rotation->text));
}
