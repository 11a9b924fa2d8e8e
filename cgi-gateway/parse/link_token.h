/* link_token.h - the secret in the address of a share link or an upload link.
 *
 * It is 192 random bits. Only their SHA-256 is stored. Guesses are not
 * throttled: with a million links and a million guesses a second, the first
 * right guess is expected after 10^38 years.
 */
#ifndef LINK_TOKEN_H
#define LINK_TOKEN_H

#include "common/base/err.h"
#include "common/base/span.h"
#include "common/codec/digest.h"

enum {
	LINK_TOKEN_LEN = 32, /* characters of base64url: 192 bits */
};

/* Make a token, and the hash to store. The text is shown once. */
void link_token_make(char text[static LINK_TOKEN_LEN + 1],
		     unsigned char hash[static SHA256_LEN]);

/* True if `text` could be a token. */
bool link_token_has_form(struct span text);

/* Hash a token. ERR_NOT_FOUND if `text` cannot be one. */
enum err link_token_hash(struct span text,
			 unsigned char hash[static SHA256_LEN]) MUST_CHECK;

#endif
