#include "tests/unit/unit.h"

#include "cgi-auth/tables/token.h"
#include "common/codec/json.h"

#include <sodium.h>

static const struct user user = {
	.id = 7,
	.email = "you@example.org",
	.password = "$argon2id$secret",
	.scope = "files:read",
	.disabled_at = USER_ENABLED,
};
#define SESSION "AAAAAAAAAAAAAAAAAAAAAA"
static const struct jwt_rules rules = { "gatehouse", "files" };

static void claims_are_those_of_the_row(void **state)
{
	struct claims c;

	(void)state;
	assert_ok(token_claims(&user, &rules, SESSION, 1000, 900, &c));
	assert_int_equal(c.user_id, 7);
	assert_string_equal(c.email, "you@example.org");
	assert_string_equal(c.scope, "files:read");
	assert_string_equal(c.issuer, "gatehouse");
	assert_string_equal(c.audience, "files");
	assert_string_equal(c.session, SESSION);
	assert_false(c.admin);
	assert_int_equal(c.issued_at, 1000);
	assert_int_equal(c.not_before, 1000);
	assert_int_equal(c.expires_at, 1900);
}

static void each_token_has_an_id_of_its_own(void **state)
{
	struct claims one, two;

	(void)state;
	assert_ok(token_claims(&user, &rules, SESSION, 1000, 900, &one));
	assert_ok(token_claims(&user, &rules, SESSION, 1000, 900, &two));
	assert_int_equal(strlen(one.token_id), 22);
	assert_string_not_equal(one.token_id, two.token_id);
}

static void an_issued_token_is_accepted(void **state)
{
	struct keyring ring;
	struct errmsg why;
	struct claims c, back;
	struct buf token;

	(void)state;
	assert_ok(keyring_from_secret(SPAN("Zx81kq0Rv7TnYw3Lp9Ub5HsJc2Md6Fe4"),
				      &ring, &why));
	buf_init(&token, JWT_TOKEN_MAX);
	assert_ok(token_claims(&user, &rules, SESSION, 1000, 900, &c));
	assert_ok(jwt_sign(&c, &ring, &token));
	assert_ok(jwt_verify(buf_span(&token), &ring, &rules, 1000, &back));
	assert_string_equal(back.email, user.email);
	assert_ok(jwt_verify(buf_span(&token), &ring, &rules, 1899, &back));
	assert_err(jwt_verify(buf_span(&token), &ring, &rules, 1900, &back),
		   ERR_EXPIRED);
	buf_release(&token);
	keyring_release(&ring);
}

static void an_issuer_that_does_not_fit_is_a_wrong_setting(void **state)
{
	char name[CLAIMS_ISSUER_MAX + 2];
	const struct jwt_rules wide = { name, "" };
	struct claims c;

	(void)state;
	memset(name, 'x', sizeof(name));
	name[CLAIMS_ISSUER_MAX + 1] = '\0';
	assert_err(token_claims(&user, &wide, SESSION, 1000, 900, &c),
		   ERR_CONFIG);
	name[CLAIMS_ISSUER_MAX] = '\0';
	assert_ok(token_claims(&user, &wide, SESSION, 1000, 900, &c));
}

static void the_json_of_an_api_tokens_claims_has_no_other_members(void **state)
{
	struct claims c = { .user_id = 7,
			    .email = "you@example.org",
			    .issuer = "gatehouse",
			    .scope = "files:read",
			    .session = SESSION,
			    .issued_at = 5,
			    .not_before = 5,
			    .expires_at = CLAIMS_NO_END };
	struct json_object *o = claims_json(&c);

	(void)state;
	assert_span(json_write(o),
		    "{\"iss\":\"gatehouse\",\"sub\":\"7\",\"username\":"
		    "\"you@example.org\",\"admin\":false,\"scope\":"
		    "\"files:read\",\"iat\":5,\"nbf\":5,\"sid\":\"" SESSION
		    "\"}");
	json_object_put(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(claims_are_those_of_the_row),
		TEST(each_token_has_an_id_of_its_own),
		TEST(an_issued_token_is_accepted),
		TEST(an_issuer_that_does_not_fit_is_a_wrong_setting),
		TEST(the_json_of_an_api_tokens_claims_has_no_other_members),
	};

	return sodium_init() < 0 || RUN(tests);
}
