/* basic_credentials.h - the credentials of an HTTP Basic login (RFC 7617).
 *
 * Pure: the value of an Authorization header in, two texts in UTF-8 out, as our
 * challenge demands (charset="UTF-8"). Bytes that are not UTF-8 are read as
 * ISO-8859-1, which Python's requests and old browsers send; they are few texts
 * that would be both. Nothing is normalized here (normalize.h). The first colon
 * separates the two, so a password may contain colons and a user name may not.
 */
#ifndef BASIC_CREDENTIALS_H
#define BASIC_CREDENTIALS_H

#include "common/base/err.h"
#include "common/base/span.h"

enum {
	BASIC_USER_MAX = 255,	   /* bytes; the width of the email column */
	BASIC_PASSWORD_MAX = 1024, /* bytes */
};

/* Terminated texts without control characters; either may be empty. Call
 * basic_credentials_wipe() as soon as they are not needed any more. */
struct basic_credentials {
	char user[BASIC_USER_MAX + 1];
	char password[BASIC_PASSWORD_MAX + 1];
};

/* Parse the value of an Authorization header; empty means absent.
 *
 *   ERR_OK              *out is filled; else it is untouched
 *   ERR_NO_CREDENTIALS  nothing, or another scheme
 *   ERR_FORMAT          "Basic", but not canonical base64 with its padding, no
 *                       colon, or a control character (RFC 7617 2; those of
 *                       ISO-8859-1 too)
 *   ERR_TOO_LARGE       over one of the limits above, as UTF-8
 *
 * Answer malformed credentials like wrong ones, with 401 and a new challenge:
 * RFC 9110 15.5.2 has 401 for credentials that are invalid in any way, and it
 * makes a browser ask again, which would keep the credentials after 400. */
enum err basic_credentials_parse(struct span authorization,
				 struct basic_credentials *out) MUST_CHECK;

void basic_credentials_wipe(struct basic_credentials *c);

#endif
