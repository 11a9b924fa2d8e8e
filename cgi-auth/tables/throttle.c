#include "cgi-auth/tables/throttle.h"

#include "cgi-auth/tables/email_key.h"
#include "cgi-auth/tables/throttle_sweep.h"

#include <stdio.h>
#include <string.h>

enum {
	RESERVE_TRIES = 2,    /* then the client has to wait a second */
	ROW_LIFE = 2 * 86400, /* seconds; longer than any window or delay */
	SEEN_EVERY = 86400,   /* seconds between two updates of last_seen */
	ROW_ABSENT = -1,
};

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

/* Until when an attempt is refused; ROW_ABSENT without a row */
struct blocked {
	int64_t account_until, address_until;
};

/* The key of the account: all spellings of an email that find one user have one
 * key. For ASCII it is the hash of the collation weights, as it was when the
 * collation of user.email decided, so that older rows stay in force. */
static enum err find_account(struct db *db, struct span email,
			     struct throttle_ticket *t, struct errmsg *why)
{
	struct db_out out = DB_OUT(db_to_bytes(t->account, sizeof(t->account)));
	char nfc[NORMALIZE_SIZE];
	enum err e = normalize(email, NORMAL_NFC, nfc);

	if (e != ERR_OK)
		return e;
	/* clang-format off */
	if (span_is_ascii(span_of(nfc)))
		return db_row(db,
			"SELECT UNHEX(SHA2(WEIGHT_STRING("
			"         CAST(? AS CHAR CHARACTER SET utf8mb4)"
			"         COLLATE utf8mb4_unicode_ci AS CHAR(255)),"
			"         256))",
			DB_IN(db_text(span_of(nfc))), out, why);
	return db_row(db,
		"SELECT UNHEX(SHA2(RTRIM(" EMAIL_KEY "), 256))",
		DB_IN(db_text(span_of(nfc))), out, why);
	/* clang-format on */
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

/* Choose the account's row, and read until when the rows refuse. It takes no
 * lock: a refused attempt costs this statement and find_account() only. */
static enum err read_blocked(struct db *db, int64_t now,
			     struct throttle_ticket *t, struct blocked *out,
			     struct errmsg *why)
{
	unsigned char there[THROTTLE_BUCKET], here[THROTTLE_BUCKET];
	int64_t there_until, here_until;
	enum err e;

	name_bucket(t, 'a', there);
	name_bucket(t, 'b', here);
	/* clang-format off */
	e = db_row(db,
		"SELECT (SELECT last_seen"
		"          FROM known_address"
		"         WHERE account = ? AND address = ? AND last_seen > ?),"
		"       (SELECT blocked_until FROM throttle WHERE bucket = ?),"
		"       (SELECT blocked_until FROM throttle WHERE bucket = ?),"
		"       (SELECT blocked_until FROM throttle WHERE bucket = ?)",
		DB_IN(db_bytes(bytes_of(t->account, sizeof(t->account))),
		      db_text(span_of(t->network + 1)),
		      db_int(now - THROTTLE_KNOWN),
		      db_bytes(bytes_of(there, sizeof(there))),
		      db_bytes(bytes_of(here, sizeof(here))), network(t)),
		DB_OUT(db_to_int(&t->last_seen),
		       db_to_int_or(&there_until, ROW_ABSENT),
		       db_to_int_or(&here_until, ROW_ABSENT),
		       db_to_int_or(&out->address_until, ROW_ABSENT)),
		why);
	/* clang-format on */
	if (e != ERR_OK)
		return e;
	memcpy(t->bucket, t->last_seen > 0 ? here : there, sizeof(t->bucket));
	out->account_until = t->last_seen > 0 ? here_until : there_until;
	return ERR_OK;
}

/* Insert the rows, and delete more old rows than that, so that the table stays
 * small without maintenance. */
static enum err insert_rows(struct db *db, const struct throttle_ticket *t,
			    int64_t now, struct errmsg *why)
{
	enum err e;

	/* clang-format off */
	e = db_change(db,
		"INSERT INTO throttle"
		" (bucket, failures, pending, since, blocked_until, updated_at)"
		" VALUES (?, 0, 0, ?, 0, ?),"
		"        (?, 0, 0, ?, 0, ?)"
		" ON DUPLICATE KEY UPDATE failures = throttle.failures",
		DB_IN(bucket(t), db_int(now), db_int(now),
		      network(t), db_int(now), db_int(now)),
		why);
	/* clang-format on */
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	return throttle_sweep(db, now - ROW_LIFE, why);
}

/* The places that are taken in the row `r`, by the slot t.slot: those of this
 * slot, and those of the one before it. The clock of another machine may have
 * begun the next slot already. */
#define IN_SLOT(r) r ".slot IN (t.slot, t.slot + 1)"
#define PENDING(r) "IF(" IN_SLOT(r) ", " r ".pending, 0)"
#define PENDING_BEFORE(r)                          \
	"IF(" IN_SLOT(r) ", " r ".pending_before," \
			 "   IF(" r ".slot = t.slot - 1, " r ".pending, 0))"
#define TAKEN(r) "(" PENDING(r) " + " PENDING_BEFORE(r) ")"
#define TAKE_PLACE(r)                                                       \
	r ".pending_before = " PENDING_BEFORE(                              \
		r) ","                                                      \
		   " " r ".pending = " PENDING(                             \
			   r) " + 1,"                                       \
			      " " r ".slot = GREATEST(t.slot, IF(" IN_SLOT( \
				      r) ", " r ".slot, 0)),"               \
					 " " r ".updated_at = ?"

/* Give back the place that was taken in the slot of the parameters */
#define GIVE_PLACE(r)                                          \
	r ".pending = IF(" r ".slot = ?,"                      \
	  "   GREATEST(" r ".pending, 1) - 1, " r ".pending)," \
	  " " r ".pending_before = IF(" r ".slot = ? + 1,"     \
	  "   GREATEST(" r ".pending_before, 1) - 1, " r ".pending_before)"
#define GIVE_VALUES(t) db_int((t)->slot), db_int((t)->slot)

static int64_t slot_of(int64_t now)
{
	return now / THROTTLE_SLOT;
}

/* Reserve an attempt in both rows or in none. ERR_NOT_FOUND: one is absent, is
 * blocked, or has too many attempts in progress. A failure count whose first
 * failure is over THROTTLE_FORGET or the window ago reads as 0.
 *
 * Every statement here locks the account's row first, so there is no deadlock.
 * The order of the assignments counts: each reads the old value of the columns
 * that are set after it. */
static enum err reserve(struct db *db, const struct throttle_rules *r,
			const struct throttle_ticket *t, int64_t now,
			struct errmsg *why)
{
	/* clang-format off */
	return db_change(db,
		"UPDATE throttle a"
		"  JOIN throttle n"
		"  JOIN (SELECT CAST(? AS SIGNED) AS slot) t"
		"   SET " TAKE_PLACE("a") "," TAKE_PLACE("n")
		" WHERE a.bucket = ?"
		"   AND n.bucket = ?"
		"   AND a.blocked_until <= ?"
		"   AND (" TAKEN("a") " = 0"
		"        OR IF(a.since <= ?, 0, a.failures) + " TAKEN("a")
		"           < ?)"
		"   AND n.blocked_until <= ?"
		"   AND (" TAKEN("n") " = 0"
		"        OR IF(n.since <= ?, 0, n.failures) + " TAKEN("n")
		"           < ?)",
		DB_IN(db_int(t->slot), db_int(now), db_int(now),
		      bucket(t), network(t),
		      db_int(now), db_int(now - THROTTLE_FORGET),
		      db_int(r->failures + THROTTLE_PARALLEL),
		      db_int(now), db_int(now - r->window),
		      db_int(r->address + THROTTLE_PARALLEL)),
		why);
	/* clang-format on */
}

static int64_t later(const struct blocked *b)
{
	return b->account_until > b->address_until ? b->account_until
						   : b->address_until;
}

enum err throttle_enter(struct db *db, const struct throttle_rules *r,
			struct span email, const struct client *client,
			int64_t now, struct throttle_ticket *out,
			int64_t *retry_after, struct errmsg *why)
{
	struct throttle_ticket t;
	struct blocked b;
	enum err e = find_account(db, email, &t, why);

	(void)snprintf(t.network, sizeof(t.network), "n%s", client->network);
	t.slot = slot_of(now);
	for (int i = 0; i < RESERVE_TRIES && e == ERR_OK; i++) {
		e = read_blocked(db, now, &t, &b, why);
		if (e != ERR_OK || later(&b) > now)
			break;
		if (b.account_until == ROW_ABSENT ||
		    b.address_until == ROW_ABSENT)
			e = insert_rows(db, &t, now, why);
		if (e == ERR_OK)
			e = reserve(db, r, &t, now, why);
		if (e == ERR_OK) {
			*out = t;
			return ERR_OK;
		}
		/* Another attempt was first, or too many are in progress */
		if (e == ERR_NOT_FOUND)
			e = ERR_OK;
	}
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_IO : e;
	*retry_after = later(&b) > now ? later(&b) - now : 1;
	return ERR_LIMITED;
}

/* Add a failure to a row: the `limit`th blocks it for `first` seconds, each
 * further one for twice as long, up to `max`. The order of the assignments
 * counts: each reads the old value of the columns that are set after it. */
static enum err add_failure(struct db *db, const struct throttle_ticket *t,
			    struct db_value row, int64_t limit, int64_t life,
			    int64_t first, int64_t max, int64_t now,
			    struct errmsg *why)
{
	struct db_value forgotten = db_int(now - life);

	/* clang-format off */
	return db_change(db,
		"UPDATE throttle r"
		"   SET r.blocked_until ="
		"         IF(IF(r.since <= ?, 0, r.failures) + 1 < ?,"
		"            0,"
		"            ? + LEAST(?, ? << LEAST("
		"              IF(r.since <= ?, 0, r.failures) + 1 - ?, 30))),"
		"       r.failures = IF(r.since <= ?, 0, r.failures) + 1,"
		"       r.since = IF(r.since <= ?, ?, r.since),"
		"       " GIVE_PLACE("r") ","
		"       r.updated_at = ?"
		" WHERE r.bucket = ?",
		DB_IN(forgotten, db_int(limit),
		      db_int(now), db_int(max), db_int(first),
		      forgotten, db_int(limit),
		      forgotten,
		      forgotten, db_int(now),
		      GIVE_VALUES(t),
		      db_int(now),
		      row),
		why);
	/* clang-format on */
}

static enum err count_failure(struct db *db, const struct throttle_rules *r,
			      const struct throttle_ticket *t, int64_t now,
			      struct errmsg *why)
{
	enum err e = add_failure(db, t, bucket(t), r->failures, THROTTLE_FORGET,
				 1, r->max, now, why);

	if (e != ERR_OK)
		return e;
	return add_failure(db, t, network(t), r->address, r->window, r->window,
			   r->window, now, why);
}

/* End the attempt without a failure; `clear` the account's count */
static enum err end_attempt(struct db *db, const struct throttle_ticket *t,
			    bool clear, struct errmsg *why)
{
	/* clang-format off */
	return db_change(db,
		"UPDATE throttle a"
		"  JOIN throttle n"
		"   SET a.failures = IF(?, 0, a.failures),"
		"       a.blocked_until = IF(?, 0, a.blocked_until),"
		"       " GIVE_PLACE("a") "," GIVE_PLACE("n")
		" WHERE a.bucket = ?"
		"   AND n.bucket = ?",
		DB_IN(db_int(clear), db_int(clear), GIVE_VALUES(t),
		      GIVE_VALUES(t), bucket(t), network(t)),
		why);
	/* clang-format on */
}

static enum err add_known_address(struct db *db,
				  const struct throttle_ticket *t, int64_t now,
				  struct errmsg *why)
{
	enum err e;

	/* clang-format off */
	e = db_change(db,
		"INSERT INTO known_address (account, address, last_seen)"
		" VALUES (?, ?, ?)"
		" ON DUPLICATE KEY UPDATE"
		"   last_seen = GREATEST(last_seen, VALUES(last_seen))",
		DB_IN(db_bytes(bytes_of(t->account, sizeof(t->account))),
		      db_text(span_of(t->network + 1)), db_int(now)),
		why);
	/* clang-format on */
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
	e = end_attempt(db, t, outcome == ERR_OK, why);
	if (e != ERR_OK || outcome != ERR_OK)
		return e;
	/* Not if the server has no address of the client, nor again that day */
	if (t->network[1] == '\0' || t->last_seen > now - SEEN_EVERY)
		return ERR_OK;
	return add_known_address(db, t, now, why);
}
