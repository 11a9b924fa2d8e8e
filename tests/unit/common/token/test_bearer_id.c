#include "common/token/bearer_id.h"
#include "tests/unit/unit.h"

#include <sodium.h>

/* A session's 22 characters of base64url, and a secret's 43 */
#define SESSION "AAECAwQFBgcICQoLDA0ODw"
#define SECRET "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

static void assert_refused(struct span token)
{
	struct bearer_id c;

	memset(&c, 0x55, sizeof(c));
	if (bearer_id_parse_api(token, &c) == ERR_OK)
		print_error("taken: %.*s\n", SPAN_ARG(token));
	assert_err(bearer_id_parse_api(token, &c), ERR_FORMAT);
	for (size_t i = 0; i < sizeof(c); i++)
		assert_int_equal(((unsigned char *)&c)[i], 0x55);
}

static void a_token_has_its_session_and_the_hash_of_its_secret(void **state)
{
	/* SHA-256 of SECRET's characters, by sha256sum(1) */
	static const unsigned char hash[SHA256_LEN] = {
		0xea, 0x86, 0x6a, 0x75, 0x7e, 0x4c, 0x38, 0xba,
		0xbf, 0xa8, 0x12, 0x7c, 0xbe, 0x9a, 0x40, 0x9d,
		0x3e, 0x1f, 0x93, 0xa0, 0x0f, 0xf1, 0x48, 0x8f,
		0xf7, 0x35, 0xfc, 0xf9, 0x17, 0xaf, 0xff, 0xd0
	};
	struct bearer_id c;

	(void)state;
	memset(&c, 0x55, sizeof(c));
	assert_ok(bearer_id_parse_api(SPAN("gh_" SESSION "_" SECRET), &c));
	assert_true(c.api);
	assert_string_equal(c.session, SESSION);
	assert_memory_equal(c.secret, hash, SHA256_LEN);
}

static void a_token_that_was_made_can_be_parsed(void **state)
{
	char text[API_TOKEN_LEN + 1], before[API_TOKEN_LEN + 1] = "";

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct bearer_id made = { .api = false }, c;

		ident_random(made.session);
		bearer_id_make_api(&made, text);
		assert_int_equal(strlen(text), API_TOKEN_LEN);
		assert_true(made.api);
		assert_ok(bearer_id_parse_api(span_of(text), &c));
		assert_string_equal(c.session, made.session);
		assert_memory_equal(c.secret, made.secret, SHA256_LEN);
		assert_string_not_equal(text, before);
		memcpy(before, text, sizeof(before));
	}
}

static void the_separator_is_at_a_fixed_position(void **state)
{
	struct bearer_id c;

	(void)state;
	assert_ok(bearer_id_parse_api(SPAN("gh_AA_CAwQFB_cICQoLDA0ODw_" SECRET),
				      &c));
	assert_string_equal(c.session, "AA_CAwQFB_cICQoLDA0ODw");
	assert_refused(SPAN("gh_" SESSION "-" SECRET));
	assert_refused(SPAN("gh-" SESSION "_" SECRET));
}

static void every_other_length_is_refused(void **state)
{
	const struct span whole = SPAN("gh_" SESSION "_" SECRET "AAAA");
	struct bearer_id c;

	(void)state;
	for (size_t n = 0; n <= whole.len; n++)
		if (n != API_TOKEN_LEN)
			assert_refused((struct span) { whole.p, n });
	assert_ok(bearer_id_parse_api((struct span) { whole.p, API_TOKEN_LEN },
				      &c));
	assert_refused((struct span) { NULL, 0 });
}

static void every_character_is_one_of_base64url(void **state)
{
	static const char others[] = " =+/.~\"'\\\n\x7f\x80\xff";
	char text[API_TOKEN_LEN + 1] = "gh_" SESSION "_" SECRET;

	(void)state;
	for (size_t i = 0; i < API_TOKEN_LEN; i++) {
		char right = text[i];

		for (size_t k = 0; k < sizeof(others); k++) { /* and NUL */
			text[i] = others[k];
			assert_refused((struct span) { text, API_TOKEN_LEN });
		}
		text[i] = right;
	}
}

static void a_token_has_one_spelling(void **state)
{
	(void)state;
	/* the last character has unused bits: 4 of 132, 2 of 258 */
	assert_refused(SPAN("gh_AAECAwQFBgcICQoLDA0ODx_" SECRET));
	assert_refused(SPAN("gh_" SESSION
			    "_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9"));
	assert_refused(SPAN("GH_" SESSION "_" SECRET));
}

static void a_text_with_another_prefix_is_not_an_api_token(void **state)
{
	(void)state;
	assert_true(bearer_id_is_api(SPAN("gh_" SESSION "_" SECRET)));
	assert_true(bearer_id_is_api(SPAN("gh_")));
	assert_false(bearer_id_is_api(SPAN("gh")));
	assert_false(bearer_id_is_api(SPAN("")));
	/* a refresh token, and the head of any JWT: base64url of "{" */
	assert_false(bearer_id_is_api(SPAN("ghr_" SECRET)));
	assert_false(bearer_id_is_api(SPAN("eyJhbGciOiJIUzI1NiJ9.e30.x")));
	assert_refused(SPAN("ghr_" SESSION "_" SECRET));
	assert_refused(SPAN("eyJhbGciOiJIUzI1NiJ9.e30.x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_token_has_its_session_and_the_hash_of_its_secret),
		TEST(a_token_that_was_made_can_be_parsed),
		TEST(the_separator_is_at_a_fixed_position),
		TEST(every_other_length_is_refused),
		TEST(every_character_is_one_of_base64url),
		TEST(a_token_has_one_spelling),
		TEST(a_text_with_another_prefix_is_not_an_api_token),
	};

	return sodium_init() < 0 ? 1 : RUN(tests);
}
