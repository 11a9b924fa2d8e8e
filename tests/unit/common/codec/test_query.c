#include "common/codec/query.h"
#include "tests/unit/unit.h"

static void assert_value(const char *query, const char *name, const char *want)
{
	char out[64];
	size_t n;

	assert_ok(
		query_get(span_of(query), span_of(name), out, sizeof(out), &n));
	assert_span_str(((struct span) { out, n }), want);
}

static void values_are_found_by_name_and_decoded(void **state)
{
	(void)state;
	assert_value("fid=abc", "fid", "abc");
	assert_value("a=1&b=2&c=3", "b", "2");
	assert_value("name=a+b%20c%2B%26%3D", "name", "a b c+&=");
	assert_value("n=%C3%A9", "n", "\xc3\xa9");
	assert_value("eq=a=b", "eq", "a=b");
}

static void a_name_without_a_value_has_the_empty_value(void **state)
{
	(void)state;
	assert_value("inline", "inline", "");
	assert_value("inline=", "inline", "");
	assert_value("a&inline&b", "inline", "");
}

static void the_first_of_two_values_is_used(void **state)
{
	(void)state;
	assert_value("id=1&id=2", "id", "1");
	assert_value("id=&id=2", "id", "");
}

static void an_absent_name_is_not_found(void **state)
{
	static const char *const queries[] = { "",	"&",	  "&&&",
					       "xid=1", "idx=1",  "ID=1",
					       "a=id",	"i%64=1", "=id" };
	char out[8];
	size_t n = 77;

	(void)state;
	for (size_t i = 0; i < COUNT(queries); i++)
		assert_err(query_get(span_of(queries[i]), SPAN("id"), out,
				     sizeof(out), &n),
			   ERR_NOT_FOUND);
	assert_err(query_get((struct span) { NULL, 0 }, SPAN("id"), out,
			     sizeof(out), &n),
		   ERR_NOT_FOUND);
	assert_int_equal(n, 77);
}

static void a_stray_percent_sign_is_malformed(void **state)
{
	char out[8];
	size_t n;

	(void)state;
	assert_err(query_get(SPAN("id=%"), SPAN("id"), out, sizeof(out), &n),
		   ERR_FORMAT);
	assert_err(query_get(SPAN("id=%zz"), SPAN("id"), out, sizeof(out), &n),
		   ERR_FORMAT);
	assert_ok(
		query_get(SPAN("x=%&id=1"), SPAN("id"), out, sizeof(out), &n));
}

static void a_nul_byte_is_returned_with_the_length(void **state)
{
	char out[8];
	size_t n;

	(void)state;
	assert_ok(
		query_get(SPAN("id=a%00b"), SPAN("id"), out, sizeof(out), &n));
	assert_span(((struct span) { out, n }), "a\0b");
}

static void a_value_that_fills_its_buffer_is_decoded_and_a_longer_one_is_not(
	void **state)
{
	char out[4];
	size_t n;

	(void)state;
	assert_ok(query_get(SPAN("id=1234"), SPAN("id"), out, sizeof(out), &n));
	assert_int_equal(n, 4);
	assert_err(
		query_get(SPAN("id=12345"), SPAN("id"), out, sizeof(out), &n),
		ERR_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(values_are_found_by_name_and_decoded),
		TEST(a_name_without_a_value_has_the_empty_value),
		TEST(the_first_of_two_values_is_used),
		TEST(an_absent_name_is_not_found),
		TEST(a_stray_percent_sign_is_malformed),
		TEST(a_nul_byte_is_returned_with_the_length),
		TEST(a_value_that_fills_its_buffer_is_decoded_and_a_longer_one_is_not),
	};

	return RUN(tests);
}
