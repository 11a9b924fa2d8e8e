#include "tests/unit/unit.h"

#include "cgi-auth/app/refresh_cookie.h"

#define NAME SPAN("gatehouse_refresh")

static const char *value_of(const char *cookies)
{
	static char text[256];
	struct span v;

	if (!refresh_cookie_value(span_of(cookies), NAME, &v))
		return NULL;
	assert_true(span_to_cstr(v, text, sizeof(text)));
	return text;
}

static void a_value_is_found_among_others(void **state)
{
	(void)state;
	assert_string_equal(value_of("gatehouse_refresh=abc"), "abc");
	assert_string_equal(value_of("a=b; gatehouse_refresh=abc; c=d"), "abc");
	assert_string_equal(value_of("a=b;gatehouse_refresh=abc"), "abc");
	assert_string_equal(value_of("gatehouse_refresh="), "");
	assert_string_equal(value_of("gatehouse_refresh=a=b"), "a=b");
}

static void the_first_of_two_values_is_used(void **state)
{
	(void)state;
	assert_string_equal(
		value_of("gatehouse_refresh=one; gatehouse_refresh=two"),
		"one");
}

static void a_similar_name_is_not_found(void **state)
{
	(void)state;
	assert_null(value_of(""));
	assert_null(value_of("gatehouse_refresh"));
	assert_null(value_of("xgatehouse_refresh=abc"));
	assert_null(value_of("gatehouse_refreshed=abc"));
	assert_null(value_of("Gatehouse_Refresh=abc"));
	assert_null(value_of("a=gatehouse_refresh=abc"));
	assert_null(value_of("; ;=;"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_value_is_found_among_others),
		TEST(the_first_of_two_values_is_used),
		TEST(a_similar_name_is_not_found),
	};

	return RUN(tests);
}
