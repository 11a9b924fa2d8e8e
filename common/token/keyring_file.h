/* keyring_file.h - a keyring that follows its file.
 *
 * `auth-admin key rotate` changes the file; the running programs notice. The
 * file is looked at once a second at most, when a key is wanted, and at once
 * when a token's MAC matches no key, for another process may sign with a new
 * key already. A file that cannot be read or makes no sense is left alone: the
 * keys in memory go on, and keyring_file_fault() tells why.
 *
 * All calls are for many threads at a time. A ring that was taken stays as it
 * is until it is given back, however often the file changes meanwhile.
 */
#ifndef KEYRING_FILE_H
#define KEYRING_FILE_H

#include "common/base/err.h"
#include "common/token/keyring.h"

struct keyring_file;

/* Follow the file at `path`. ERR_CONFIG, ERR_MEMORY. */
enum err keyring_file_open(const char *path, struct keyring_file **out,
			   struct errmsg *why) MUST_CHECK;

/* One key from the bytes of a secret, for ever. ERR_CONFIG,
 * ERR_MEMORY. */
enum err keyring_file_fixed(struct span secret, struct keyring_file **out,
			    struct errmsg *why) MUST_CHECK;

/* The keys in force at `now` (seconds since 1970). Never NULL; give it back. */
const struct keyring *keyring_file_take(struct keyring_file *f, int64_t now);
void keyring_file_give(struct keyring_file *f, const struct keyring *ring);

/* Look at the file now. True if the keys in force are others than those of
 * `held`, which must not have been given back yet: also when another thread was
 * the first to see the change. */
bool keyring_file_look(struct keyring_file *f, const struct keyring *held);

/* True once for each new reason why the file could not be used. */
bool keyring_file_fault(struct keyring_file *f, struct errmsg *why);

void keyring_file_close(struct keyring_file *f); /* NULL is fine */

#endif
