#include "common/codec/http_date.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <time.h>

#define NOW INT64_C(1795867200)		  /* 2026-11-28 */
#define LAST_SECOND INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

static const struct {
	int64_t t;
	const char *http, *rfc3339;
} dates[] = {
	{ 0, "Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00Z" },
	{ 784111777, "Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z" },
	{ 951782400, "Tue, 29 Feb 2000 00:00:00 GMT", "2000-02-29T00:00:00Z" },
	{ 951868799, "Tue, 29 Feb 2000 23:59:59 GMT", "2000-02-29T23:59:59Z" },
	{ 1709164800, "Thu, 29 Feb 2024 00:00:00 GMT", "2024-02-29T00:00:00Z" },
	{ 2147483648, "Tue, 19 Jan 2038 03:14:08 GMT", "2038-01-19T03:14:08Z" },
	{ 4107542400, "Mon, 01 Mar 2100 00:00:00 GMT", "2100-03-01T00:00:00Z" },
	{ LAST_SECOND, "Fri, 31 Dec 9999 23:59:59 GMT",
	  "9999-12-31T23:59:59Z" },
};

static void known_times_are_formatted(void **state)
{
	char http[HTTP_DATE_LEN + 1], rfc3339[RFC3339_LEN + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(dates); i++) {
		http_date_format(dates[i].t, http);
		assert_string_equal(http, dates[i].http);
		rfc3339_format(dates[i].t, rfc3339);
		assert_string_equal(rfc3339, dates[i].rfc3339);
	}
}

static void known_texts_are_parsed(void **state)
{
	int64_t t;

	(void)state;
	for (size_t i = 0; i < COUNT(dates); i++) {
		assert_ok(http_date_parse(span_of(dates[i].http), NOW, &t));
		assert_int_equal(t, dates[i].t);
	}
}

static void every_day_of_four_centuries_survives_formatting_and_parsing(
	void **state)
{
	char text[HTTP_DATE_LEN + 1];
	int64_t back;

	(void)state;
	for (int64_t t = 43199; t < 400LL * 366 * 86400; t += 86400) {
		http_date_format(t, text);
		assert_ok(http_date_parse(span_of(text), NOW, &back));
		assert_int_equal(back, t);
	}
}

static void times_out_of_range_are_formatted_as_the_nearest_limit(void **state)
{
	char text[HTTP_DATE_LEN + 1];

	(void)state;
	http_date_format(-1, text);
	assert_string_equal(text, "Thu, 01 Jan 1970 00:00:00 GMT");
	http_date_format(LAST_SECOND + 1, text);
	assert_string_equal(text, "Fri, 31 Dec 9999 23:59:59 GMT");
	http_date_format(INT64_MAX, text);
	assert_string_equal(text, "Fri, 31 Dec 9999 23:59:59 GMT");
	http_date_format(INT64_MIN, text);
	assert_string_equal(text, "Thu, 01 Jan 1970 00:00:00 GMT");
}

static void milliseconds_have_three_digits(void **state)
{
	char text[RFC3339_MILLI_LEN + 1];

	(void)state;
	rfc3339_format_milli(784111777007, text);
	assert_string_equal(text, "1994-11-06T08:49:37.007Z");
	rfc3339_format_milli(784111777999, text);
	assert_string_equal(text, "1994-11-06T08:49:37.999Z");
}

static void a_text_that_is_not_a_date_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"Mon, 06 Nov 1994 08:49:37 GMT", /* it was a Sunday */
		"sun, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1994 08:49:37 gmt",
		"Sun, 06 Nov 1994 08:49:37 GMT ",
		"Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 8:49:37 GMT",
		"Sun, 06 Nov 1994 24:00:00 GMT",
		"Sun, 06 Nov 1994 23:60:00 GMT",
		"Sun, 06 Nov 1994 23:59:60 GMT",
		"Thu, 31 Jun 1999 00:00:00 GMT",
		"Wed, 29 Feb 2023 00:00:00 GMT",
		"Mon, 29 Feb 2100 00:00:00 GMT",
		"Sat, 00 Jan 2000 00:00:00 GMT",
		"Wed, 31 Dec 1969 23:59:59 GMT",
		"Sun, +6 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov -994 08:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:3\t GMT",
		"Sun, 06 Foo 1994 08:49:37 GMT",
		"Sun,\t06 Nov 1994 08:49:37 GMT",
	};
	int64_t t = 77;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_err(http_date_parse(span_of(wrong[i]), NOW, &t),
			   ERR_FORMAT);
	assert_err(http_date_parse(SPAN("Sun, 06 Nov 1994 08:49:37 GM\0"), NOW,
				   &t),
		   ERR_FORMAT);
	assert_int_equal(t, 77);
}

static void assert_date(const char *text, int64_t now, int64_t want)
{
	int64_t t = 77;

	if (want >= 0)
		assert_ok(http_date_parse(span_of(text), now, &t));
	else
		assert_err(http_date_parse(span_of(text), now, &t), ERR_FORMAT);
	assert_int_equal(t, want >= 0 ? want : 77);
}

static void the_two_obsolete_forms_are_parsed(void **state)
{
	(void)state;
	assert_date("Sunday, 06-Nov-94 08:49:37 GMT", NOW, 784111777);
	assert_date("Sun Nov  6 08:49:37 1994", NOW, 784111777);
	assert_date("Tuesday, 29-Feb-00 23:59:59 GMT", NOW, 951868799);
	assert_date("Tue Feb 29 23:59:59 2000", NOW, 951868799);
	assert_date("Wednesday, 14-Nov-18 00:00:00 GMT", NOW, 1542153600);
	assert_date("Wed Nov 14 00:00:00 2018", NOW, 1542153600);
}

static void a_year_of_two_digits_is_at_most_fifty_years_ahead(void **state)
{
	(void)state;
	assert_date("Wednesday, 01-Jan-76 00:00:00 GMT", NOW, 3345062400);
	assert_date("Saturday, 01-Jan-77 00:00:00 GMT", NOW, 220924800);
	assert_date("Friday, 01-Jan-99 00:00:00 GMT", NOW, 915148800);
	/* In 2130, the year 94 is 2094 */
	assert_date("Saturday, 06-Nov-94 08:49:37 GMT", 5049216000, 3939871777);
}

static void anything_like_an_obsolete_form_is_refused(void **state)
{
	static const char *const wrong[] = {
		"Sun, 06-Nov-94 08:49:37 GMT",
		"Monday, 06-Nov-94 08:49:37 GMT",
		"Sunday, 06-Nov-1994 08:49:37 GMT",
		"Sunday, 6-Nov-94 08:49:37 GMT",
		"Sunday, 06 Nov 94 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37",
		"Sunday, 06-Nov-94 08:49:37 UTC",
		"sunday, 06-Nov-94 08:49:37 GMT",
		"Sunday 06-Nov-94 08:49:37 GMT",
		"Mon Nov  6 08:49:37 1994",
		"Sun Nov 06 08:49:37 1994",
		"Sun Nov 6 08:49:37 1994",
		"Sun Nov  6 08:49:37 1994 GMT",
		"Sun Nov  6 08:49:37 94",
		"Sun Nov  6 8:49:37 1994 ",
		"Sun Nov    08:49:37 1994",
		"Sunday",
		"Sunday, ",
		"Sunday, 31-Jun-99 00:00:00 GMT",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_date(wrong[i], NOW, -1);
	assert_err(http_date_parse(SPAN("Sun Nov  6 08:49:37\0 994"), NOW,
				   &(int64_t) { 0 }),
		   ERR_FORMAT);
}

static void a_changed_character_is_refused_or_another_time(void **state)
{
	char text[HTTP_DATE_LEN + 1], again[HTTP_DATE_LEN + 1];
	int64_t t;

	(void)state;
	for (size_t at = 0; at < HTTP_DATE_LEN; at++) {
		for (int c = 0; c < 256; c++) {
			memcpy(text, dates[1].http, sizeof(text));
			text[at] = (char)c;
			if (http_date_parse(
				    (struct span) { text, HTTP_DATE_LEN }, NOW,
				    &t) != ERR_OK)
				continue;
			http_date_format(t, again);
			assert_memory_equal(again, text, HTTP_DATE_LEN);
		}
	}
}

static void the_time_zone_is_ignored(void **state)
{
	char text[HTTP_DATE_LEN + 1];
	int64_t t;

	(void)state;
	assert_int_equal(setenv("TZ", "Pacific/Kiritimati", 1), 0);
	tzset();
	http_date_format(784111777, text);
	assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_ok(http_date_parse(span_of(text), NOW, &t));
	assert_int_equal(t, 784111777);
	assert_int_equal(unsetenv("TZ"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(known_times_are_formatted),
		TEST(known_texts_are_parsed),
		TEST(every_day_of_four_centuries_survives_formatting_and_parsing),
		TEST(times_out_of_range_are_formatted_as_the_nearest_limit),
		TEST(milliseconds_have_three_digits),
		TEST(a_text_that_is_not_a_date_is_refused),
		TEST(the_two_obsolete_forms_are_parsed),
		TEST(a_year_of_two_digits_is_at_most_fifty_years_ahead),
		TEST(anything_like_an_obsolete_form_is_refused),
		TEST(a_changed_character_is_refused_or_another_time),
		TEST(the_time_zone_is_ignored),
	};

	return RUN(tests);
}
