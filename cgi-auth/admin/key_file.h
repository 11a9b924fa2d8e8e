/* key_file.h - changing the keyring file (keyring.h has its form).
 *
 * The file is never changed in place: a new one of the same mode and owner is
 * written beside it, synced, and renamed over it, so a program that starts
 * meanwhile reads the old keys or the new ones. Two changes at once wait for
 * each other by a lock on the folder. Buffers that held secrets are wiped.
 */
#ifndef KEY_FILE_H
#define KEY_FILE_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/token/keyring.h"

enum {
	KEY_BYTES = 32, /* random bytes of a new secret, the hash's length */
	KEY_LINE_MAX = 256,
	KEY_GRACE = 60, /* seconds that an old key verifies beyond the life of
			   its last token: clocks differ, restarts take time */
};

enum key_how {
	KEY_FIRST, /* there must be no key that signs, or no file yet */
	KEY_NEXT,  /* there must be one, which then only verifies */
};

struct key_change {
	char kid[KID_MAX + 1]; /* the new key's name */
	int kept;    /* older keys that verify on; those that signed until now
			retire at `retires_at` */
	int dropped; /* keys that had retired before now */
	int64_t retires_at;
};

/* Add a new random key to the file at `path` as the one that signs.
 *
 *   ERR_CONFLICT   KEY_FIRST: a key signs already; KEY_NEXT: KEYRING_MAX keys
 *                  still verify
 *   ERR_NOT_FOUND  KEY_NEXT: no file, or no key in it that signs
 *   ERR_CONFIG     the file is not a keyring; it is left alone
 *   ERR_IO         it cannot be read or written, or not with its owner
 *
 * `cause` says why, with what to do. A new file gets mode 0600. */
enum err key_file_add(const char *path, enum key_how how, int64_t now,
		      int64_t token_life, struct key_change *out,
		      struct errmsg *cause) MUST_CHECK;

/* The pure part: the text of a keyring as it is at `now`, with `line` behind
 * it. Keys that have retired are left out, a "-" becomes `retires_at`,
 * comments stay. Fills out->kept and out->dropped; buf_error(to) tells. */
void key_text_add(struct span text, struct span line, int64_t now,
		  int64_t retires_at, struct buf *to, struct key_change *out);

#endif
