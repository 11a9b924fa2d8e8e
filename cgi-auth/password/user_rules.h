/* user_rules.h - what an email, a password and a scope must be to be taken.
 *
 * Pure. Each returns NULL for what is fine, else what is wrong with it: a
 * static phrase that follows the thing's name ("the email " ...).
 */
#ifndef USER_RULES_H
#define USER_RULES_H

#include "common/base/span.h"

enum {
	PASSWORD_CHARS_MIN = 8, /* NIST SP 800-63B 5.1.1.2 */
};

/* One "@" with something on both sides, UTF-8, no blank, control character or
 * colon (RFC 7617 2: a Basic user name has none), at most 255 bytes. Whether
 * mail arrives there is not known here. */
const char *user_email_fault(struct span email);

/* PASSWORD_CHARS_MIN characters to BASIC_PASSWORD_MAX bytes of UTF-8 without
 * control characters, so that every one taken can be sent. */
const char *user_password_fault(struct span password);

/* Scope words (RFC 6749 3.3) with one blank between them, at most 255 bytes. */
const char *user_scope_fault(struct span scope);

#endif
