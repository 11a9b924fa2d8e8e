/* secret_check.h - whether a secret can be guessed.
 *
 * A key of HMAC-SHA256 must be as hard to guess as the hash (RFC 7518 3.2), and
 * an attacker with one token can try keys offline, from lists of millions. A program
 * cannot see how a secret was made, but text that people write or type differs
 * from what a random generator prints, and lists of known secrets consist of
 * such text. So a secret is compared with a random choice of characters of the
 * smallest usual alphabet that has all of them (hex, base32, base64, ...):
 *
 *   - few characters that occur too often        mmmy-secret, aassddff
 *   - pairs of letters that are common in words  my-secret-key-for-tokens
 *   - letters, digits and signs in long groups   MySecret2024Key
 *   - neighbours in the alphabet or keyboard     0123456789, qwertyuiop
 *   - a part that comes again                    test123-test123-test123
 *
 * Each yields the improbability of what was found in a random text; their sum
 * decides. The bound is so high that a random secret of 32 characters or more
 * passes: less than one in a hundred million is refused. Also refused are
 * UUIDs (RFC 9562 8: not for secrets), text in base64 or hex, and some secrets
 * of tutorials and of a generator that always prints parts of one text.
 *
 * Bytes that are no text are a key as it comes from a generator: only
 * repetition is looked for.
 */
#ifndef SECRET_CHECK_H
#define SECRET_CHECK_H

#include "common/base/err.h"
#include "common/base/span.h"

enum {
	SECRET_MIN = 32,   /* bytes; RFC 7518 3.2: no shorter than the hash */
	SECRET_MAX = 1024, /* bytes */
};

/* Check a secret. ERR_CONFIG if it is too short, too long, or can be guessed;
 * `why` has the reason and the command that makes a good one, and no part of
 * the secret. */
enum err secret_check(struct span secret, struct errmsg *why) MUST_CHECK;

/* How improbable the text is as a random one: the negative logarithm, in nats.
 * Pure; for secret_check() and its tests. */
double secret_improbability(struct span text);

/* secret_check() refuses text that is less probable than e^-bound. */
#define SECRET_IMPROBABLE 22.0

#endif
