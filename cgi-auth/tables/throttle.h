/* throttle.h - guessing passwords is slow, and cannot lock out a user.
 *
 * Attempts are counted in the table `throttle`, which all machines share:
 *
 *   account   after `failures` wrong passwords an attempt is refused for 1
 *             second, after the next for 2, then 4 and so on up to `max`. A
 *             right password clears the count; else it is forgotten
 *             THROTTLE_FORGET seconds after the first failure.
 *   account at a known address: an address from which the account logged in
 *             within the last THROTTLE_KNOWN seconds. It has a count of its
 *             own, so attempts from elsewhere cannot delay the owner there.
 *   address   after `address` wrong passwords within `window` seconds, for
 *             whatever accounts, it is refused for `window` seconds. A right
 *             password does not clear the count: the attacker may have an
 *             account as well.
 *
 * An account is the SHA-256 of an email's key (email_key.h), or of its collation
 * weights if it is ASCII. So all spellings of one user (case, composition of
 * characters, blanks at the end) count together, and emails of no user count
 * like those of users.
 *
 * An attempt is reserved before the password is checked and counted after it,
 * in statements that lock the rows which they judge by, so parallel guesses see
 * each other: up to `failures` and THROTTLE_PARALLEL are under way at a time,
 * and one when there are so many failures already. A refused attempt costs one
 * SELECT and changes nothing: it does not lengthen the delay.
 *
 * A process that was killed takes its reservations with it, so they expire: each
 * is counted in the slot of THROTTLE_SLOT seconds in which it was made and in
 * the next one, whatever other attempts come.
 *
 * Errors are those of db.h; the caller passes the time.
 */
#ifndef THROTTLE_H
#define THROTTLE_H

#include "common/base/err.h"
#include "common/codec/digest.h"
#include "common/db/db.h"
#include "common/http/client.h"

enum {
	THROTTLE_FORGET = 86400,     /* seconds */
	THROTTLE_KNOWN = 90 * 86400, /* seconds */
	THROTTLE_PARALLEL = 32,	     /* for right passwords at the same time */
	THROTTLE_SLOT = 15, /* seconds; a hash and its queue take less */
	THROTTLE_BUCKET = 1 + SHA256_LEN,
};

struct throttle_rules {
	int64_t failures; /* THROTTLE_FAILURES */
	int64_t address;  /* THROTTLE_ADDRESS */
	int64_t window;	  /* THROTTLE_WINDOW, seconds */
	int64_t max;	  /* THROTTLE_MAX, seconds */
};

/* An attempt under way. */
struct throttle_ticket {
	unsigned char account[SHA256_LEN];
	unsigned char bucket[THROTTLE_BUCKET]; /* key of the account's row */
	char network[1 + CLIENT_TEXT_MAX + 1]; /* key of the address's row */
	int64_t slot;			       /* in which it was reserved */
	int64_t last_seen; /* last login from here; 0: not a known address */
};

/* Reserve an attempt, before the password is checked. `email` is UTF-8 of at
 * most 255 bytes.
 *
 *   ERR_OK       check the password, then call throttle_leave() once
 *   ERR_LIMITED  refuse; *retry_after is the number of seconds to wait
 */
enum err throttle_enter(struct db *db, const struct throttle_rules *r,
			struct span email, const struct client *client,
			int64_t now, struct throttle_ticket *out,
			int64_t *retry_after, struct errmsg *why) MUST_CHECK;

/* Count the attempt, after the check: ERR_OK as `outcome` clears the account's
 * count and makes the address known; ERR_CREDENTIALS and ERR_OTP are failures;
 * any other (a code is required, the database is unavailable) is neither. */
enum err throttle_leave(struct db *db, const struct throttle_rules *r,
			const struct throttle_ticket *t, enum err outcome,
			int64_t now, struct errmsg *why) MUST_CHECK;

/* The same within a transaction, as its last statement: the rows are locked from
 * here to the commit, and other logins from the address wait for them. After the
 * commit, throttle_left() deletes old rows. ERR_NOT_FOUND: the rows were deleted
 * meanwhile; nothing needs to be counted. */
enum err throttle_leave_within(struct db_conn *c,
			       const struct throttle_rules *r,
			       const struct throttle_ticket *t,
			       enum err outcome, int64_t now,
			       struct errmsg *why) MUST_CHECK;
enum err throttle_left(struct db *db, const struct throttle_ticket *t,
		       enum err outcome, int64_t now,
		       struct errmsg *why) MUST_CHECK;

#endif
