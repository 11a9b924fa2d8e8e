#include "common/token/secret_check.h"

#include "common/codec/encode.h"

#include <sodium.h>
#include <string.h>

#define MAKE "make one with: openssl rand -base64 48"

enum {
	DISTINCT_MIN = 8, /* minimum of different bytes in a secret */
	UUID_LEN = 36,
	TEXT_MIN = 20, /* bytes that base64 or hex decodes to */
};

/* Long enough, but printed in many tutorials */
static const char *const well_known[] = {
	"a-string-secret-at-least-256-bits-long",
	"your-256-bit-secret",
	"your-384-bit-secret",
	"your-512-bit-secret",
	"your-secret-key",
	"your_secret_key",
	"your-jwt-secret",
	"mysecretkey",
	"my-secret-key",
	"my_secret_key",
	"supersecret",
	"super-secret",
	"super_secret",
	"change-me",
	"changeme",
	"change_me",
	"replace-me",
	"password",
	"404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970",
	"0123456789abcdef",
	"abcdefghijklmnopqrstuvwxyz",
};

/* Parts of the one text that a popular generator of keys cuts its keys from */
static const char *const fragments[] = {
	"RgUkXp2s5v8y", "ShVmYq3t6w9z", "ThWmZq4t7w",	"RfUjXn2r5u8x",
	"RfTjWnZr4u7x", "RfUjWnZr4u7x", "JaNdRgUkXp2s", "MbQeThWmZq4t",
};

/* Detect "change-me-change-me-...": without repetition the text is too short */
static bool repeats_itself(struct span secret)
{
	for (size_t n = 1; n < SECRET_MIN && 2 * n <= secret.len; n++) {
		size_t i = n;

		while (i < secret.len && secret.p[i] == secret.p[i - n])
			i++;
		if (i == secret.len)
			return true;
	}
	return false;
}

/* Whether the part of a secret after a well-known phrase is too short */
static bool mostly(struct span secret, struct span word)
{
	return span_has_prefix_nocase(secret, word) &&
	       secret.len - word.len < SECRET_MIN / 2;
}

static size_t distinct_bytes(struct span s)
{
	bool seen[256] = { false };
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		n += !seen[(unsigned char)s.p[i]];
		seen[(unsigned char)s.p[i]] = true;
	}
	return n;
}

/* RFC 9562 4, of any version */
static bool is_uuid(struct span s)
{
	size_t i = 0;

	if (s.len >= 2 && s.p[0] == '{')
		s = (struct span) { s.p + 1, s.len - 2 };
	if (s.len != UUID_LEN)
		return false;
	while (i < UUID_LEN &&
	       (i == 8 || i == 13 || i == 18 || i == 23
			? s.p[i] == '-'
			: strchr("0123456789abcdefABCDEF", s.p[i]) != NULL &&
				  s.p[i] != '\0'))
		i++;
	return i == UUID_LEN;
}

static bool is_text(struct span s)
{
	return utf8_valid(s) && !span_has_control(s);
}

static bool has_fragment(struct span s)
{
	for (size_t i = 0; i < sizeof(fragments) / sizeof(*fragments); i++) {
		struct span f = span_of(fragments[i]);

		for (size_t at = 0; at + f.len <= s.len; at++)
			if (memcmp(s.p + at, f.p, f.len) == 0)
				return true;
	}
	return false;
}

static bool is_well_known(struct span secret)
{
	for (size_t i = 0; i < sizeof(well_known) / sizeof(*well_known); i++)
		if (mostly(secret, span_of(well_known[i])))
			return true;
	return has_fragment(secret);
}

/* Whether it is hex or base64 of a text. Random bytes of that number are text
 * once in 10^8. */
static bool is_encoded_text(struct span s)
{
	char raw[SECRET_MAX];
	size_t n = 0;
	bool is;

	while (s.len > 0 && s.p[s.len - 1] == '=')
		s.len--;
	is = hex_decode(s, raw, sizeof(raw), &n) == ERR_OK;
	if (!is) {
		char url[SECRET_MAX];

		for (size_t i = 0; i < s.len; i++)
			url[i] = (char)(s.p[i] == '+'	? '-'
					: s.p[i] == '/' ? '_'
							: s.p[i]);
		/* One character too many is no byte: leave it out */
		is = base64url_decode((struct span) { url, s.len / 4 * 4 }, raw,
				      sizeof(raw), &n) == ERR_OK;
		sodium_memzero(url, sizeof(url));
	}
	is = is && n >= TEXT_MIN && is_text((struct span) { raw, n });
	sodium_memzero(raw, sizeof(raw));
	return is;
}

/* What is wrong with a text that is long enough, or NULL */
static const char *fault_of_text(struct span s)
{
	if (is_uuid(s))
		return "is a UUID, which is no secret (RFC 9562 8)";
	if (is_encoded_text(s))
		return "is text in base64 or hex";
	if (!span_is_ascii(s) || secret_improbability(s) > SECRET_IMPROBABLE)
		return "looks like text that was typed, not like random "
		       "characters, and lists of such secrets are public";
	return NULL;
}

static const char *fault_of(struct span s)
{
	if (is_well_known(s))
		return "is a well-known one";
	if (repeats_itself(s))
		return "is a repeated text";
	if (distinct_bytes(s) < DISTINCT_MIN)
		return "has fewer than 8 different bytes";
	return is_text(s) ? fault_of_text(s) : NULL;
}

enum err secret_check(struct span secret, struct errmsg *why)
{
	const char *fault;

	if (secret.len < SECRET_MIN)
		return err_set(why, ERR_CONFIG,
			       "the secret is %zu bytes long and must be at "
			       "least %d; " MAKE,
			       secret.len, SECRET_MIN);
	if (secret.len > SECRET_MAX)
		return err_set(why, ERR_CONFIG,
			       "the secret is longer than %d bytes",
			       SECRET_MAX);
	fault = fault_of(secret);
	if (fault == NULL)
		return ERR_OK;
	return err_set(why, ERR_CONFIG, "the secret %s; " MAKE, fault);
}
