/* token_memory.h - the tokens that this process has verified already.
 *
 * A token that was found genuine is genuine as long as the keys are the same:
 * its claims are kept, and neither the MAC is computed nor JSON parsed again.
 * Only whole tokens are kept that passed every check; what depends on the clock
 * is compared by the caller at each use.
 *
 * An entry is found by the keyed BLAKE2b of the token's bytes, with a random key
 * of this process, and compared in constant time: how long a look-up takes says
 * nothing about tokens that are kept. The tokens themselves are not kept.
 *
 * The memory is bounded: TOKEN_MEMORY_MAX entries of about 1 KiB, of which the
 * oldest in a set makes room. All calls are safe from many threads.
 */
#ifndef TOKEN_MEMORY_H
#define TOKEN_MEMORY_H

#include "common/base/span.h"
#include "common/token/claims.h"

enum {
	TOKEN_MEMORY_MAX = 2048, /* tokens */
	TOKEN_MEMORY_NAME = 32,	 /* bytes of BLAKE2b */
};

struct token_memory;

/* What stands for a token. */
struct token_name {
	unsigned char bytes[TOKEN_MEMORY_NAME];
};

/* NULL if there is no memory: then nothing is kept. */
struct token_memory *token_memory_new(void);
void token_memory_free(struct token_memory *m); /* NULL is fine */

void token_memory_name(const struct token_memory *m, struct span token,
		       struct token_name *out);

/* Find the claims of a token that was kept with the same `ring`, the number of
 * the keys in force (keyring_file.h), and whose `until` is after `now`. *out is
 * untouched if there is none. */
bool token_memory_find(struct token_memory *m, const struct token_name *name,
		       uint64_t ring, int64_t now, struct claims *out);

/* Keep the claims of a token that was verified with the keys `ring`, for use
 * before `until` (seconds since 1970). */
void token_memory_keep(struct token_memory *m, const struct token_name *name,
		       uint64_t ring, int64_t until, const struct claims *c);

#endif
