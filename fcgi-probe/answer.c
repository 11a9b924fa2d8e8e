#include "fcgi-probe/answer.h"

enum {
	OK = 200, /* RFC 3875 6.3.3: what leaving Status out means */
	STATUS_MIN = 100,
	STATUS_MAX = 999,
};

/* "503 Service Unavailable", of which the words may be missing */
static bool read_status(struct span value, int *status)
{
	struct span words;
	int64_t n;

	value = span_trim(value);
	(void)span_cut(&value, ' ', &words);
	if (!span_to_int(value, &n) || n < STATUS_MIN || n > STATUS_MAX)
		return false;
	*status = (int)n;
	return true;
}

enum err answer_read(struct span text, struct answer *out)
{
	struct span line = text, rest, value;
	int status = OK;

	while (span_cut(&line, '\n', &rest)) {
		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		if (line.len == 0) {
			*out = (struct answer) { status, rest };
			return ERR_OK;
		}
		if (span_cut(&line, ':', &value) &&
		    span_eq_nocase(line, SPAN("Status")) &&
		    !read_status(value, &status))
			return ERR_FORMAT;
		line = rest;
	}
	return ERR_FORMAT;
}
