/* key_file.h - add a key to the keyring file (keyring.h describes its form).
 *
 * The file is never changed in place: a new file of the same mode and owner is
 * written next to it, synced, and renamed over it, so a program that starts at
 * that time reads either the old keys or the new ones. A lock on the folder
 * makes one change wait for another. Buffers that held secrets are wiped.
 */
#ifndef KEY_FILE_H
#define KEY_FILE_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/token/keyring.h"

enum {
	KEY_BYTES = 32, /* random bytes of a new secret, as long as the hash */
	KEY_LINE_MAX = 256,
	/* seconds that an old key still verifies after its last token has
	 * expired: clocks differ, restarts take time */
	KEY_GRACE = 60,
};

enum key_how {
	KEY_FIRST, /* no key signs yet, or there is no file */
	KEY_NEXT,  /* a key signs, and only verifies from then on */
};

struct key_change {
	char kid[KID_MAX + 1]; /* the new key's name */
	/* older keys that still verify; the previous signing key retires at
	 * `retires_at` */
	int kept;
	int dropped; /* keys that had retired before now */
	int64_t retires_at;
};

/* Add a new random key to the file at `path` as the signing key.
 *
 *   ERR_CONFLICT   KEY_FIRST: a key signs already; KEY_NEXT: KEYRING_MAX keys
 *                  still verify
 *   ERR_NOT_FOUND  KEY_NEXT: there is no file, or no key in it signs
 *   ERR_CONFIG     the file is not a keyring; it is not changed
 *   ERR_IO         the file cannot be read or written, or its owner not kept
 *   ERR_MEMORY
 *
 * `cause` has the reason, and what to do. A new file gets mode 0600. */
enum err key_file_add(const char *path, enum key_how how, int64_t now,
		      int64_t token_life, struct key_change *out,
		      struct errmsg *cause) MUST_CHECK;

/* The pure part: append the text of a keyring as of `now`, followed by `line`.
 * Retired keys are omitted, "-" becomes `retires_at`, comments are kept. Fills
 * out->kept and out->dropped. Check buf_error(to). */
void key_text_add(struct span text, struct span line, int64_t now,
		  int64_t retires_at, struct buf *to, struct key_change *out);

#endif
