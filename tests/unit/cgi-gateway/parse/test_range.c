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
	check_not("bytes=0-0,-1", 10000, ERR_NOT_FOUND);
	check_not("bytes= 0-999, 4500-5499, -1000", 10000, ERR_NOT_FOUND);
	check_not("bytes=500-600,601-999", 10000, ERR_NOT_FOUND);
	check_not("bytes=0-0,", 10000, ERR_NOT_FOUND);
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
		check_not(fields[i], 10, ERR_NOT_FOUND);
	assert_err(range_parse((struct span) { NULL, 0 }, 10,
			       &(struct range) { 0, 0 }),
		   ERR_NOT_FOUND);
	assert_err(
		range_parse(SPAN("bytes=1\0-2"), 10, &(struct range) { 0, 0 }),
		ERR_NOT_FOUND);
}

/* --- conditions ----------------------------------------------------------- */

/* RFC 9110's own date */
#define MODIFIED "Sun, 06 Nov 1994 08:49:37 GMT"
#define EARLIER "Sun, 06 Nov 1994 08:49:36 GMT"
#define LATER "Sun, 06 Nov 1994 08:49:38 GMT"
enum { MODIFIED_AT = 784111777 };
#define ETAG "\"xyzzy\""

static bool not_modified(const char *if_none_match, const char *since)
{
	const struct conditions c = {
		.if_none_match = span_of(if_none_match),
		.if_modified_since = span_of(since),
	};

	return condition_not_modified(&c, SPAN(ETAG), MODIFIED_AT);
}

static bool range_holds(const char *if_range)
{
	const struct conditions c = { .if_range = span_of(if_range) };

	return condition_range_holds(&c, SPAN(ETAG), MODIFIED_AT);
}

static void a_request_without_conditions_gets_the_file(void **state)
{
	(void)state;
	assert_false(not_modified(NULL, NULL));
	assert_true(range_holds(NULL));
}

static void an_etag_that_the_client_has_is_not_modified(void **state)
{
	(void)state;
	assert_true(not_modified(ETAG, NULL));
	assert_true(not_modified("W/" ETAG, NULL));
	assert_true(not_modified("\"r2d2\", " ETAG " , \"c3po\"", NULL));
	assert_true(not_modified("*", NULL));
	assert_false(not_modified("\"r2d2\"", NULL));
	assert_false(not_modified("\"XYZZY\"", NULL));
	assert_false(not_modified("xyzzy", NULL));
}

static void a_file_that_did_not_change_since_is_not_modified(void **state)
{
	(void)state;
	assert_true(not_modified(NULL, MODIFIED));
	assert_true(not_modified(NULL, LATER));
	assert_false(not_modified(NULL, EARLIER));
	assert_false(not_modified(NULL, "yesterday"));
}

static void a_date_is_ignored_beside_an_etag(void **state)
{
	(void)state;
	/* 13.1.3 */
	assert_false(not_modified("\"r2d2\"", LATER));
	assert_true(not_modified(ETAG, EARLIER));
}

static void an_if_range_matches_only_the_same_file(void **state)
{
	(void)state;
	assert_true(range_holds(ETAG));
	assert_true(range_holds(MODIFIED));
	assert_false(range_holds("\"r2d2\""));
	/* 13.1.5: strong comparison, exact match */
	assert_false(range_holds("W/" ETAG));
	assert_false(range_holds(EARLIER));
	assert_false(range_holds(LATER));
	assert_false(range_holds("*"));
	assert_false(range_holds(ETAG ", " ETAG));
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
		TEST(a_request_without_conditions_gets_the_file),
		TEST(an_etag_that_the_client_has_is_not_modified),
		TEST(a_file_that_did_not_change_since_is_not_modified),
		TEST(a_date_is_ignored_beside_an_etag),
		TEST(an_if_range_matches_only_the_same_file),
	};

	return RUN(tests);
}
