/* throttle.h - guessing is slow, and nobody can be locked out by it.
 *
 * Attempts are counted in the table `throttle`, which all machines share:
 *
 *   account   after `failures` wrong ones an attempt is refused for 1 second,
 *             after the next for 2, then 4 and so on up to `max`. A right one
 *             clears it, else it is forgotten THROTTLE_FORGET seconds after the
 *             first.
 *   the same, from a known address: one from which the account was logged into
 *             rightly within THROTTLE_KNOWN seconds. It has a count of its own,
 *             so nobody elsewhere can delay the owner there.
 *   address   after `address` wrong ones within `window` seconds, whatever the
 *             account, it is refused for `window` seconds. A right one does not
 *             clear it: the guesser may have an account as well.
 *
 * An account is the email as the column `user.email` compares it (case,
 * accents, blanks at the end: schema/auth/002), by the SHA-256 of its collation
 * weights. So all spellings of one user count together, and users that are not
 * there count like those that are.
 *
 * An attempt is reserved before the password is looked at and settled after, in
 * statements that lock the rows they judge by, so parallel guesses see each
 * other: up to `failures` and THROTTLE_PARALLEL are under way at a time, and
 * one when there are so many failures already. What is refused costs two
 * SELECTs and changes nothing: it does not lengthen the delay. A place whose
 * holder died is free again after THROTTLE_STALE seconds.
 *
 * Errors are those of db.h; the clock is the caller's.
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
	THROTTLE_PARALLEL = 32,	     /* right ones may come together, too */
	THROTTLE_STALE = 60, /* seconds; a hash and its queue take less */
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
	unsigned char bucket[THROTTLE_BUCKET]; /* of account, or of it here */
	char network[1 + CLIENT_TEXT_MAX + 1]; /* bucket of the address */
	int64_t last_seen; /* here, rightly; 0: not a known address */
};

/* Before the password is looked at. `email` is UTF-8 of at most 255 bytes.
 *
 *   ERR_OK       go on, and call throttle_leave() once
 *   ERR_LIMITED  refuse; *retry_after is in how many seconds to try again
 */
enum err throttle_enter(struct db *db, const struct throttle_rules *r,
			struct span email, const struct client *client,
			int64_t now, struct throttle_ticket *out,
			int64_t *retry_after, struct errmsg *why) MUST_CHECK;

/* After it: `outcome` ERR_OK clears the account's count and makes the address
 * known; ERR_CREDENTIALS and ERR_OTP count as failures; anything else (a code
 * is due, the database went away) as neither. */
enum err throttle_leave(struct db *db, const struct throttle_rules *r,
			const struct throttle_ticket *t, enum err outcome,
			int64_t now, struct errmsg *why) MUST_CHECK;

#endif
