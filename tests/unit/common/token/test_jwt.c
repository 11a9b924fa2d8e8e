#include "common/codec/encode.h"
#include "common/token/jwt.h"
#include "tests/unit/unit.h"

#include <sodium.h>

#define HEAD(kid) "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"" kid "\"}"
#define BODY                                                                 \
	"{\"iss\":\"gatehouse\",\"sub\":\"42\",\"username\":\"ann@example."  \
	"org\","                                                             \
	"\"scope\":\"files:read\",\"iat\":1000,\"exp\":1900,\"jti\":\"id\"," \
	"\"sid\":\"AAAAAAAAAAAAAAAAAAAAAA\"}"

static const char secret[] = "Zt9!kQ2#vL7@xN4$bR8%mW1^pS6&cF3*";
static const char other_secret[] = "qY5&hJ0)wE8(zU2*tG7^rD1%aK4$sB9#";
static const struct jwt_rules rules = { "gatehouse", "" };
static struct keyring ring;
static char token_text[8192];

static const struct claims ann = {
	.user_id = 42,
	.email = "ann@example.org",
	.scope = "files:read files:write",
	.issuer = "gatehouse",
	.token_id = "abc-123",
	.session = "AAAAAAAAAAAAAAAAAAAAAA",
	.issued_at = 1000,
	.not_before = 1000,
	.expires_at = 1900,
};

/* A token as an owner of `key` could make it */
static struct span minted(struct span head, struct span body, const char *key)
{
	unsigned char mac[SHA256_LEN];
	struct hmac_key *k;
	size_t n;

	base64url_encode(head, token_text, sizeof(token_text));
	n = strlen(token_text);
	token_text[n++] = '.';
	base64url_encode(body, token_text + n, sizeof(token_text) - n);
	n += strlen(token_text + n);
	assert_ok(hmac_key_new(span_of(key), &k));
	assert_ok(hmac_sha256(k, (struct span) { token_text, n }, mac));
	hmac_key_free(k);
	token_text[n++] = '.';
	base64url_encode((struct span) { (char *)mac, sizeof(mac) },
			 token_text + n, sizeof(token_text) - n);
	return span_of(token_text);
}

/* `text`, a dot, and its MAC under our key */
static struct span with_our_mac(const char *text)
{
	unsigned char mac[SHA256_LEN];
	size_t n = strlen(text);

	assert_true(n + 64 < sizeof(token_text));
	memcpy(token_text, text, n);
	assert_ok(hmac_sha256(keyring_signer(&ring)->hmac,
			      (struct span) { token_text, n }, mac));
	token_text[n++] = '.';
	base64url_encode((struct span) { (char *)mac, sizeof(mac) },
			 token_text + n, sizeof(token_text) - n);
	return span_of(token_text);
}

/* A signed token, in token_text */
static struct span signed_token(const struct claims *c)
{
	struct buf b;

	buf_init(&b, sizeof(token_text) - 1);
	assert_ok(jwt_sign(c, &ring, &b));
	memcpy(token_text, b.p, b.len);
	token_text[b.len] = '\0';
	buf_release(&b);
	return span_of(token_text);
}

static enum err verify(struct span token, int64_t now)
{
	struct claims c;
	enum err e;

	memset(&c, 0x55, sizeof(c));
	e = jwt_verify(token, &ring, &rules, now, &c);
	if (e != ERR_OK && e != ERR_NOT_YET)
		for (size_t i = 0; i < sizeof(c); i++)
			assert_int_equal(((unsigned char *)&c)[i], 0x55);
	return e;
}

static void assert_not_genuine(struct span token)
{
	enum err e = verify(token, 1500);

	if (e == ERR_OK)
		print_error("taken: %.*s\n", SPAN_ARG(token));
	assert_true(e == ERR_BAD_TOKEN || e == ERR_FORMAT);
}

static void a_signed_token_verifies_with_its_claims(void **state)
{
	struct claims c;

	(void)state;
	assert_ok(jwt_verify(signed_token(&ann), &ring, &rules, 1500, &c));
	assert_int_equal(c.user_id, 42);
	assert_string_equal(c.email, "ann@example.org");
	assert_string_equal(c.scope, "files:read files:write");
	assert_string_equal(c.token_id, "abc-123");
	assert_int_equal(c.expires_at, 1900);
}

/* RFC 7515 A.1: its key, its text, its MAC. Its claims lack ours, so the
 * result is ERR_FORMAT if the MAC is right, and else ERR_BAD_TOKEN. */
static void the_token_of_rfc_7515_has_the_right_mac(void **state)
{
	static const char text[] =
		"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
		"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9le"
		"GFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
		"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
	static const char key[] =
		"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj"
		"0iPS4hcgUuTwjAzZr1Z9CAow";
	char raw[64], changed[sizeof(text)];
	struct keyring rfc;
	struct claims c;
	size_t n;

	(void)state;
	assert_ok(base64url_decode(span_of(key), raw, sizeof(raw), &n));
	assert_ok(keyring_from_secret((struct span) { raw, n }, &rfc, NULL));
	assert_err(jwt_verify(span_of(text), &rfc, &rules, 0, &c), ERR_FORMAT);
	memcpy(changed, text, sizeof(text));
	changed[sizeof(changed) - 3] = 'Y';
	assert_err(jwt_verify(span_of(changed), &rfc, &rules, 0, &c),
		   ERR_BAD_TOKEN);
	keyring_release(&rfc);
}

static void a_token_is_expired_in_the_second_of_exp(void **state)
{
	struct span token = signed_token(&ann);

	(void)state;
	assert_ok(verify(token, 1899));
	assert_err(verify(token, 1900), ERR_EXPIRED);
	assert_err(verify(token, INT64_MAX), ERR_EXPIRED);
}

/* ann: issued at 1000, valid from 1000 */
static void a_token_of_a_clock_that_is_up_to_60_s_ahead_is_valid(void **state)
{
	struct span token = signed_token(&ann);

	(void)state;
	assert_ok(verify(token, 1000));
	assert_ok(verify(token, 999));
	assert_ok(verify(token, 1000 - JWT_LEEWAY));
	assert_err(verify(token, 1000 - JWT_LEEWAY - 1), ERR_NOT_YET);
	assert_err(verify(token, 0), ERR_NOT_YET);
}

static void the_leeway_is_that_of_the_later_of_nbf_and_iat(void **state)
{
	struct claims c = ann;

	(void)state;
	c.issued_at = 1100;
	assert_ok(verify(signed_token(&c), 1100 - JWT_LEEWAY));
	assert_err(verify(signed_token(&c), 1100 - JWT_LEEWAY - 1),
		   ERR_NOT_YET);
	c.issued_at = 900;
	assert_ok(verify(signed_token(&c), 1000 - JWT_LEEWAY));
	assert_err(verify(signed_token(&c), 1000 - JWT_LEEWAY - 1),
		   ERR_NOT_YET);
	c.not_before = INT64_MAX;
	assert_int_equal(jwt_early(&c, 1500), INT64_MAX - 1500);
	assert_int_equal(jwt_early(&ann, 1500), 0);
	assert_int_equal(jwt_early(&ann, 900), 100);
}

static void a_token_that_begins_after_its_end_is_expired(void **state)
{
	struct claims c = ann;

	(void)state;
	c.not_before = 5000;
	assert_err(verify(signed_token(&c), 1900), ERR_EXPIRED);
}

static void a_token_cut_anywhere_is_refused(void **state)
{
	struct span token = signed_token(&ann);

	(void)state;
	for (size_t n = 0; n < token.len; n++)
		assert_not_genuine((struct span) { token.p, n });
	for (size_t n = 1; n <= token.len; n++)
		assert_not_genuine(span_from(token, n));
}

static void a_token_changed_in_one_bit_is_refused(void **state)
{
	struct span token = signed_token(&ann);

	(void)state;
	for (size_t i = 0; i < token.len * 8; i++) {
		token_text[i / 8] ^= (char)(1 << i % 8);
		assert_not_genuine(token);
		token_text[i / 8] ^= (char)(1 << i % 8);
	}
	assert_ok(verify(token, 1500));
}

static void bytes_before_and_after_a_token_are_refused(void **state)
{
	static const char *const extra[] = { " ", "\n", ".", "=", "A", "x.y" };
	struct span token = signed_token(&ann);
	char text[4096];

	(void)state;
	for (size_t i = 0; i < COUNT(extra); i++) {
		(void)snprintf(text, sizeof(text), "%s%.*s", extra[i],
			       SPAN_ARG(token));
		assert_not_genuine(span_of(text));
		(void)snprintf(text, sizeof(text), "%.*s%s", SPAN_ARG(token),
			       extra[i]);
		assert_not_genuine(span_of(text));
	}
	assert_not_genuine((struct span) { token.p, token.len + 1 });
}

/* RFC 4648 3.5: the last character of a MAC has two unused bits */
static void a_mac_has_one_spelling(void **state)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz0123456789-_";
	struct span token = signed_token(&ann);
	char *last = token_text + token.len - 1, right = *last;
	int taken = 0;

	(void)state;
	for (size_t i = 0; i < 64; i++) {
		*last = alphabet[i];
		taken += verify(token, 1500) == ERR_OK;
		assert_true(*last == right || verify(token, 1500) != ERR_OK);
	}
	assert_int_equal(taken, 1);
}

static void a_token_without_a_mac_is_refused(void **state)
{
	char text[1024], head[256], body[512];

	(void)state;
	base64url_encode(SPAN("{\"alg\":\"none\",\"kid\":\"x\"}"), head,
			 sizeof(head));
	base64url_encode(SPAN(BODY), body, sizeof(body));
	(void)snprintf(text, sizeof(text), "%s.%s.", head, body);
	assert_not_genuine(span_of(text));
	(void)snprintf(text, sizeof(text), "%s.%s", head, body);
	assert_not_genuine(span_of(text));
	assert_not_genuine(SPAN(""));
	assert_not_genuine(SPAN("."));
	assert_not_genuine(SPAN(".."));
	assert_not_genuine(SPAN("..."));
}

static void a_token_of_a_foreign_key_is_refused_with_any_kid(void **state)
{
	const char *kid = keyring_signer(&ring)->kid;
	char head[128];

	(void)state;
	(void)snprintf(head, sizeof(head), "{\"alg\":\"HS256\",\"kid\":\"%s\"}",
		       kid);
	assert_err(
		verify(minted(span_of(head), SPAN(BODY), other_secret), 1500),
		ERR_BAD_TOKEN);
	assert_ok(verify(minted(span_of(head), SPAN(BODY), secret), 1500));
}

static void a_kid_of_another_key_is_refused(void **state)
{
	static const char *const heads[] = {
		HEAD(""),
		HEAD("../../../../dev/null"),
		HEAD("' OR 1=1 --"),
		HEAD("0000000000000000"),
		HEAD("%s%n"),
		"{\"alg\":\"HS256\",\"kid\":null}",
		"{\"alg\":\"HS256\"}",
		"{\"alg\":\"none\",\"kid\":\"x\"}",
		"{\"alg\":null,\"kid\":\"x\"}",
		"",
		"{}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(heads); i++)
		assert_not_genuine(
			minted(span_of(heads[i]), SPAN(BODY), secret));
}

static void a_signed_body_without_our_claims_is_malformed(void **state)
{
	static const char *const bodies[] = {
		"",	  "{}",
		"[]",	  "null",
		BODY "x", BODY BODY,
		"\"",	  "{\"sub\":\"42\"}",
		"\xff",	  "{\"iss\":\"gatehouse\"}",
	};
	char head[128];

	(void)state;
	(void)snprintf(head, sizeof(head), "{\"alg\":\"HS256\",\"kid\":\"%s\"}",
		       keyring_signer(&ring)->kid);
	for (size_t i = 0; i < COUNT(bodies); i++)
		assert_err(verify(minted(span_of(head), span_of(bodies[i]),
					 secret),
				  1500),
			   ERR_FORMAT);
}

static void parts_that_are_not_base64url_are_malformed_even_with_a_right_mac(
	void **s)
{
	char head[256], body[1024], text[2048], big[CLAIMS_JSON_MAX + 2];

	(void)s;
	(void)snprintf(text, sizeof(text), "{\"alg\":\"HS256\",\"kid\":\"%s\"}",
		       keyring_signer(&ring)->kid);
	base64url_encode(span_of(text), head, sizeof(head));
	base64url_encode(SPAN(BODY), body, sizeof(body));
	(void)snprintf(text, sizeof(text), "%s.%s", head, body);
	assert_ok(verify(with_our_mac(text), 1500));
	(void)snprintf(text, sizeof(text), "%s=.%s", head, body);
	assert_err(verify(with_our_mac(text), 1500), ERR_FORMAT);
	(void)snprintf(text, sizeof(text), "x.%s.%s", head, body);
	assert_err(verify(with_our_mac(text), 1500), ERR_FORMAT);
	(void)snprintf(text, sizeof(text), "%s.%s=", head, body);
	assert_err(verify(with_our_mac(text), 1500), ERR_FORMAT);
	(void)snprintf(text, sizeof(text), "%s.%s!", head, body);
	assert_err(verify(with_our_mac(text), 1500), ERR_FORMAT);
	/* too large for its field */
	(void)snprintf(text, sizeof(text), "%s%0400d.%s", head, 0, body);
	assert_err(verify(with_our_mac(text), 1500), ERR_FORMAT);
	memset(big, 'A', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	(void)snprintf(text, sizeof(text), "%s.%s", head, big);
	assert_err(verify(with_our_mac(text), 1500), ERR_FORMAT);
}

static void claims_over_their_size_are_never_signed_in_part(void **state)
{
	struct claims c = ann;
	struct buf b;

	(void)state;
	memset(c.email, '"', CLAIMS_EMAIL_MAX);
	memset(c.scope, '"', CLAIMS_SCOPE_MAX);
	memset(c.issuer, '"', CLAIMS_ISSUER_MAX);
	memset(c.audience, '"', CLAIMS_ISSUER_MAX);
	buf_init(&b, 8192);
	assert_err(jwt_sign(&c, &ring, &b), ERR_TOO_LARGE);
	buf_release(&b);
}

static void another_issuer_or_audience_is_refused(void **state)
{
	const struct jwt_rules for_files = { "gatehouse", "files" };
	const struct jwt_rules of_others = { "elsewhere", "" };
	struct span token = signed_token(&ann);
	struct claims c, with = ann;

	(void)state;
	assert_err(jwt_verify(token, &ring, &of_others, 1500, &c),
		   ERR_BAD_TOKEN);
	assert_err(jwt_verify(token, &ring, &for_files, 1500, &c),
		   ERR_BAD_TOKEN);
	(void)snprintf(with.audience, sizeof(with.audience), "files");
	token = signed_token(&with);
	assert_ok(jwt_verify(token, &ring, &for_files, 1500, &c));
	/* RFC 7519 4.1.3: it is for another audience */
	assert_err(jwt_verify(token, &ring, &rules, 1500, &c), ERR_BAD_TOKEN);
	(void)snprintf(with.audience, sizeof(with.audience), "filesystem");
	token = signed_token(&with);
	assert_err(jwt_verify(token, &ring, &for_files, 1500, &c),
		   ERR_BAD_TOKEN);
}

static void every_current_key_verifies_and_only_one_signs(void **state)
{
	static const char both[] =
		"old 1 2000 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n"
		"new 1 - OMCgS-4cPMe5sVUUJhl1Bc44xjXEAbth1rN-fFuGD_I\n";
	static const char alone[] =
		"old 1 - AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n";
	struct claims late = ann, c;
	struct keyring before, after;
	struct buf b;

	(void)state;
	late.expires_at = 5000;
	assert_ok(keyring_from_text(span_of(alone), &before, NULL));
	assert_ok(keyring_from_text(span_of(both), &after, NULL));
	buf_init(&b, JWT_TOKEN_MAX);
	assert_ok(jwt_sign(&late, &before, &b));
	assert_ok(jwt_verify(buf_span(&b), &after, &rules, 1999, &c));
	assert_err(jwt_verify(buf_span(&b), &after, &rules, 2000, &c),
		   ERR_BAD_TOKEN);
	buf_clear(&b);
	assert_ok(jwt_sign(&late, &after, &b));
	assert_ok(jwt_verify(buf_span(&b), &after, &rules, 4999, &c));
	assert_err(jwt_verify(buf_span(&b), &before, &rules, 1500, &c),
		   ERR_BAD_TOKEN);
	buf_release(&b);
	keyring_release(&before);
	keyring_release(&after);
}

static void an_oversized_token_is_refused_unread(void **state)
{
	static char text[JWT_TOKEN_MAX + 1];

	(void)state;
	memset(text, 'A', sizeof(text));
	text[10] = text[20] = '.';
	assert_err(verify((struct span) { text, sizeof(text) }, 1500),
		   ERR_FORMAT);
	assert_err(verify((struct span) { text, JWT_TOKEN_MAX }, 1500),
		   ERR_BAD_TOKEN);
}

static void a_signed_token_is_short_enough_to_verify(void **state)
{
	struct claims c = ann, back;
	const struct jwt_rules long_issuer = { c.issuer, c.audience };
	struct buf b;

	(void)state;
	memset(c.email, 'e', CLAIMS_EMAIL_MAX);
	memset(c.scope, 's', CLAIMS_SCOPE_MAX);
	memset(c.issuer, 'i', CLAIMS_ISSUER_MAX);
	memset(c.audience, 'a', CLAIMS_ISSUER_MAX);
	memset(c.token_id, 't', CLAIMS_ID_MAX);
	assert_ok(
		jwt_verify(signed_token(&c), &ring, &long_issuer, 1500, &back));
	/* each quote is two bytes in JSON: too long, so it is not signed */
	memset(c.email, '"', CLAIMS_EMAIL_MAX);
	memset(c.scope, '"', CLAIMS_SCOPE_MAX);
	buf_init(&b, 8192);
	if (jwt_sign(&c, &ring, &b) == ERR_OK)
		assert_ok(jwt_verify(buf_span(&b), &ring, &long_issuer, 1500,
				     &back));
	buf_release(&b);
}

static void a_buffer_that_is_too_small_is_an_error(void **state)
{
	size_t whole = signed_token(&ann).len;
	struct buf b;

	(void)state;
	for (size_t max = 0; max < whole; max += 7) {
		buf_init(&b, max);
		assert_err(jwt_sign(&ann, &ring, &b), ERR_TOO_LARGE);
		buf_release(&b);
	}
}

static void a_token_is_appended_to_the_buffer(void **state)
{
	struct claims c;
	struct buf b;

	(void)state;
	buf_init(&b, JWT_TOKEN_MAX + 8);
	buf_add_str(&b, "Bearer ");
	assert_ok(jwt_sign(&ann, &ring, &b));
	assert_true(span_has_prefix(buf_span(&b), SPAN("Bearer eyJ")));
	assert_ok(jwt_verify(span_from(buf_span(&b), 7), &ring, &rules, 1500,
			     &c));
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_signed_token_verifies_with_its_claims),
		TEST(the_token_of_rfc_7515_has_the_right_mac),
		TEST(a_token_is_expired_in_the_second_of_exp),
		TEST(a_token_of_a_clock_that_is_up_to_60_s_ahead_is_valid),
		TEST(the_leeway_is_that_of_the_later_of_nbf_and_iat),
		TEST(a_token_that_begins_after_its_end_is_expired),
		TEST(a_token_cut_anywhere_is_refused),
		TEST(a_token_changed_in_one_bit_is_refused),
		TEST(bytes_before_and_after_a_token_are_refused),
		TEST(a_mac_has_one_spelling),
		TEST(a_token_without_a_mac_is_refused),
		TEST(a_token_of_a_foreign_key_is_refused_with_any_kid),
		TEST(a_kid_of_another_key_is_refused),
		TEST(a_signed_body_without_our_claims_is_malformed),
		TEST(parts_that_are_not_base64url_are_malformed_even_with_a_right_mac),
		TEST(claims_over_their_size_are_never_signed_in_part),
		TEST(another_issuer_or_audience_is_refused),
		TEST(every_current_key_verifies_and_only_one_signs),
		TEST(an_oversized_token_is_refused_unread),
		TEST(a_signed_token_is_short_enough_to_verify),
		TEST(a_buffer_that_is_too_small_is_an_error),
		TEST(a_token_is_appended_to_the_buffer),
	};
	int failed;

	if (sodium_init() < 0 ||
	    keyring_from_secret(span_of(secret), &ring, NULL) != ERR_OK)
		return 1;
	failed = RUN(tests);
	keyring_release(&ring);
	return failed;
}
