/* throttle_read.h - inside throttle: what decides about an attempt, read by one
 * statement without a lock.
 *
 * The columns are a macro, so that login_read.h reads the user's row in the same
 * statement: a login then costs one SELECT before its place is reserved, whether
 * the email has a user or not. Each row is found by its primary key.
 */
#ifndef THROTTLE_READ_H
#define THROTTLE_READ_H

#include "cgi-auth/tables/email_key.h"
#include "cgi-auth/tables/throttle.h"

enum {
	THROTTLE_NO_ROW = -1, /* a time of blocked_until: there is no row */
};

struct throttle_seen {
	unsigned char account[SHA256_LEN];
	int64_t last_seen; /* 0: not a known address */
	/* until when attempts are refused: of the account elsewhere, of the
	 * account at this address, and of the address */
	int64_t there_until, here_until, address_until;
};

/* The key of an address in `throttle`, and the email as the statements need it.
 */
struct throttle_who {
	char network[1 + CLIENT_TEXT_MAX + 1];
	char nfc[NORMALIZE_SIZE];
	bool ascii;
};

/* ERR_FORMAT, ERR_TOO_LARGE: no email */
enum err throttle_who_init(struct throttle_who *out, struct span email,
			   const struct client *client) MUST_CHECK;

/* The account is the hash of the collation weights if the email is ASCII, as it
 * was when the collation of user.email decided, so that older rows stay in force.
 * All spellings of an email that find one user have one account. */
/* clang-format off */
#define THROTTLE_FROM                                                     \
	"(SELECT UNHEX(SHA2(IF(?,"                                        \
	"          WEIGHT_STRING(CAST(? AS CHAR CHARACTER SET utf8mb4)"   \
	"            COLLATE utf8mb4_unicode_ci AS CHAR(255)),"           \
	"          CAST(RTRIM(" EMAIL_KEY ") AS BINARY)), 256))"          \
	"        AS account) t"                                           \
	" LEFT JOIN known_address k"                                      \
	"   ON k.account = t.account"                                     \
	"  AND k.address = ?"                                             \
	"  AND k.last_seen > ?"                                           \
	" LEFT JOIN throttle a"                                           \
	"   ON a.bucket = CONCAT('a', t.account)"                         \
	" LEFT JOIN throttle b"                                           \
	"   ON b.bucket = CONCAT('b', UNHEX(SHA2("                        \
	"        CONCAT(t.account, CAST(? AS BINARY)), 256)))"            \
	" LEFT JOIN throttle n"                                           \
	"   ON n.bucket = ?"
#define THROTTLE_VALUES(w, now)                                           \
	db_int((w)->ascii), db_text(span_of((w)->nfc)),                   \
		db_text(span_of((w)->nfc)),                               \
		db_text(span_of((w)->network + 1)),                       \
		db_int((now) - THROTTLE_KNOWN),                           \
		db_text(span_of((w)->network)),                           \
		db_bytes(span_of((w)->network))

#define THROTTLE_COLUMNS                                                  \
	"t.account, k.last_seen,"                                         \
	" a.blocked_until, b.blocked_until, n.blocked_until"
#define THROTTLE_FIELDS(s)                                                \
	db_to_bytes((s)->account, sizeof((s)->account)),                  \
		db_to_int(&(s)->last_seen),                               \
		db_to_int_or(&(s)->there_until, THROTTLE_NO_ROW),         \
		db_to_int_or(&(s)->here_until, THROTTLE_NO_ROW),          \
		db_to_int_or(&(s)->address_until, THROTTLE_NO_ROW)

/* Whether the attempt is refused; its parameter is the time, twice */
#define THROTTLE_REFUSES                                                  \
	"(COALESCE(n.blocked_until, 0) > ?"                               \
	" OR COALESCE(IF(k.last_seen IS NOT NULL,"                        \
	"                b.blocked_until, a.blocked_until), 0) > ?)"
/* clang-format on */

/* Read *out by a statement of its own. */
enum err throttle_read(struct db *db, const struct throttle_who *w, int64_t now,
		       struct throttle_seen *out,
		       struct errmsg *why) MUST_CHECK;

/* As throttle_enter(), after the first *seen was read: it is read again if
 * another attempt was first. */
enum err throttle_enter_seen(struct db *db, const struct throttle_rules *r,
			     const struct throttle_who *w,
			     struct throttle_seen *seen, int64_t now,
			     struct throttle_ticket *out, int64_t *retry_after,
			     struct errmsg *why) MUST_CHECK;

#endif
