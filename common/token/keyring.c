#include "common/token/keyring.h"

#include "common/codec/encode.h"

#include <sodium.h>
#include <string.h>

enum {
	DISTINCT_MIN = 8, /* minimum of different bytes in a secret */
	KID_OF_SECRET = 16,
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

enum err secret_check(struct span secret, struct errmsg *why)
{
	if (secret.len < SECRET_MIN)
		return err_set(
			why, ERR_CONFIG,
			"the secret is %zu bytes long and must be at "
			"least %d; make one with: openssl rand -base64 48",
			secret.len, SECRET_MIN);
	if (secret.len > SECRET_MAX)
		return err_set(why, ERR_CONFIG,
			       "the secret is longer than %d bytes",
			       SECRET_MAX);
	for (size_t i = 0; i < sizeof(well_known) / sizeof(*well_known); i++) {
		struct span word = span_of(well_known[i]);

		if (mostly(secret, word))
			return err_set(why, ERR_CONFIG,
				       "the secret is a well-known one; make "
				       "one with: openssl rand -base64 48");
	}
	if (repeats_itself(secret))
		return err_set(why, ERR_CONFIG,
			       "the secret is a repeated text; make one with: "
			       "openssl rand -base64 48");
	if (distinct_bytes(secret) < DISTINCT_MIN)
		return err_set(why, ERR_CONFIG,
			       "the secret has fewer than %d different bytes; "
			       "make one with: openssl rand -base64 48",
			       DISTINCT_MIN);
	return ERR_OK;
}

/* Check a key's name, which is written unescaped into the header of tokens */
static bool is_kid(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		      (c >= 'a' && c <= 'z') || c == '-' || c == '.' ||
		      c == '_'))
			return false;
	}
	return s.len > 0;
}

static enum err add_key(struct keyring *k, struct span kid, struct span secret,
			struct errmsg *why)
{
	struct key *key = &k->keys[k->count];
	enum err e = secret_check(secret, why);

	if (e != ERR_OK)
		return e;
	if (!is_kid(kid) || !span_to_cstr(kid, key->kid, sizeof(key->kid)))
		return err_set(
			why, ERR_CONFIG,
			"a key's name must be 1 to %d letters, digits or -._",
			KID_MAX);
	for (size_t i = 0; i < k->count; i++)
		if (strcmp(k->keys[i].kid, key->kid) == 0)
			return err_set(why, ERR_CONFIG, "two keys are named %s",
				       key->kid);
	if (hmac_key_new(secret, &key->hmac) != ERR_OK)
		return err_set(why, ERR_CONFIG,
			       "OpenSSL could not create an HMAC");
	k->count++;
	return ERR_OK;
}

enum err keyring_from_secret(struct span secret, struct keyring *out,
			     struct errmsg *why)
{
	unsigned char sum[SHA256_LEN];
	char kid[HEX_SIZE(SHA256_LEN)];
	struct keyring k = { .count = 0 };
	enum err e;

	sha256_of(secret, sum);
	hex_encode((struct span) { (char *)sum, sizeof(sum) }, kid,
		   sizeof(kid));
	e = add_key(&k, (struct span) { kid, KID_OF_SECRET }, secret, why);
	if (e == ERR_OK)
		*out = k;
	return e;
}

static enum err read_line(struct keyring *k, struct span line,
			  struct errmsg *why)
{
	struct span kid = { 0 }, created = { 0 }, retires = { 0 };
	struct span secret = { 0 };
	int64_t created_at, retires_at = KEY_NO_END;
	char raw[SECRET_MAX];
	size_t len;
	enum err e;

	if (!span_next(&line, ' ', &kid) || !span_next(&line, ' ', &created) ||
	    !span_next(&line, ' ', &retires) ||
	    !span_next(&line, ' ', &secret) || line.p != NULL ||
	    !span_to_int(created, &created_at) ||
	    (!span_eq(retires, SPAN("-")) &&
	     (!span_to_int(retires, &retires_at) || retires_at == 0)) ||
	    base64url_decode(secret, raw, sizeof(raw), &len) != ERR_OK)
		return err_set(why, ERR_CONFIG,
			       "must be `kid created_at retires_at secret`");
	if (k->count == KEYRING_MAX)
		return err_set(why, ERR_CONFIG,
			       "is key number %d; the limit is %d",
			       KEYRING_MAX + 1, KEYRING_MAX);
	e = add_key(k, kid, (struct span) { raw, len }, why);
	sodium_memzero(raw, sizeof(raw));
	if (e != ERR_OK)
		return e;
	k->keys[k->count - 1].created_at = created_at;
	k->keys[k->count - 1].retires_at = retires_at;
	if (retires_at == KEY_NO_END)
		k->signer = k->count - 1;
	return ERR_OK;
}

enum err keyring_from_text(struct span text, struct keyring *out,
			   struct errmsg *why)
{
	struct keyring k = { .count = 0, .signer = KEYRING_MAX };
	struct errmsg cause;
	struct span line;
	int number = 0;

	while (span_next(&text, '\n', &line)) {
		number++;
		if (line.len == 0 || line.p[0] == '#')
			continue;
		if (read_line(&k, line, &cause) != ERR_OK) {
			keyring_release(&k);
			return err_set(why, ERR_CONFIG, "line %d: %s", number,
				       cause.text);
		}
	}
	if (k.signer == KEYRING_MAX) {
		keyring_release(&k);
		return err_set(why, ERR_CONFIG,
			       "no signing key; make one with: "
			       "auth-admin key new");
	}
	*out = k;
	return ERR_OK;
}

void keyring_release(struct keyring *k)
{
	for (size_t i = 0; i < k->count; i++)
		hmac_key_free(k->keys[i].hmac);
	k->count = 0;
}

const struct key *keyring_signer(const struct keyring *k)
{
	return &k->keys[k->signer];
}

bool key_is_live(const struct key *key, int64_t now)
{
	return key->retires_at == KEY_NO_END || now < key->retires_at;
}
