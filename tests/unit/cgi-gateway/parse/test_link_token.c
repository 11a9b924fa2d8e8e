#include "cgi-gateway/parse/link_token.h"
#include "tests/unit/unit.h"

#include <sodium.h>

static void a_token_has_32_characters_of_base64url(void **state)
{
	char a[LINK_TOKEN_LEN + 1], b[LINK_TOKEN_LEN + 1];
	unsigned char hash[SHA256_LEN];

	(void)state;
	link_token_make(a, hash);
	link_token_make(b, hash);
	assert_int_equal(strlen(a), LINK_TOKEN_LEN);
	assert_true(link_token_has_form(span_of(a)));
	assert_string_not_equal(a, b);
}

static void the_stored_hash_is_that_of_the_text(void **state)
{
	char text[LINK_TOKEN_LEN + 1];
	unsigned char made[SHA256_LEN], shown[SHA256_LEN], right[SHA256_LEN];

	(void)state;
	link_token_make(text, made);
	assert_ok(link_token_hash(span_of(text), shown));
	sha256_of(span_of(text), right);
	assert_memory_equal(made, right, SHA256_LEN);
	assert_memory_equal(shown, right, SHA256_LEN);
}

static void a_text_of_another_form_is_no_token(void **state)
{
	static const char *const wrong[] = {
		"",
		"x",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\xc3\xa9",
	};
	unsigned char hash[SHA256_LEN] = { 7 };

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_false(link_token_has_form(span_of(wrong[i])));
		assert_err(link_token_hash(span_of(wrong[i]), hash),
			   ERR_NOT_FOUND);
	}
	assert_false(
		link_token_has_form(SPAN("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0")));
	assert_int_equal(hash[0], 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_token_has_32_characters_of_base64url),
		TEST(the_stored_hash_is_that_of_the_text),
		TEST(a_text_of_another_form_is_no_token),
	};

	if (sodium_init() < 0)
		return 1;
	return RUN(tests);
}
