#include "cgi-gateway/parse/range.h"
#include "tests/unit/unit.h"

/* `field` asks of `size` bytes for those from first to last, both included */
static void check(const char *field, int64_t size, int64_t first, int64_t last)
{
	struct range r = { -7, -7 };

	assert_ok(range_parse(span_of(field), size, &r));
	assert_int_equal(r.first, first);
	assert_int_equal(r.length, last - first + 1);
}

static void check_not(const char *field, int64_t size, enum err why)
{
	struct range r = { -7, -7 };
	enum err e = range_parse(span_of(field), size, &r);

	if (e != why)
		print_error("\"%s\" of %lld bytes\n", field, (long long)size);
	assert_err(e, why);
	assert_int_equal(r.first, -7);
	assert_int_equal(r.length, -7);
}

/* --- RFC 9110 14.1.2, a representation of 10000 bytes --------------------- */

static void the_examples_of_rfc_9110_are_parsed(void **state)
{
	(void)state;
	check("bytes=0-499", 10000, 0, 499);
	check("bytes=500-999", 10000, 500, 999);
	check("bytes=-500", 10000, 9500, 9999);
	check("bytes=9500-", 10000, 9500, 9999);
}

static void several_ranges_get_the_whole_file(void **state)
{
	(void)state;
	check_not("bytes=0-0,-1", 10000, ERR_TOO_MANY);
	check_not("bytes= 0-999, 4500-5499, -1000", 10000, ERR_TOO_MANY);
	check_not("bytes=500-600,601-999", 10000, ERR_TOO_MANY);
}

static void both_edges_belong_to_the_range(void **state)
{
	(void)state;
	check("bytes=0-0", 10, 0, 0);
	check("bytes=9-9", 10, 9, 9);
	check("bytes=9-", 10, 9, 9);
	check("bytes=-1", 10, 9, 9);
	check("bytes=0-9", 10, 0, 9);
	check("bytes=0-", 10, 0, 9);
	check("bytes=0-", 1, 0, 0);
}

static void an_end_behind_the_file_is_its_last_byte(void **state)
{
	(void)state;
	check("bytes=0-10", 10, 0, 9);
	check("bytes=9-10", 10, 9, 9);
	check("bytes=5-1000000", 10, 5, 9);
	check("bytes=-10", 10, 0, 9);
	check("bytes=-11", 10, 0, 9);
}

static void a_start_behind_the_file_is_not_satisfiable(void **state)
{
	(void)state;
	check_not("bytes=10-", 10, ERR_RANGE);
	check_not("bytes=10-10", 10, ERR_RANGE);
	check_not("bytes=11-20", 10, ERR_RANGE);
	check_not("bytes=-0", 10, ERR_RANGE);
}

static void an_empty_file_has_no_ranges(void **state)
{
	(void)state;
	check_not("bytes=0-", 0, ERR_RANGE);
	check_not("bytes=0-0", 0, ERR_RANGE);
	check_not("bytes=-1", 0, ERR_RANGE);
}

static void a_file_of_any_size_has_ranges(void **state)
{
	const int64_t huge = INT64_MAX;

	(void)state;
	check("bytes=0-", huge, 0, huge - 1);
	check("bytes=0-9223372036854775806", huge, 0, huge - 1);
	check("bytes=0-9223372036854775807", huge, 0, huge - 1);
	check("bytes=9223372036854775806-", huge, huge - 1, huge - 1);
	check("bytes=-9223372036854775807", huge, 0, huge - 1);
	check("bytes=-9223372036854775806", huge, 1, huge - 1);
	check_not("bytes=9223372036854775807-", huge, ERR_RANGE);
}

static void numbers_that_do_not_fit_are_behind_every_file(void **state)
{
	(void)state;
	/* 14.1.2 sets no bound: a last byte that lies behind the file is its
	 * end, however far behind */
	check("bytes=0-9223372036854775808", 10, 0, 9);
	check("bytes=2-99999999999999999999999999999999", 10, 2, 9);
	check("bytes=-99999999999999999999999999999999", 10, 0, 9);
	check_not("bytes=9223372036854775808-", 10, ERR_RANGE);
	check_not("bytes=99999999999999999999-99999999999999999999", 10,
		  ERR_RANGE);
	/* 2^64 and 2^64 + 5 are not 0 and 5 */
	check_not("bytes=18446744073709551616-", 10, ERR_RANGE);
	check("bytes=0-18446744073709551621", 10, 0, 9);
}

static void leading_zeros_are_ignored(void **state)
{
	(void)state;
	check("bytes=000-0000000000000000000000000000001", 10, 0, 1);
	check("bytes=-0000000000000000000000000000001", 10, 9, 9);
}

static void the_unit_has_no_case_and_may_have_blanks_around_it(void **state)
{
	(void)state;
	check("Bytes=1-2", 10, 1, 2);
	check("bytes= 1-2 ", 10, 1, 2);
}

static void a_malformed_range_is_ignored(void **state)
{
	static const char *const fields[] = {
		"",
		"bytes",
		"bytes=",
		"bytes=-",
		"bytes=1",
		"bytes=a-b",
		"bytes=1-b",
		"bytes=a-1",
		"bytes=2-1",
		"bytes=--1",
		"bytes=1--2",
		"bytes=+1-2",
		"bytes=1-+2",
		"bytes=0x1-2",
		"bytes=1.0-2",
		"bytes=1 - 2",
		"bytes:1-2",
		"lines=1-2",
		"1-2",
		"=1-2",
		"bytesx=1-2",
		"bytes=1-2;3",
		"bytes=1-2-3",
		"bytes=-1-2",
		"bytes=11-10",
		"bytes==1-2",
		"bytes=99999999999999999999-1",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++)
		check_not(fields[i], 10, ERR_FORMAT);
	assert_err(range_parse((struct span) { NULL, 0 }, 10,
			       &(struct range) { 0, 0 }),
		   ERR_FORMAT);
	assert_err(
		range_parse(SPAN("bytes=1\0-2"), 10, &(struct range) { 0, 0 }),
		ERR_FORMAT);
}

static void of_several_ranges_only_those_inside_the_file_count(void **state)
{
	(void)state;
	check("bytes=0-4,10-", 10, 0, 4);
	check("bytes=20-30, 5-6 ,-0", 10, 5, 6);
	check("bytes=,0-4,,", 10, 0, 4);
	check_not("bytes=10-,20-30", 10, ERR_RANGE);
	check_not("bytes=0-1,5-6", 10, ERR_TOO_MANY);
	check_not("bytes=0-1,5-1", 10, ERR_FORMAT);
	check_not("bytes=0-1,x", 10, ERR_FORMAT);
	check_not("bytes=,", 10, ERR_FORMAT);
}

static void a_plain_field_has_the_usual_spelling(void **state)
{
	static const char *const plain[] = {
		"bytes=0-9",
		"bytes=5-",
		"bytes=-5",
		"bytes=0-1, 5-6",
		"bytes=999999999999999999-",
	};
	static const char *const other[] = {
		"",
		"Bytes=0-9",
		"bytes =0-9",
		"bytes=0-9x",
		"bytes=0-9\t",
		"bytes=0-9223372036854775808",
		"bytes=-0000000000000000001",
		"lines=0-9",
		"bytes=",
		"bytes=-",
		"bytes=5-1",
		"bytes=--1",
		"bytes=0-1,5-1",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(plain); i++)
		assert_true(range_is_plain(span_of(plain[i])));
	for (size_t i = 0; i < COUNT(other); i++)
		assert_false(range_is_plain(span_of(other[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_examples_of_rfc_9110_are_parsed),
		TEST(several_ranges_get_the_whole_file),
		TEST(both_edges_belong_to_the_range),
		TEST(an_end_behind_the_file_is_its_last_byte),
		TEST(a_start_behind_the_file_is_not_satisfiable),
		TEST(an_empty_file_has_no_ranges),
		TEST(a_file_of_any_size_has_ranges),
		TEST(numbers_that_do_not_fit_are_behind_every_file),
		TEST(leading_zeros_are_ignored),
		TEST(the_unit_has_no_case_and_may_have_blanks_around_it),
		TEST(a_malformed_range_is_ignored),
		TEST(of_several_ranges_only_those_inside_the_file_count),
		TEST(a_plain_field_has_the_usual_spelling),
	};

	return RUN(tests);
}
