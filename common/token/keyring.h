/* keyring.h - the secrets that sign tokens, by name (RFC 7515 4.1.4 "kid").
 *
 * One key signs; each verifies until it retires. A keyring file has one key per
 * line,
 *
 *	kid created_at retires_at secret
 *
 * where retires_at is "-" for a key that does not retire, and the secret is
 * base64url. The last key with "-" signs. Blank lines and lines that start with
 * # are skipped. Times are seconds since 1970 UTC.
 */
#ifndef KEYRING_H
#define KEYRING_H

#include "common/base/err.h"
#include "common/base/span.h"
#include "common/codec/digest.h"
#include "common/token/claims.h"
#include "common/token/secret_check.h"

enum {
	KEYRING_MAX = 16, /* keys; auth-admin removes retired ones */
	KEY_NO_END = 0,	  /* retires_at of a key that does not retire */
};

struct key {
	char kid[KID_MAX + 1];
	struct hmac_key *hmac; /* owned */
	int64_t created_at, retires_at;
};

struct keyring {
	struct key keys[KEYRING_MAX];
	size_t count;
	size_t signer; /* index of the key that signs */
};

/* Make a ring of one key from the bytes of JWT_SECRET. Its kid is the first 16
 * hex digits of the secret's SHA-256. ERR_CONFIG, with the reason, if the
 * secret is too short or easy to guess. */
enum err keyring_from_secret(struct span secret, struct keyring *out,
			     struct errmsg *why) MUST_CHECK;

/* Parse the keys in a keyring file's text. ERR_CONFIG: `why` names the line. */
enum err keyring_from_text(struct span text, struct keyring *out,
			   struct errmsg *why) MUST_CHECK;

void keyring_release(struct keyring *k);

const struct key *keyring_signer(const struct keyring *k);

/* Whether `key` may still verify at `now`. */
bool key_is_live(const struct key *key, int64_t now);

/* The next time after `now` at which a key of the ring retires; INT64_MAX if
 * none does. */
int64_t keyring_next_end(const struct keyring *k, int64_t now);

#endif
