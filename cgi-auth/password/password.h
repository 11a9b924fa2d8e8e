/* password.h - passwords as they are stored, and checking one.
 *
 * We write Argon2id (RFC 9106) as libsodium's crypto_pwhash_str() does, with
 * one lane. We also verify what other programs wrote, by crypt(5): bcrypt of
 * PHP and htpasswd, SHA-crypt, yescrypt; such a row should be rehashed after
 * the next right password, see password_needs_rehash().
 *
 * A check costs the memory and time of the row's own parameters. Where there
 * is no row, or none that can be verified, an Argon2id check of equal cost is
 * made in its place, so the time of an answer does not tell which users exist.
 * (Rows with other parameters than today's still can be told, until their
 * next login rehashes them.)
 *
 * Only as many threads hash at a time as there are slots; the others wait in
 * order of arrival. Hashing has a low priority, so a max_waiting of guessers leaves
 * the processors to everybody else who wants them (low_priority.h).
 */
#ifndef PASSWORD_H
#define PASSWORD_H

#include "cgi-auth/password/fifo_semaphore.h"
#include "common/base/err.h"
#include "common/base/span.h"

enum {
	PASSWORD_HASH_MAX = 255,	/* characters; the column's width */
	PASSWORD_WAIT_MS = 10 * 1000,	/* for a place, then ERR_UNAVAILABLE */
	PASSWORD_MEMORY_MIN = 19 << 20, /* bytes; OWASP's least for Argon2id */
	PASSWORD_PASSES_MIN = 2,
};

struct passwords {
	uint64_t memory; /* bytes of a new hash */
	uint64_t passes;
	char decoy[PASSWORD_HASH_MAX +
		   1]; /* a hash that nobody's password has */
	struct fifo_semaphore slots;
};

/* What a stored text is. */
enum password_kind {
	PASSWORD_ARGON2ID, /* ours */
	PASSWORD_CRYPT,	   /* verified by crypt(3), or libsodium's Argon2i */
	PASSWORD_UNKNOWN,  /* empty, locked, or like a hash that we do not read:
			      "$1$…", "{SSHA}…", 32 or more hex digits */
	PASSWORD_PLAIN,	   /* anything else: the password itself */
};

/* `slots` 0: half as many as there are processors. Up to `max_waiting` may wait for
 * one; who comes then is told so at once. libsodium must be ready. ERR_MEMORY.
 */
enum err passwords_init(struct passwords *p, int64_t memory, int64_t passes,
			size_t slots, size_t max_waiting) MUST_CHECK;
void passwords_release(struct passwords *p);

/* Change how many may wait; before the first request. */
void passwords_may_wait(struct passwords *p, size_t max_waiting);

enum password_kind password_kind(const char *stored);
const char *password_kind_name(enum password_kind k); /* "argon2id", … */

/* Hash `password` into `out`. ERR_UNAVAILABLE: no place in time, or no
 * memory. */
enum err password_hash(struct passwords *p, const char *password,
		       char out[static PASSWORD_HASH_MAX + 1]) MUST_CHECK;

/* Whether `password` is the one behind `stored`; NULL stands for nobody's.
 *
 *   ERR_OK           it is
 *   ERR_CREDENTIALS  it is not
 *   ERR_INVALID      `stored` is plain text or no hash that we read: never
 *                    right, even if the texts are equal
 *   ERR_UNAVAILABLE  not known: no place in time, or no memory
 */
enum err password_check(struct passwords *p, const char *stored,
			const char *password) MUST_CHECK;

/* Whether `stored` is not what password_hash() would write today. */
bool password_needs_rehash(const struct passwords *p, const char *stored);

#endif
