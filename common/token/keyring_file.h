/* keyring_file.h - a keyring that is reloaded when its file changes.
 *
 * `auth-admin key rotate` changes the file, and the running programs read it
 * again: they check it at most once a second, when a key is needed, and at once
 * if the MAC of a token matches no key, because another process may already
 * sign with a new key. If the file cannot be read or is malformed, the keys in
 * memory stay in use, and keyring_file_fault() returns the reason.
 *
 * All calls are safe from many threads. A ring that was taken does not change
 * until it is returned, even if the file changes.
 */
#ifndef KEYRING_FILE_H
#define KEYRING_FILE_H

#include "common/base/err.h"
#include "common/token/keyring.h"
#include "common/token/token_memory.h"

struct keyring_file;

/* Read the file at `path`, and again when it changes. ERR_CONFIG, ERR_MEMORY.
 */
enum err keyring_file_open(const char *path, struct keyring_file **out,
			   struct errmsg *why) MUST_CHECK;

/* Make a keyring of one key from the bytes of a secret; it never changes.
 * ERR_CONFIG, ERR_MEMORY. */
enum err keyring_file_fixed(struct span secret, struct keyring_file **out,
			    struct errmsg *why) MUST_CHECK;

/* Return the keys in use at `now` (seconds since 1970), never NULL. Give them
 * back. */
const struct keyring *keyring_file_take(struct keyring_file *f, int64_t now);
void keyring_file_give(struct keyring_file *f, const struct keyring *ring);

/* Check the file now. Returns whether the keys in force differ from those of
 * `ring`, which must not have been given back yet; also if another thread
 * saw the change first. */
bool keyring_file_look(struct keyring_file *f, const struct keyring *ring);

/* The number of a ring that was taken: every ring that is read from the file
 * gets another one. Never 0. */
uint64_t keyring_file_number(const struct keyring *ring);

/* Remember the tokens that are verified with these keys (token_memory.h), in a
 * process that serves many requests. Call before the threads start. */
void keyring_file_remember(struct keyring_file *f);
/* NULL if the process remembers none */
struct token_memory *keyring_file_memory(const struct keyring_file *f);

/* Return true once for each new reason why the file could not be used. */
bool keyring_file_fault(struct keyring_file *f, struct errmsg *why);

void keyring_file_close(struct keyring_file *f); /* NULL is fine */

#endif
