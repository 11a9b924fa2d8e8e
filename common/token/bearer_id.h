/* bearer_id.h - which session a bearer token belongs to: that of a login
 * (access token) or that of an API token. Either is a row of the table
 * `session`.
 *
 * An API token is "gh_" session "_" secret: 22 and 43 characters of base64url
 * for 128 and 256 random bits. The table stores the SHA-256 of the secret's
 * characters; that many random bits need no slower hash.
 */
#ifndef BEARER_ID_H
#define BEARER_ID_H

#include "common/base/err.h"
#include "common/base/span.h"
#include "common/codec/digest.h"
#include "common/codec/ident.h"

enum {
	API_SECRET_LEN = 43, /* characters of a secret */
	API_TOKEN_LEN = 3 + IDENT_LEN + 1 + API_SECRET_LEN,
};

struct bearer_id {
	char session[64]; /* its id; "" before there is one */
	bool api;	  /* an API token; else `secret` is unused */
	unsigned char secret[SHA256_LEN]; /* of the secret's characters */
};

/* Whether the text begins like an API token, which no JWT does. */
bool bearer_id_is_api(struct span token);

/* Split an API token into its parts. ERR_FORMAT. */
enum err bearer_id_parse_api(struct span token,
			     struct bearer_id *out) MUST_CHECK;

/* Make a new API token for the session out->session; fills `api` and `secret`.
 * The text is returned once and stored nowhere. */
void bearer_id_make_api(struct bearer_id *out,
			char text[static API_TOKEN_LEN + 1]);

#endif
