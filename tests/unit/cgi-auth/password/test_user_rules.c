#include "tests/unit/unit.h"

#include "cgi-auth/password/basic_credentials.h"
#include "cgi-auth/password/user_rules.h"

static char many[2048];

static struct span xs(size_t n)
{
	memset(many, 'x', sizeof(many));
	return (struct span) { many, n };
}

static void an_email_has_a_name_and_a_host(void **state)
{
	static const char *const good[] = { "you@example.org", "a@b",
					    "o'brien+x@sub.example.org",
					    "j\xc3\xb6rg@example.org" };
	static const char *const bad[] = {
		"",	  "you",
		"@",	  "you@",
		"@host",  "a@b@c",
		"a b@c",  "a@b c",
		" a@b",	  "a:b@c",
		"a\n@b",  "a@b\x7f",
		"\xff@b", "a@b\r\nX-Evil: 1",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_null(user_email_fault(span_of(good[i])));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_non_null(user_email_fault(span_of(bad[i])));
	assert_non_null(user_email_fault(SPAN("a\0@b")));
}

static void an_email_is_no_longer_than_its_column(void **state)
{
	(void)state;
	xs(256);
	many[1] = '@';
	assert_null(user_email_fault((struct span) { many, 255 }));
	assert_non_null(user_email_fault((struct span) { many, 256 }));
}

static void a_password_has_eight_characters_not_bytes(void **state)
{
	(void)state;
	assert_non_null(user_password_fault(SPAN("")));
	assert_non_null(user_password_fault(SPAN("1234567")));
	assert_null(user_password_fault(SPAN("12345678")));
	/* seven characters, fourteen bytes */
	assert_non_null(user_password_fault(SPAN(
		"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4")));
	assert_null(user_password_fault(SPAN("correct horse: battery")));
	/* seven characters, however they are composed */
	assert_non_null(user_password_fault(SPAN("u\xcc\x88u\xcc\x88"
						 "u\xcc\x88u\xcc\x88"
						 "u\xcc\x88u\xcc\x88"
						 "u\xcc\x88")));
}

static void texts_are_equal_without_case_and_composition(void **state)
{
	(void)state;
	assert_true(user_texts_equal(SPAN("M\xc3\x9cLLER@x"),
				     SPAN("mu\xcc\x88ller@X")));
	assert_true(user_texts_equal(SPAN("a@x"), SPAN("A@X")));
	assert_false(
		user_texts_equal(SPAN("m\xc3\xbcller@x"), SPAN("muller@x")));
	assert_false(user_texts_equal(SPAN("a\xff"), SPAN("a\xff")));
}

static void a_password_that_http_basic_cannot_send_is_refused(void **state)
{
	(void)state;
	assert_null(user_password_fault(xs(BASIC_PASSWORD_MAX)));
	assert_non_null(user_password_fault(xs(BASIC_PASSWORD_MAX + 1)));
	assert_non_null(user_password_fault(SPAN("12345678\n")));
	assert_non_null(user_password_fault(SPAN("1234567\0008")));
	assert_non_null(user_password_fault(SPAN("12345678\xff")));
}

static void a_scope_has_one_blank_between_words(void **state)
{
	static const char *const good[] = { "", "admin",
					    "files:read files:write", "a!b ~" };
	static const char *const bad[] = { " ",	   " a",       "a ",
					   "a  b", "a\tb",     "a\"b",
					   "a\\b", "\xc3\xa4", "a\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_null(user_scope_fault(span_of(good[i])));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_non_null(user_scope_fault(span_of(bad[i])));
	assert_null(user_scope_fault(xs(255)));
	assert_non_null(user_scope_fault(xs(256)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_email_has_a_name_and_a_host),
		TEST(an_email_is_no_longer_than_its_column),
		TEST(a_password_has_eight_characters_not_bytes),
		TEST(texts_are_equal_without_case_and_composition),
		TEST(a_password_that_http_basic_cannot_send_is_refused),
		TEST(a_scope_has_one_blank_between_words),
	};

	return RUN(tests);
}
