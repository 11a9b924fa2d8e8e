#include "cgi-auth/tables/throttle.h"

#include "cgi-auth/tables/throttle_read.h"
#include "cgi-auth/tables/throttle_sweep.h"

#include <string.h>

enum {
	RESERVE_TRIES = 2,    /* then the client has to wait a second */
	ROW_LIFE = 2 * 86400, /* seconds; longer than any window or delay */
	SEEN_EVERY = 86400,   /* seconds between two updates of last_seen */
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

/* Reserve an attempt in both rows or in none. No row matches if one is absent,
 * is blocked, or has too many attempts in progress. A failure count whose first
 * failure is over THROTTLE_FORGET or the window ago reads as 0.
 *
 * Every statement here locks the account's row first, so there is no deadlock.
 * The order of the assignments counts: each reads the old value of the columns
 * that are set after it. */
/* clang-format off */
#define RESERVE                                                         \
	"UPDATE throttle a"                                             \
	"  JOIN throttle n"                                             \
	"  JOIN (SELECT CAST(? AS SIGNED) AS slot) t"                   \
	"   SET " TAKE_PLACE("a") "," TAKE_PLACE("n")                   \
	" WHERE a.bucket = ?"                                           \
	"   AND n.bucket = ?"                                           \
	"   AND a.blocked_until <= ?"                                   \
	"   AND (" TAKEN("a") " = 0"                                    \
	"        OR IF(a.since <= ?, 0, a.failures) + " TAKEN("a")      \
	"           < ?)"                                               \
	"   AND n.blocked_until <= ?"                                   \
	"   AND (" TAKEN("n") " = 0"                                    \
	"        OR IF(n.since <= ?, 0, n.failures) + " TAKEN("n")      \
	"           < ?)"
#define RESERVE_VALUES(r, t, now)                                       \
	db_int((t)->slot), db_int(now), db_int(now), bucket(t),         \
		network(t), db_int(now), db_int((now) - THROTTLE_FORGET), \
		db_int((r)->failures + THROTTLE_PARALLEL), db_int(now), \
		db_int((now) - (r)->window),                            \
		db_int((r)->address + THROTTLE_PARALLEL)
/* clang-format on */

/* Insert the rows that are absent, and reserve the attempt in them */
static enum err reserve_in_new_rows(struct db *db,
				    const struct throttle_rules *r,
				    const struct throttle_ticket *t,
				    int64_t now, struct errmsg *why)
{
	struct db_conn *c;
	enum err e = db_begin(db, &c, why);

	if (e != ERR_OK)
		return e;
	/* clang-format off */
	e = db_tx_change(c,
		"INSERT INTO throttle"
		" (bucket, failures, pending, since, blocked_until, updated_at)"
		" VALUES (?, 0, 0, ?, 0, ?),"
		"        (?, 0, 0, ?, 0, ?)"
		" ON DUPLICATE KEY UPDATE failures = throttle.failures",
		DB_IN(bucket(t), db_int(now), db_int(now),
		      network(t), db_int(now), db_int(now)),
		why);
	/* clang-format on */
	if (e == ERR_OK || e == ERR_NOT_FOUND)
		e = db_tx_change(c, RESERVE, DB_IN(RESERVE_VALUES(r, t, now)),
				 why);
	if (e == ERR_OK)
		return db_commit(c, why);
	db_rollback(c);
	return e;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Choose the account's row, and reserve the attempt. ERR_NOT_FOUND: another was
 * first, or too many are in progress. ERR_LIMITED: refused until *until. A
 * refused attempt takes no lock. */
static enum err try_to_enter(struct db *db, const struct throttle_rules *r,
			     const struct throttle_seen *s,
			     struct throttle_ticket *t, int64_t now,
			     int64_t *until, struct errmsg *why)
{
	int64_t account = s->last_seen > 0 ? s->here_until : s->there_until;
	enum err e;

	*until = later(account, s->address_until);
	if (*until > now)
		return ERR_LIMITED;
	t->last_seen = s->last_seen;
	memcpy(t->account, s->account, sizeof(t->account));
	name_bucket(t, s->last_seen > 0 ? 'b' : 'a', t->bucket);
	if (account != THROTTLE_NO_ROW && s->address_until != THROTTLE_NO_ROW)
		return db_change(db, RESERVE, DB_IN(RESERVE_VALUES(r, t, now)),
				 why);
	e = reserve_in_new_rows(db, r, t, now, why);
	/* Delete more old rows than were inserted, so that the table stays
	 * small without maintenance */
	return e == ERR_OK ? throttle_sweep(db, now - ROW_LIFE, why) : e;
}

enum err throttle_enter_seen(struct db *db, const struct throttle_rules *r,
			     const struct throttle_who *w,
			     struct throttle_seen *seen, int64_t now,
			     struct throttle_ticket *out, int64_t *retry_after,
			     struct errmsg *why)
{
	struct throttle_ticket t = { .slot = now / THROTTLE_SLOT };
	int64_t until = now;
	enum err e = ERR_NOT_FOUND;

	memcpy(t.network, w->network, sizeof(t.network));
	for (int i = 0; i < RESERVE_TRIES && e == ERR_NOT_FOUND; i++) {
		e = i > 0 ? throttle_read(db, w, now, seen, why) : ERR_OK;
		if (e == ERR_OK)
			e = try_to_enter(db, r, seen, &t, now, &until, why);
	}
	if (e == ERR_OK)
		*out = t;
	if (e != ERR_NOT_FOUND && e != ERR_LIMITED)
		return e;
	*retry_after = until > now ? until - now : 1;
	return ERR_LIMITED;
}

enum err throttle_enter(struct db *db, const struct throttle_rules *r,
			struct span email, const struct client *client,
			int64_t now, struct throttle_ticket *out,
			int64_t *retry_after, struct errmsg *why)
{
	struct throttle_seen seen;
	struct throttle_who w;
	enum err e = throttle_who_init(&w, email, client);

	if (e == ERR_OK)
		e = throttle_read(db, &w, now, &seen, why);
	if (e == ERR_NOT_FOUND)
		return ERR_IO;
	return e == ERR_OK ? throttle_enter_seen(db, r, &w, &seen, now, out,
						 retry_after, why)
			   : e;
}

/* Add a failure to the row `r`: the `limit`th blocks it for `first` seconds,
 * each further one for twice as long, up to `max`. The order of the assignments
 * counts: each reads the old value of the columns that are set after it. */
/* clang-format off */
#define FAILURES(r) "IF(" r ".since <= ?, 0, " r ".failures) + 1"
#define ADD_FAILURE(r)                                                  \
	r ".blocked_until ="                                            \
	"     IF(" FAILURES(r) " < ?, 0,"                               \
	"        ? + LEAST(?, ? << LEAST(" FAILURES(r) " - ?, 30))),"   \
	" " r ".failures = " FAILURES(r) ","                            \
	" " r ".since = IF(" r ".since <= ?, ?, " r ".since),"          \
	" " GIVE_PLACE(r) ","                                           \
	" " r ".updated_at = ?"
#define FAILURE_VALUES(t, limit, forgotten, first, max, now)            \
	db_int(forgotten), db_int(limit), db_int(now), db_int(max),     \
		db_int(first), db_int(forgotten), db_int(limit),        \
		db_int(forgotten), db_int(forgotten), db_int(now),      \
		GIVE_VALUES(t), db_int(now)
/* clang-format on */

static enum err count_failure(struct db_conn *c, const struct throttle_rules *r,
			      const struct throttle_ticket *t, int64_t now,
			      struct errmsg *why)
{
	/* clang-format off */
	return db_tx_change(c,
		"UPDATE throttle a"
		"  JOIN throttle n"
		"   SET " ADD_FAILURE("a") "," ADD_FAILURE("n")
		" WHERE a.bucket = ?"
		"   AND n.bucket = ?",
		DB_IN(FAILURE_VALUES(t, r->failures, now - THROTTLE_FORGET, 1,
				     r->max, now),
		      FAILURE_VALUES(t, r->address, now - r->window, r->window,
				     r->window, now),
		      bucket(t), network(t)),
		why);
	/* clang-format on */
}

/* End the attempt without a failure; `clear` the account's count */
static enum err end_attempt(struct db_conn *c, const struct throttle_ticket *t,
			    bool clear, struct errmsg *why)
{
	/* clang-format off */
	return db_tx_change(c,
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

/* Whether the address becomes known, or was not seen today: not if the server
 * has no address of the client */
static bool is_seen_again(const struct throttle_ticket *t, enum err outcome,
			  int64_t now)
{
	return outcome == ERR_OK && t->network[1] != '\0' &&
	       t->last_seen <= now - SEEN_EVERY;
}

static enum err add_known_address(struct db_conn *c,
				  const struct throttle_ticket *t, int64_t now,
				  struct errmsg *why)
{
	enum err e;

	/* clang-format off */
	e = db_tx_change(c,
		"INSERT INTO known_address (account, address, last_seen)"
		" VALUES (?, ?, ?)"
		" ON DUPLICATE KEY UPDATE"
		"   last_seen = GREATEST(last_seen, VALUES(last_seen))",
		DB_IN(db_bytes(bytes_of(t->account, sizeof(t->account))),
		      db_text(span_of(t->network + 1)), db_int(now)),
		why);
	/* clang-format on */
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err throttle_leave_within(struct db_conn *c,
			       const struct throttle_rules *r,
			       const struct throttle_ticket *t,
			       enum err outcome, int64_t now,
			       struct errmsg *why)
{
	enum err e = ERR_OK;

	if (is_seen_again(t, outcome, now))
		e = add_known_address(c, t, now, why);
	if (e != ERR_OK)
		return e;
	if (outcome == ERR_CREDENTIALS || outcome == ERR_OTP)
		return count_failure(c, r, t, now, why);
	return end_attempt(c, t, outcome == ERR_OK, why);
}

enum err throttle_left(struct db *db, const struct throttle_ticket *t,
		       enum err outcome, int64_t now, struct errmsg *why)
{
	return is_seen_again(t, outcome, now)
		       ? throttle_sweep_known(db, now - THROTTLE_KNOWN, why)
		       : ERR_OK;
}

enum err throttle_leave(struct db *db, const struct throttle_rules *r,
			const struct throttle_ticket *t, enum err outcome,
			int64_t now, struct errmsg *why)
{
	struct db_conn *c;
	enum err e = db_begin(db, &c, why);

	if (e != ERR_OK)
		return e;
	e = throttle_leave_within(c, r, t, outcome, now, why);
	if (e == ERR_OK)
		e = db_commit(c, why);
	else
		db_rollback(c);
	return e == ERR_OK ? throttle_left(db, t, outcome, now, why) : e;
}
