#include "common/codec/http_date.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const char days[7][4] = {
	"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"
};
static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
				    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

/* Split a time into fields, with the year clamped so that each has its width */
static struct tm broken_down(int64_t t)
{
	const int64_t last = 253402300799; /* 9999-12-31T23:59:59Z */
	time_t at = (time_t)(t < 0 ? 0 : t > last ? last : t);
	struct tm tm = { 0 };

	(void)gmtime_r(&at, &tm);
	return tm;
}

/* Show the compiler's width checks what is already true: two digits at most */
static unsigned two(int n)
{
	return (unsigned)n % 100;
}

static unsigned four(int n)
{
	return (unsigned)n % 10000;
}

void http_date_format(int64_t t, char out[static HTTP_DATE_LEN + 1])
{
	struct tm tm = broken_down(t);

	(void)snprintf(out, HTTP_DATE_LEN + 1,
		       "%s, %02u %s %04u %02u:%02u:%02u GMT",
		       days[tm.tm_wday % 7], two(tm.tm_mday),
		       months[tm.tm_mon % 12], four(tm.tm_year + 1900),
		       two(tm.tm_hour), two(tm.tm_min), two(tm.tm_sec));
}

void rfc3339_format(int64_t t, char out[static RFC3339_LEN + 1])
{
	struct tm tm = broken_down(t);

	(void)snprintf(out, RFC3339_LEN + 1, "%04u-%02u-%02uT%02u:%02u:%02uZ",
		       four(tm.tm_year + 1900), two(tm.tm_mon + 1),
		       two(tm.tm_mday), two(tm.tm_hour), two(tm.tm_min),
		       two(tm.tm_sec));
}

void rfc3339_format_milli(int64_t ms, char out[static RFC3339_MILLI_LEN + 1])
{
	char whole[RFC3339_LEN + 1];

	rfc3339_format(ms / 1000, whole);
	(void)snprintf(out, RFC3339_MILLI_LEN + 1, "%.19s.%03uZ", whole,
		       (unsigned)(ms % 1000) % 1000);
}

/* Return the days since 1970-01-01 of a Gregorian date; months are 1 to 12. The
 * year starts in March here, so that the leap day comes last. */
static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
	int64_t shifted = m > 2 ? y : y - 1;
	int64_t era = shifted / 400, of_era = shifted % 400;
	int64_t of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
	       of_year - 719468;
}

static bool digits(struct span s, size_t at, size_t n, int64_t *out)
{
	return span_to_int((struct span) { s.p + at, n }, out);
}

/* Parse an IMF-fixdate */
static enum err parse_fixdate(struct span s, int64_t *out)
{
	int64_t day, year, hour, minute, second, t;
	char back[HTTP_DATE_LEN + 1];
	int month = 0;

	if (s.len != HTTP_DATE_LEN || !digits(s, 5, 2, &day) ||
	    !digits(s, 12, 4, &year) || !digits(s, 17, 2, &hour) ||
	    !digits(s, 20, 2, &minute) || !digits(s, 23, 2, &second))
		return ERR_FORMAT;
	while (month < 12 && memcmp(s.p + 8, months[month], 3) != 0)
		month++;
	if (month == 12 || year < 1970)
		return ERR_FORMAT;
	t = days_of(year, month + 1, day) * 86400 + hour * 3600 + minute * 60 +
	    second;
	/* Formatted again, it must be the same text: this checks all the rest,
	 * including the name of the day and a 31st of June */
	http_date_format(t, back);
	if (memcmp(back, s.p, HTTP_DATE_LEN) != 0)
		return ERR_FORMAT;
	*out = t;
	return ERR_OK;
}

/* Write the parts of an obsolete form as an IMF-fixdate, and parse that */
static enum err parse_parts(struct span day, struct span date,
			    struct span month, int64_t year, struct span time,
			    int64_t *out)
{
	char text[HTTP_DATE_LEN + 1];

	(void)snprintf(text, sizeof(text), "%.3s, %.2s %.3s %04u %.8s GMT",
		       day.p, date.p, month.p, (unsigned)year % 10000, time.p);
	return parse_fixdate((struct span) { text, strlen(text) }, out);
}

/* Parse the part of an RFC 850 date after the name of the day */
static enum err parse_after_day(struct span day, struct span s, int64_t now,
				int64_t *out)
{
	int64_t year, this_year = broken_down(now).tm_year + 1900;

	if (s.len != sizeof(", 06-Nov-94 08:49:37 GMT") - 1 || s.p[0] != ',' ||
	    s.p[1] != ' ' || s.p[4] != '-' || s.p[8] != '-' || s.p[11] != ' ' ||
	    memcmp(s.p + 20, " GMT", 4) != 0 || !digits(s, 9, 2, &year))
		return ERR_FORMAT;
	year += this_year / 100 * 100;
	if (year > this_year + 50)
		year -= 100;
	return parse_parts(day, span_from(s, 2), span_from(s, 5), year,
			   span_from(s, 12), out);
}

static enum err parse_rfc850(struct span s, int64_t now, int64_t *out)
{
	static const char *const names[] = { "Sunday",	  "Monday",   "Tuesday",
					     "Wednesday", "Thursday", "Friday",
					     "Saturday" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (span_has_prefix(s, span_of(names[i])))
			return parse_after_day(
				s, span_from(s, strlen(names[i])), now, out);
	return ERR_FORMAT;
}

static enum err parse_asctime(struct span s, int64_t *out)
{
	char date[3] = "";
	int64_t year;

	if (s.len != sizeof("Sun Nov  6 08:49:37 1994") - 1 || s.p[3] != ' ' ||
	    s.p[7] != ' ' || s.p[10] != ' ' || s.p[19] != ' ' ||
	    !digits(s, 20, 4, &year))
		return ERR_FORMAT;
	/* "Nov  6", not "Nov 06" */
	date[0] = s.p[8] == ' ' ? '0' : s.p[8];
	date[1] = s.p[9];
	if (s.p[8] == '0')
		return ERR_FORMAT;
	return parse_parts(s, (struct span) { date, 2 }, span_from(s, 4), year,
			   span_from(s, 11), out);
}

enum err http_date_parse(struct span s, int64_t now, int64_t *out)
{
	if (parse_fixdate(s, out) == ERR_OK || parse_asctime(s, out) == ERR_OK)
		return ERR_OK;
	return parse_rfc850(s, now, out);
}
