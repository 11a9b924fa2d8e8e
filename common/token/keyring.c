#include "common/token/keyring.h"

#include "common/codec/encode.h"

#include <sodium.h>
#include <string.h>

enum {
	KID_OF_SECRET = 16,
};

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
			       "there is no memory for the key");
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

int64_t keyring_next_end(const struct keyring *k, int64_t now)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < k->count; i++) {
		int64_t end = k->keys[i].retires_at;

		if (end != KEY_NO_END && end > now && end < next)
			next = end;
	}
	return next;
}
