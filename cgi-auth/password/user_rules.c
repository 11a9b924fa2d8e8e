#include "cgi-auth/password/user_rules.h"

#include "cgi-auth/password/basic_credentials.h"
#include "common/codec/encode.h"
#include "common/codec/normalize.h"
#include "common/token/claims.h"

#include <sodium.h>
#include <string.h>

/* Of well-formed UTF-8: every byte but continuation bytes */
static size_t count_characters(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

const char *user_email_fault(struct span email)
{
	struct span name = email, host, more;

	if (email.len > BASIC_USER_MAX)
		return "is longer than 255 bytes";
	if (!utf8_valid(email) || span_has_control(email))
		return "is not UTF-8 text without control characters";
	if (span_find(email, ' ') < email.len)
		return "contains a blank";
	if (span_find(email, ':') < email.len)
		return "contains a colon, which HTTP Basic cannot send";
	if (!span_cut(&name, '@', &host) || name.len == 0 || host.len == 0)
		return "is not of the form name@host";
	if (span_cut(&host, '@', &more))
		return "has more than one @";
	return NULL;
}

bool user_texts_equal(struct span a, struct span b)
{
	char one[NORMALIZE_SIZE], other[NORMALIZE_SIZE];
	bool equal = normalize(a, NORMAL_FOLDED, one) == ERR_OK &&
		     normalize(b, NORMAL_FOLDED, other) == ERR_OK &&
		     strcmp(one, other) == 0;

	sodium_memzero(one, sizeof(one));
	sodium_memzero(other, sizeof(other));
	return equal;
}

const char *user_password_fault(struct span password)
{
	char opaque[NORMALIZE_SIZE];
	size_t characters;

	if (password.len > BASIC_PASSWORD_MAX)
		return "is longer than 1024 bytes";
	if (!utf8_valid(password) || span_has_control(password))
		return "is not UTF-8 text without control characters";
	if (normalize(password, NORMAL_OPAQUE, opaque) != ERR_OK)
		return "has characters that cannot be composed";
	characters = count_characters(span_of(opaque));
	sodium_memzero(opaque, sizeof(opaque));
	if (characters < PASSWORD_CHARS_MIN)
		return "is too short. Use 8 characters or more";
	return NULL;
}

/* scope-token = 1*( %x21 / %x23-5B / %x5D-7E ), RFC 6749 3.3 */
static bool is_scope_byte(char c)
{
	return c > 0x20 && c < 0x7f && c != '"' && c != '\\';
}

const char *user_scope_fault(struct span scope)
{
	char before = ' ';

	if (scope.len > CLAIMS_SCOPE_MAX)
		return "is longer than 255 bytes";
	for (size_t i = 0; i < scope.len; i++) {
		if (scope.p[i] == ' ' ? before == ' '
				      : !is_scope_byte(scope.p[i]))
			return "must be words with one blank between them";
		before = scope.p[i];
	}
	if (scope.len > 0 && before == ' ')
		return "ends with a blank";
	return NULL;
}
