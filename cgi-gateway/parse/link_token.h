/* link_token.h - the secret in the address of a link, whichever way files go by
 * it.
 *
 * It is 192 random bits, of which only the SHA-256 is kept. No throttle stands
 * before it: with a million links and a million guesses a second, the first
 * right guess is due after 10^38 years.
 */
#ifndef LINK_TOKEN_H
#define LINK_TOKEN_H

#include "common/base/err.h"
#include "common/base/span.h"
#include "common/codec/digest.h"

enum {
	LINK_TOKEN_LEN = 32, /* characters of base64url: 192 bits */
};

/* A new one, and what is kept of it. The text is shown once. */
void link_token_make(char text[static LINK_TOKEN_LEN + 1],
		     unsigned char hash[static SHA256_LEN]);

bool link_token_has_form(struct span text);

/* ERR_NOT_FOUND for what has not the form of one. */
enum err link_token_hash(struct span text,
			 unsigned char hash[static SHA256_LEN]) MUST_CHECK;

#endif
