/* http_date.h - times as text: HTTP's (RFC 9110 5.6.7) and JSON's (RFC 3339).
 *
 * Times are whole seconds since 1970 UTC, years 1970 to 9999. No call reads
 * the clock, the locale or the time zone.
 */
#ifndef HTTP_DATE_H
#define HTTP_DATE_H

#include "common/base/err.h"
#include "common/base/span.h"

enum {
	HTTP_DATE_LEN = 29,	/* "Sun, 06 Nov 1994 08:49:37 GMT" */
	RFC3339_LEN = 20,	/* "1994-11-06T08:49:37Z" */
	RFC3339_MILLI_LEN = 24, /* "1994-11-06T08:49:37.000Z" */
};

void http_date_format(int64_t t, char out[static HTTP_DATE_LEN + 1]);
void rfc3339_format(int64_t t, char out[static RFC3339_LEN + 1]);
void rfc3339_format_milli(int64_t ms, char out[static RFC3339_MILLI_LEN + 1]);

/* Parse a date of any of the three forms that RFC 9110 5.6.7 requires of a
 * recipient:
 *
 *	Sun, 06 Nov 1994 08:49:37 GMT	IMF-fixdate, the only one still sent
 *	Sunday, 06-Nov-94 08:49:37 GMT	RFC 850
 *	Sun Nov  6 08:49:37 1994	asctime
 *
 * The two digits of an RFC 850 year are of the century of `now`, or of the one
 * before if the date would be more than 50 years after it. ERR_FORMAT for
 * anything else, such as the wrong day of the week. */
enum err http_date_parse(struct span s, int64_t now, int64_t *out) MUST_CHECK;

#endif
