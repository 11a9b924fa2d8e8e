/* user_rules.h - which emails, passwords and scopes are accepted.
 *
 * Pure. Each function returns NULL if the text is accepted, else what is wrong:
 * a static phrase that follows the thing's name ("the email " ...).
 */
#ifndef USER_RULES_H
#define USER_RULES_H

#include "common/base/span.h"

enum {
	PASSWORD_CHARS_MIN = 8, /* NIST SP 800-63B 5.1.1.2 */
};

/* One "@" with text on both sides, UTF-8, no blank, control character or colon
 * (RFC 7617 2: a Basic user name has none), at most 255 bytes. Whether the
 * address receives mail is not checked. */
const char *user_email_fault(struct span email);

/* Whether two texts are one however they are composed, and without regard to
 * case. */
bool user_texts_equal(struct span a, struct span b);

/* PASSWORD_CHARS_MIN characters (composed: normalize.h) to BASIC_PASSWORD_MAX bytes of UTF-8 without
 * control characters, so that HTTP Basic can send it. */
const char *user_password_fault(struct span password);

/* Scope words (RFC 6749 3.3) with one blank between them, at most 255 bytes. */
const char *user_scope_fault(struct span scope);

#endif
