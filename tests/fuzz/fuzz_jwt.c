/* The input as a token, and as the content of a token with a correct MAC. The
 * code behind the MAC cannot be reached without the key, but must hold too. */
#include "common/codec/encode.h"
#include "common/token/jwt.h"
#include "tests/fuzz/fuzz.h"

#include <sodium.h>

static const struct jwt_rules rules = { "gatehouse", "" };
static struct keyring ring;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	MUST(sodium_init() >= 0);
	MUST(keyring_from_secret(SPAN("Zt9!kQ2#vL7@xN4$bR8%mW1^pS6&cF3*"),
				 &ring, NULL) == ERR_OK);
	return 0;
}

static void check_claims(const struct claims *c)
{
	MUST(c->user_id > 0 && c->user_id <= INT64_MAX);
	MUST(strlen(c->email) <= CLAIMS_EMAIL_MAX);
	MUST(utf8_valid(span_of(c->email)) && utf8_valid(span_of(c->scope)));
	for (const char *p = c->email; *p != '\0'; p++)
		MUST((unsigned char)*p >= 0x20 && *p != 0x7f);
}

/* A verified token can be signed again and verified again */
static void check_verified(const struct claims *c, int64_t now)
{
	struct claims again;
	struct buf b;

	check_claims(c);
	MUST(strcmp(c->issuer, rules.issuer) == 0);
	MUST(now < c->expires_at && now >= c->not_before);
	buf_init(&b, JWT_TOKEN_MAX);
	if (jwt_sign(c, &ring, &b) == ERR_OK) {
		MUST(jwt_verify(buf_span(&b), &ring, &rules, now, &again) ==
		     ERR_OK);
		MUST(again.user_id == c->user_id);
		MUST(strcmp(again.email, c->email) == 0);
	}
	buf_release(&b);
}

/* Head, newline, claims, with a correct MAC */
static void check_minted(struct span text)
{
	char token[JWT_TOKEN_MAX * 2];
	struct span head = text, body = { NULL, 0 };
	unsigned char mac[SHA256_LEN];
	struct claims c;
	size_t n;

	(void)span_cut(&head, '\n', &body);
	if (text.len > JWT_TOKEN_MAX)
		return;
	base64url_encode(head, token, sizeof(token));
	n = strlen(token);
	token[n++] = '.';
	base64url_encode(body, token + n, sizeof(token) - n);
	n += strlen(token + n);
	MUST(hmac_sha256(keyring_signer(&ring)->hmac,
			 (struct span) { token, n }, mac) == ERR_OK);
	token[n++] = '.';
	base64url_encode((struct span) { (char *)mac, sizeof(mac) }, token + n,
			 sizeof(token) - n);
	if (jwt_verify(span_of(token), &ring, &rules, 1500, &c) == ERR_OK)
		check_verified(&c, 1500);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = fuzz_copy(data, size);
	char kid[KID_MAX + 1];
	struct claims c;

	/* no input has a correct MAC */
	MUST(jwt_verify(text, &ring, &rules, 1500, &c) != ERR_OK);
	check_minted(text);
	if (claims_parse(text, &c) == ERR_OK)
		check_claims(&c);
	if (claims_parse_head(text, kid) == ERR_OK)
		MUST(strlen(kid) <= KID_MAX);
	fuzz_free(text);
	return 0;
}
