/* credential.h - what a bearer shows: an access token of a login, or an API
 * token. Either belongs to one row of the table `session`.
 *
 * An API token is "gh_" session "_" secret: 22 and 43 characters of base64url
 * that say 128 and 256 random bits. The table has the SHA-256 of the secret's
 * characters; so many random bits need no slower hash.
 */
#ifndef CREDENTIAL_H
#define CREDENTIAL_H

#include "digest.h"
#include "err.h"
#include "ident.h"
#include "span.h"

enum {
	API_SECRET_LEN = 43, /* characters of a secret */
	API_TOKEN_LEN = 3 + IDENT_LEN + 1 + API_SECRET_LEN,
};

struct credential {
	char session[64]; /* its id; "" before there is one */
	bool api;	  /* an API token: `secret` counts, else it does not */
	unsigned char secret[SHA256_LEN]; /* of the secret's characters */
};

/* Whether the text begins like an API token, which no JWT does. */
bool credential_is_api(struct span token);

/* Take an API token apart. ERR_FORMAT. */
enum err credential_parse_api(struct span token,
			      struct credential *out) MUST_CHECK;

/* Make a new API token for the session named in out->session; fills `api` and
 * `secret`. The text is shown once and kept nowhere. */
void credential_make_api(struct credential *out,
			 char text[static API_TOKEN_LEN + 1]);

#endif
