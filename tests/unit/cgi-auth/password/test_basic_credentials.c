#include "tests/unit/unit.h"

#include "cgi-auth/password/basic_credentials.h"
#include "common/codec/encode.h"

#include <stdlib.h>

/* "Basic " and the base64 of `text` */
static enum err parse(struct span text, struct basic_credentials *out)
{
	char header[4096] = "Basic ";

	base64_encode(text, header + 6, sizeof(header) - 6);
	return basic_credentials_parse(span_of(header), out);
}

static void the_example_of_rfc_7617_is_parsed(void **state)
{
	struct basic_credentials c;

	(void)state;
	/* RFC 7617 2 */
	assert_ok(basic_credentials_parse(
		SPAN("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), &c));
	assert_string_equal(c.user, "Aladdin");
	assert_string_equal(c.password, "open sesame");
	/* RFC 7617 2.1: "test" and "123" with a pound sign, in UTF-8 */
	assert_ok(basic_credentials_parse(SPAN("Basic dGVzdDoxMjPCow=="), &c));
	assert_string_equal(c.password, "123\xc2\xa3");
}

static void the_case_of_the_scheme_and_blanks_are_ignored(void **state)
{
	struct basic_credentials c;

	(void)state;
	assert_ok(basic_credentials_parse(SPAN("bAsIc YTpi"), &c));
	assert_ok(basic_credentials_parse(SPAN("  Basic   YTpi  "), &c));
	assert_string_equal(c.user, "a");
	assert_string_equal(c.password, "b");
}

static void an_empty_header_and_other_schemes_have_no_credentials(void **state)
{
	struct basic_credentials c;

	(void)state;
	assert_err(basic_credentials_parse((struct span) { NULL, 0 }, &c),
		   ERR_NO_CREDENTIALS);
	assert_err(basic_credentials_parse(SPAN(""), &c), ERR_NO_CREDENTIALS);
	assert_err(basic_credentials_parse(SPAN("Bearer YTpi"), &c),
		   ERR_NO_CREDENTIALS);
	assert_err(basic_credentials_parse(SPAN("BasicYTpi"), &c),
		   ERR_NO_CREDENTIALS);
	assert_err(basic_credentials_parse(SPAN("Basi YTpi"), &c),
		   ERR_NO_CREDENTIALS);
}

static void the_first_colon_separates_user_and_password(void **state)
{
	struct basic_credentials c;

	(void)state;
	assert_ok(parse(SPAN("a@b:c:d::"), &c));
	assert_string_equal(c.user, "a@b");
	assert_string_equal(c.password, "c:d::");
	assert_err(parse(SPAN("no colon"), &c), ERR_FORMAT);
}

static void user_and_password_may_be_empty(void **state)
{
	struct basic_credentials c;

	(void)state;
	assert_ok(parse(SPAN(":"), &c));
	assert_string_equal(c.user, "");
	assert_string_equal(c.password, "");
}

static void base64_that_is_not_canonical_is_refused(void **state)
{
	static const char *const bad[] = {
		"Basic",       "Basic ",
		"Basic YTp",   "Basic YTpiYw",
		"Basic YTpi=", "Basic YT pi",
		"Basic YTpi!", "Basic YTpiYx==",
		"Basic -_8=",  "Basic YTpi, Basic YTpi",
	};
	struct basic_credentials c;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_err(basic_credentials_parse(span_of(bad[i]), &c),
			   ERR_FORMAT);
}

static void control_characters_are_refused(void **state)
{
	struct basic_credentials c;

	(void)state;
	assert_err(parse(SPAN("a\0b:c"), &c), ERR_FORMAT);
	assert_err(parse(SPAN("a:b\0"), &c), ERR_FORMAT);
	assert_err(parse(SPAN("a:b\n"), &c), ERR_FORMAT);
	assert_err(parse(SPAN("a\t:b"), &c), ERR_FORMAT);
	assert_err(parse(SPAN("a:\x7f"), &c), ERR_FORMAT);
}

static void text_that_is_not_utf8_is_read_as_iso_8859_1(void **state)
{
	struct basic_credentials c;

	(void)state;
	/* Python: requests.post(url, auth=("müller@x", "Paßwörter")) */
	assert_ok(parse(SPAN("m\xfcller@x:Pa\xdfw\xf6rter"), &c));
	assert_string_equal(c.user, "m\xc3\xbcller@x");
	assert_string_equal(c.password, "Pa\xc3\x9fw\xc3\xb6rter");
	assert_ok(parse(SPAN("a:\xa0\xff"), &c));
	assert_string_equal(c.password, "\xc2\xa0\xc3\xbf");
	/* one byte that is not UTF-8 decides for both texts */
	assert_ok(parse(SPAN("\xc3\xbc:\xfc"), &c));
	assert_string_equal(c.user, "\xc3\x83\xc2\xbc");
	assert_string_equal(c.password, "\xc3\xbc");
	assert_ok(parse(SPAN("\xc3\xbc:\xc3\xbc"), &c));
	assert_string_equal(c.user, "\xc3\xbc");
}

static void control_characters_of_iso_8859_1_are_refused(void **state)
{
	struct basic_credentials c;

	(void)state;
	assert_err(parse(SPAN("a:\x80\xfc"), &c), ERR_FORMAT);
	assert_err(parse(SPAN("a:\xfc\x9f"), &c), ERR_FORMAT);
	assert_err(parse(SPAN("a:\xfc\n"), &c), ERR_FORMAT);
	assert_err(parse(SPAN("\xfc\xfc"), &c), ERR_FORMAT);
}

static void iso_8859_1_is_limited_by_its_length_as_utf8(void **state)
{
	char text[BASIC_PASSWORD_MAX + 3];
	struct basic_credentials c;

	(void)state;
	memset(text, 0xfc, sizeof(text));
	memcpy(text, "a:", 2);
	assert_ok(
		parse((struct span) { text, 2 + BASIC_PASSWORD_MAX / 2 }, &c));
	assert_int_equal(strlen(c.password), BASIC_PASSWORD_MAX);
	assert_err(
		parse((struct span) { text, 3 + BASIC_PASSWORD_MAX / 2 }, &c),
		ERR_TOO_LARGE);
	assert_err(parse((struct span) { text, sizeof(text) - 1 }, &c),
		   ERR_TOO_LARGE);
}

static void texts_of_the_maximum_length_are_accepted(void **state)
{
	char text[BASIC_USER_MAX + BASIC_PASSWORD_MAX + 3];
	struct basic_credentials c;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[BASIC_USER_MAX] = ':';
	assert_ok(parse((struct span) { text, sizeof(text) - 2 }, &c));
	assert_int_equal(strlen(c.user), BASIC_USER_MAX);
	assert_int_equal(strlen(c.password), BASIC_PASSWORD_MAX);
	assert_err(parse((struct span) { text, sizeof(text) - 1 }, &c),
		   ERR_TOO_LARGE);
	text[BASIC_USER_MAX] = 'x';
	text[BASIC_USER_MAX + 1] = ':';
	assert_err(parse((struct span) { text, sizeof(text) - 3 }, &c),
		   ERR_TOO_LARGE);
}

static void a_huge_header_is_not_decoded(void **state)
{
	size_t n = 1 << 20;
	char *text = malloc(n);
	struct basic_credentials c;

	(void)state;
	assert_non_null(text);
	memset(text, 'A', n);
	memcpy(text, "Basic ", 6);
	assert_err(basic_credentials_parse((struct span) { text, n }, &c),
		   ERR_TOO_LARGE);
	free(text);
}

static void a_failure_leaves_the_output_untouched(void **state)
{
	struct basic_credentials c;

	(void)state;
	memset(&c, 'z', sizeof(c));
	assert_err(parse(SPAN("abc:d\n"), &c), ERR_FORMAT);
	for (size_t i = 0; i < sizeof(c); i++)
		assert_int_equal(((char *)&c)[i], 'z');
}

static void a_wiped_struct_is_all_zeros(void **state)
{
	struct basic_credentials c;

	(void)state;
	assert_ok(parse(SPAN("a:secret"), &c));
	basic_credentials_wipe(&c);
	for (size_t i = 0; i < sizeof(c); i++)
		assert_int_equal(((char *)&c)[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_example_of_rfc_7617_is_parsed),
		TEST(the_case_of_the_scheme_and_blanks_are_ignored),
		TEST(an_empty_header_and_other_schemes_have_no_credentials),
		TEST(the_first_colon_separates_user_and_password),
		TEST(user_and_password_may_be_empty),
		TEST(base64_that_is_not_canonical_is_refused),
		TEST(control_characters_are_refused),
		TEST(text_that_is_not_utf8_is_read_as_iso_8859_1),
		TEST(control_characters_of_iso_8859_1_are_refused),
		TEST(iso_8859_1_is_limited_by_its_length_as_utf8),
		TEST(texts_of_the_maximum_length_are_accepted),
		TEST(a_huge_header_is_not_decoded),
		TEST(a_failure_leaves_the_output_untouched),
		TEST(a_wiped_struct_is_all_zeros),
	};

	return RUN(tests);
}
