/* password.h - hash a password, and check one against a stored hash.
 *
 * New hashes are Argon2id (RFC 9106), as libsodium's crypto_pwhash_str() writes
 * them, with one lane. Hashes of other programs are verified too, by crypt(5):
 * bcrypt of PHP and htpasswd, SHA-crypt, yescrypt. Such a row should be
 * rehashed after the next right password, see password_needs_rehash().
 *
 * A check costs the memory and time of the row's own parameters. If there is no
 * row, or none that can be verified, an Argon2id check of equal cost takes its
 * place, so the time of an answer does not show which users exist. (Rows with
 * other parameters than the current ones can still be distinguished, until
 * their next login rehashes them.)
 *
 * A password is one password however its characters are composed: new hashes
 * are of its OpaqueString (RFC 8265 4.2, normalize.h). A hash that was stored
 * before that, of whatever was sent, is compared with the password as it was
 * sent, as OpaqueString, and in NFD.
 *
 * Only as many threads hash at a time as there are slots; the others wait in
 * order of arrival, in two queues, so that clients which are known do not wait for
 * guessers (fifo_semaphore.h). Hashing has a low priority, so that a flood of guesses
 * leaves the processors to other work (low_priority.h).
 */
#ifndef PASSWORD_H
#define PASSWORD_H

#include "cgi-auth/password/fifo_semaphore.h"
#include "common/base/err.h"
#include "common/base/span.h"

enum {
	PASSWORD_HASH_MAX = 255,      /* characters; the column's width */
	PASSWORD_WAIT_MS = 10 * 1000, /* for a slot, then ERR_UNAVAILABLE */
	PASSWORD_MEMORY_MIN = 19
			      << 20, /* bytes; OWASP's minimum for Argon2id */
	PASSWORD_PASSES_MIN = 2,
};

struct passwords {
	uint64_t memory; /* bytes of a new hash */
	uint64_t passes;
	char decoy[PASSWORD_HASH_MAX + 1]; /* a hash of no known password */
	struct fifo_semaphore slots;
};

/* What a stored text is. */
enum password_kind {
	PASSWORD_ARGON2ID, /* ours */
	PASSWORD_CRYPT,	   /* verified by crypt(3), or libsodium's Argon2i */
	PASSWORD_UNKNOWN,  /* empty, locked, or like a hash that is not
			      supported: "$1$…", "{SSHA}…", 32 or more hex
			      digits */
	PASSWORD_PLAIN,	   /* anything else: the password itself */
};

/* `slots` 0: half as many as there are processors. Up to `max_waiting` threads
 * wait for one, a quarter of them in the queue FIFO_KNOWN; for more, calls
 * return ERR_UNAVAILABLE at once. libsodium must be initialized. ERR_MEMORY. */
enum err passwords_init(struct passwords *p, int64_t memory, int64_t passes,
			size_t slots, size_t max_waiting) MUST_CHECK;
void passwords_release(struct passwords *p);

enum password_kind password_kind(const char *stored);
const char *password_kind_name(enum password_kind k); /* "argon2id", … */

/* Hash the OpaqueString of `password` into `out`. ERR_UNAVAILABLE: no slot in time, or no memory.
 */
enum err password_hash(struct passwords *p, const char *password,
		       char out[static PASSWORD_HASH_MAX + 1]) MUST_CHECK;

/* Check `password` against `stored`; NULL stands for a user that does not
 * exist. If no slot is free, wait in the queue `q`. After ERR_OK, *renew is true
 * if password_hash() would now write another form, other parameters, or the
 * hash of another spelling; `renew` may be NULL.
 *
 *   ERR_OK           right
 *   ERR_CREDENTIALS  wrong
 *   ERR_INVALID      `stored` is plain text or an unsupported hash: never right,
 *                    even if the texts are equal
 *   ERR_UNAVAILABLE  not checked: no slot in time, or no memory */
enum err password_check(struct passwords *p, enum fifo_queue_name q,
			const char *stored, const char *password,
			bool *renew) MUST_CHECK;

/* True if password_hash() would now write another form or other parameters. */
bool password_needs_rehash(const struct passwords *p, const char *stored);

#endif
