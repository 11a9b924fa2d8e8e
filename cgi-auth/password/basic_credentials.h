/* basic_credentials.h - the credentials of an HTTP Basic login (RFC 7617).
 *
 * Pure: the value of an Authorization header in, two texts out. User name and
 * password are well-formed UTF-8, which is what our challenge asks for
 * (charset="UTF-8"); they are taken byte for byte, without normalising. The
 * first colon parts them, so a password may hold colons and a user name not.
 */
#ifndef BASIC_CREDENTIALS_H
#define BASIC_CREDENTIALS_H

#include "common/base/err.h"
#include "common/base/span.h"

enum {
	BASIC_USER_MAX = 255,	   /* bytes; the width of the email column */
	BASIC_PASSWORD_MAX = 1024, /* bytes */
};

/* Terminated texts without control characters; either may be empty. Hold it
 * no longer than needed, and end it with basic_credentials_wipe(). */
struct basic_credentials {
	char user[BASIC_USER_MAX + 1];
	char password[BASIC_PASSWORD_MAX + 1];
};

/* Read the value of an Authorization header; an empty one is an absent one.
 *
 *   ERR_OK              *out is filled; else it is untouched
 *   ERR_NO_CREDENTIALS  nothing, or another scheme
 *   ERR_FORMAT          "Basic", but not canonical base64 with its padding, no
 *                       colon, not UTF-8, or a control character (RFC 7617 2)
 *   ERR_TOO_LARGE       over one of the limits above
 *
 * What is malformed should be answered like what is wrong, by 401 and a new
 * challenge: RFC 9110 15.5.2 has 401 for credentials that are not valid, of any
 * kind, and it makes a browser ask again where 400 would leave it with the
 * credentials that it keeps. No password is checked then: there is none. */
enum err basic_credentials_parse(struct span authorization,
				 struct basic_credentials *out) MUST_CHECK;

void basic_credentials_wipe(struct basic_credentials *c);

#endif
