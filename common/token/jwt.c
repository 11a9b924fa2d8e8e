#include "common/token/jwt.h"

#include "common/codec/digest.h"
#include "common/codec/encode.h"

#include <string.h>

/* Find the key whose MAC over `text` is `mac`, or NULL */
static const struct key *key_of(struct span text, struct span mac,
				const struct keyring *ring, int64_t now)
{
	unsigned char theirs[SHA256_LEN], ours[SHA256_LEN];
	size_t len;

	if (base64url_decode(mac, (char *)theirs, sizeof(theirs), &len) !=
		    ERR_OK ||
	    len != SHA256_LEN)
		return NULL;
	for (size_t i = 0; i < ring->count; i++) {
		const struct key *key = &ring->keys[i];

		if (key_is_live(key, now) &&
		    hmac_sha256(key->hmac, text, ours) == ERR_OK &&
		    digest_equal((struct span) { (char *)ours, sizeof(ours) },
				 (struct span) { (char *)theirs, len }))
			return key;
	}
	return NULL;
}

static enum err check_head(struct span head, const struct key *key)
{
	char json[JWT_HEAD_MAX], kid[KID_MAX + 1];
	size_t len;
	enum err e;

	if (base64url_decode(head, json, sizeof(json), &len) != ERR_OK)
		return ERR_FORMAT;
	e = claims_parse_head((struct span) { json, len }, kid);
	if (e != ERR_OK)
		return e;
	return strcmp(kid, key->kid) == 0 ? ERR_OK : ERR_BAD_TOKEN;
}

int64_t jwt_early(const struct claims *c, int64_t now)
{
	int64_t from =
		c->not_before > c->issued_at ? c->not_before : c->issued_at;

	return from > now ? from - now : 0;
}

enum err jwt_check_claims(const struct claims *c, const struct jwt_rules *rules,
			  int64_t now)
{
	/* RFC 7519 4.1.3: refuse a token whose "aud" does not name us */
	if (strcmp(c->issuer, rules->issuer) != 0 ||
	    strcmp(c->audience, rules->audience) != 0)
		return ERR_BAD_TOKEN;
	/* RFC 7519 4.1.4: "on or after" exp is too late */
	if (now >= c->expires_at)
		return ERR_EXPIRED;
	return jwt_early(c, now) > JWT_LEEWAY ? ERR_NOT_YET : ERR_OK;
}

static enum err check_body(struct span body, const struct jwt_rules *rules,
			   int64_t now, struct claims *out)
{
	char json[CLAIMS_JSON_MAX];
	size_t len;
	enum err e;

	if (base64url_decode(body, json, sizeof(json), &len) != ERR_OK)
		return ERR_FORMAT;
	e = claims_parse((struct span) { json, len }, out);
	return e == ERR_OK ? jwt_check_claims(out, rules, now) : e;
}

enum err jwt_verify(struct span token, const struct keyring *ring,
		    const struct jwt_rules *rules, int64_t now,
		    struct claims *out)
{
	struct span text = token, head, body, mac;
	const struct key *key;
	struct claims c = { .user_id = 0 };
	enum err e;

	if (token.len > JWT_TOKEN_MAX || !span_cut_last(&text, '.', &mac))
		return ERR_FORMAT;
	head = text;
	if (!span_cut_last(&head, '.', &body))
		return ERR_FORMAT;
	key = key_of(text, mac, ring, now);
	if (key == NULL)
		return ERR_BAD_TOKEN;

	e = check_head(head, key);
	if (e == ERR_OK)
		e = check_body(body, rules, now, &c);
	if (e == ERR_OK || e == ERR_NOT_YET)
		*out = c;
	return e;
}

static void add_base64url(struct buf *out, struct span s)
{
	size_t size = BASE64URL_SIZE(s.len); /* includes the NUL */
	char *to = buf_room(out, size);

	if (to == NULL)
		return;
	base64url_encode(s, to, size);
	out->len += size - 1;
}

enum err jwt_sign(const struct claims *c, const struct keyring *ring,
		  struct buf *out)
{
	const struct key *key = keyring_signer(ring);
	unsigned char mac[SHA256_LEN];
	struct buf head, body;
	size_t start = out->len;
	enum err e;

	buf_init(&head, JWT_HEAD_MAX);
	buf_init(&body, CLAIMS_JSON_MAX);
	buf_printf(&head,
		   "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}",
		   key->kid);
	claims_write(c, &body);
	e = buf_error(&head) != ERR_OK ? buf_error(&head) : buf_error(&body);
	if (e != ERR_OK)
		goto out;
	add_base64url(out, buf_span(&head));
	buf_add_char(out, '.');
	add_base64url(out, buf_span(&body));
	e = buf_error(out);
	if (e != ERR_OK)
		goto out;
	e = hmac_sha256(key->hmac, span_from(buf_span(out), start), mac);
	if (e != ERR_OK)
		goto out;
	buf_add_char(out, '.');
	add_base64url(out, (struct span) { (char *)mac, sizeof(mac) });
	e = buf_error(out);
	/* Do not issue a token that jwt_verify() would refuse */
	if (e == ERR_OK && out->len - start > JWT_TOKEN_MAX)
		e = ERR_TOO_LARGE;
out:
	buf_release(&head);
	buf_release(&body);
	return e;
}
