#include "cgi-auth/tables/throttle.h"

#include "cgi-auth/tables/throttle_sweep.h"

#include <stdio.h>
#include <string.h>

enum {
	ROUNDS = 2,	      /* looks before "come again in a second" */
	ROW_LIFE = 2 * 86400, /* seconds; longer than any window or delay */
	SEEN_EVERY = 86400,   /* seconds between two notes of last_seen */
	ROW_ABSENT = -1,
};

/* The same bytes for all spellings that the column user.email holds equal */
#define ACCOUNT                                                           \
	"UNHEX(SHA2(WEIGHT_STRING(CAST(? AS CHAR CHARACTER SET utf8mb4) " \
	"COLLATE utf8mb4_unicode_ci AS CHAR(255)), 256))"

/* Of a row r. Parameters: since when a pending one is not stale; since when a
 * failure is not forgotten; now, stale, forgotten, stale, limit */
#define PENDING(r) "IF(" r ".updated_at <= ?, 0, " r ".pending)"
#define FAILURES(r) "IF(" r ".since <= ?, 0, " r ".failures)"
#define FREE(r)                                                           \
	"(" r ".blocked_until <= ? AND (" PENDING(r) " = 0 OR " FAILURES( \
		r) " + " PENDING(r) " < ?))"

#define FREE_VALUES(now, life, limit)                                      \
	db_int(now), db_int((now)-THROTTLE_STALE), db_int((now) - (life)), \
		db_int((now)-THROTTLE_STALE),                              \
		db_int((limit) + THROTTLE_PARALLEL)

static struct span bytes_of(const unsigned char *p, size_t len)
{
	return (struct span) { (const char *)p, len };
}

static struct db_value bucket(const struct throttle_ticket *t)
{
	return db_bytes(bytes_of(t->bucket, sizeof(t->bucket)));
}

static struct db_value network(const struct throttle_ticket *t)
{
	return db_bytes(span_of(t->network));
}

/* Until when an attempt is refused, ROW_ABSENT without a row */
struct look {
	int64_t account_until, address_until;
};

/* The name of the account: the database knows which spellings are one */
static enum err find_account(struct db *db, struct span email,
			     struct throttle_ticket *t, struct errmsg *why)
{
	return db_row(db, "SELECT " ACCOUNT, DB_IN(db_text(email)),
		      DB_OUT(db_to_bytes(t->account, sizeof(t->account))), why);
}

/* 'a' and the account; 'b' and the SHA-256 of it and the address */
static void name_bucket(const struct throttle_ticket *t, char kind,
			unsigned char out[static THROTTLE_BUCKET])
{
	struct sha256 h;

	out[0] = (unsigned char)kind;
	memcpy(out + 1, t->account, sizeof(t->account));
	if (kind == 'a')
		return;
	sha256_init(&h);
	sha256_add(&h, bytes_of(t->account, sizeof(t->account)));
	sha256_add(&h, span_of(t->network));
	sha256_end(&h, out + 1);
}

/* Which row counts, and until when it refuses. No lock is taken: this and
 * find_account() are all that a refused attempt costs. */
static enum err look(struct db *db, int64_t now, struct throttle_ticket *t,
		     struct look *l, struct errmsg *why)
{
	unsigned char there[THROTTLE_BUCKET], here[THROTTLE_BUCKET];
	int64_t there_until, here_until;
	enum err e;

	name_bucket(t, 'a', there);
	name_bucket(t, 'b', here);
	e = db_row(db,
		   "SELECT"
		   " (SELECT last_seen FROM known_address"
		   "   WHERE account = ? AND address = ? AND last_seen > ?),"
		   " (SELECT blocked_until FROM throttle WHERE bucket = ?),"
		   " (SELECT blocked_until FROM throttle WHERE bucket = ?),"
		   " (SELECT blocked_until FROM throttle WHERE bucket = ?)",
		   DB_IN(db_bytes(bytes_of(t->account, sizeof(t->account))),
			 db_text(span_of(t->network + 1)),
			 db_int(now - THROTTLE_KNOWN),
			 db_bytes(bytes_of(there, sizeof(there))),
			 db_bytes(bytes_of(here, sizeof(here))), network(t)),
		   DB_OUT(db_to_int(&t->last_seen),
			  db_to_int_or(&there_until, ROW_ABSENT),
			  db_to_int_or(&here_until, ROW_ABSENT),
			  db_to_int_or(&l->address_until, ROW_ABSENT)),
		   why);
	if (e != ERR_OK)
		return e;
	memcpy(t->bucket, t->last_seen > 0 ? here : there, sizeof(t->bucket));
	l->account_until = t->last_seen > 0 ? here_until : there_until;
	return ERR_OK;
}

/* Make the rows, and remove more that nobody needs: so the table cannot grow
 * for ever, and no one has to tidy it. */
static enum err make_rows(struct db *db, const struct throttle_ticket *t,
			  int64_t now, struct errmsg *why)
{
	enum err e = db_change(
		db,
		"INSERT INTO throttle (bucket, failures, pending, since, "
		"blocked_until, updated_at) "
		"VALUES (?, 0, 0, ?, 0, ?), (?, 0, 0, ?, 0, ?) "
		"ON DUPLICATE KEY UPDATE failures = throttle.failures",
		DB_IN(bucket(t), db_int(now), db_int(now), network(t),
		      db_int(now), db_int(now)),
		why);

	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	return throttle_sweep(db, now - ROW_LIFE, why);
}

/* Both rows or none; ERR_NOT_FOUND: one is absent or not free. Every statement
 * here locks the account's row first, so none waits for another in a ring.
 * `pending` is set before `updated_at`, by which it is judged. */
static enum err reserve(struct db *db, const struct throttle_rules *r,
			const struct throttle_ticket *t, int64_t now,
			struct errmsg *why)
{
	return db_change(
		db,
		"UPDATE throttle a JOIN throttle n SET"
		" a.pending = " PENDING(
			"a") " + 1, a.updated_at = ?,"
			     " n.pending = " PENDING(
				     "n") " + 1, n.updated_at = ?"
					  " WHERE a.bucket = ? AND n.bucket = "
					  "? AND " FREE("a") " AND " FREE("n"),
		DB_IN(db_int(now - THROTTLE_STALE), db_int(now),
		      db_int(now - THROTTLE_STALE), db_int(now), bucket(t),
		      network(t),
		      FREE_VALUES(now, THROTTLE_FORGET, r->failures),
		      FREE_VALUES(now, r->window, r->address)),
		why);
}

static int64_t until(const struct look *l)
{
	return l->account_until > l->address_until ? l->account_until
						   : l->address_until;
}

enum err throttle_enter(struct db *db, const struct throttle_rules *r,
			struct span email, const struct client *client,
			int64_t now, struct throttle_ticket *out,
			int64_t *retry_after, struct errmsg *why)
{
	struct throttle_ticket t;
	struct look l;
	enum err e = find_account(db, email, &t, why);

	(void)snprintf(t.network, sizeof(t.network), "n%s", client->network);
	for (int i = 0; i < ROUNDS && e == ERR_OK; i++) {
		e = look(db, now, &t, &l, why);
		if (e != ERR_OK || until(&l) > now)
			break;
		if (l.account_until == ROW_ABSENT ||
		    l.address_until == ROW_ABSENT)
			e = make_rows(db, &t, now, why);
		if (e == ERR_OK)
			e = reserve(db, r, &t, now, why);
		if (e == ERR_OK) {
			*out = t;
			return ERR_OK;
		}
		/* Others came first, or too many are under way */
		if (e == ERR_NOT_FOUND)
			e = ERR_OK;
	}
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_IO : e;
	*retry_after = until(&l) > now ? until(&l) - now : 1;
	return ERR_LIMITED;
}

/* One more failure of a row: the `limit`th is followed by `first` seconds of
 * refusal, each further one by twice as many, up to `max`. The order of the
 * assignments counts: each reads what those before it have not set. */
static enum err fail(struct db *db, struct db_value row, int64_t limit,
		     int64_t life, int64_t first, int64_t max, int64_t now,
		     struct errmsg *why)
{
	struct db_value forgotten = db_int(now - life);

	return db_change(
		db,
		"UPDATE throttle r SET"
		" r.blocked_until = IF(" FAILURES(
			"r") " + 1 < ?, 0,"
			     "  ? + LEAST(?, ? << LEAST(" FAILURES(
				     "r") " + 1 - ?, 30))),"
					  " r.failures = " FAILURES(
						  "r") " + 1,"
						       " r.since = IF(r.since "
						       "<= ?, ?, r.since),"
						       " r.pending = "
						       "GREATEST(r.pending, 1) "
						       "- 1, r.updated_at = ?"
						       " WHERE r.bucket = ?",
		DB_IN(forgotten, db_int(limit), db_int(now), db_int(max),
		      db_int(first), forgotten, db_int(limit), forgotten,
		      forgotten, db_int(now), db_int(now), row),
		why);
}

static enum err count_failure(struct db *db, const struct throttle_rules *r,
			      const struct throttle_ticket *t, int64_t now,
			      struct errmsg *why)
{
	enum err e = fail(db, bucket(t), r->failures, THROTTLE_FORGET, 1,
			  r->max, now, why);

	if (e != ERR_OK)
		return e;
	return fail(db, network(t), r->address, r->window, r->window, r->window,
		    now, why);
}

static enum err give_back(struct db *db, const struct throttle_ticket *t,
			  bool clear, struct errmsg *why)
{
	return db_change(
		db,
		"UPDATE throttle a JOIN throttle n SET"
		" a.failures = IF(?, 0, a.failures),"
		" a.blocked_until = IF(?, 0, a.blocked_until),"
		" a.pending = GREATEST(a.pending, 1) - 1,"
		" n.pending = GREATEST(n.pending, 1) - 1"
		" WHERE a.bucket = ? AND n.bucket = ?",
		DB_IN(db_int(clear), db_int(clear), bucket(t), network(t)),
		why);
}

static enum err remember(struct db *db, const struct throttle_ticket *t,
			 int64_t now, struct errmsg *why)
{
	enum err e = db_change(
		db,
		"INSERT INTO known_address (account, address, last_seen) "
		"VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE "
		"last_seen = GREATEST(last_seen, VALUES(last_seen))",
		DB_IN(db_bytes(bytes_of(t->account, sizeof(t->account))),
		      db_text(span_of(t->network + 1)), db_int(now)),
		why);

	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	return throttle_sweep_known(db, now - THROTTLE_KNOWN, why);
}

enum err throttle_leave(struct db *db, const struct throttle_rules *r,
			const struct throttle_ticket *t, enum err outcome,
			int64_t now, struct errmsg *why)
{
	enum err e;

	if (outcome == ERR_CREDENTIALS || outcome == ERR_OTP)
		return count_failure(db, r, t, now, why);
	e = give_back(db, t, outcome == ERR_OK, why);
	if (e != ERR_OK || outcome != ERR_OK)
		return e;
	/* Not where the server has no address for the client */
	if (t->network[1] == '\0' || t->last_seen > now - SEEN_EVERY)
		return ERR_OK;
	return remember(db, t, now, why);
}
