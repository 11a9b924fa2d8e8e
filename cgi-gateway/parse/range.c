#include "cgi-gateway/parse/range.h"

enum {
	PLAIN_DIGITS = 18, /* such a number is less than INT64_MAX */
};

/* Parse a position in a file. RFC 9110 14.1.2 sets no limit: a number that does
 * not fit into int64_t is valid, and past the end of every file. */
static bool parse_position(struct span s, int64_t *out)
{
	if (span_to_int(s, out))
		return true;
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	*out = INT64_MAX;
	return s.len > 0;
}

/* Parse one range. ERR_FORMAT; ERR_RANGE. */
static enum err parse_one(struct span spec, int64_t size, struct range *out)
{
	struct span last;
	int64_t from, to;

	if (!span_cut(&spec, '-', &last))
		return ERR_FORMAT;
	if (spec.len == 0) { /* "-500": the last 500 bytes */
		if (!parse_position(last, &to))
			return ERR_FORMAT;
		if (to == 0 || size == 0)
			return ERR_RANGE;
		from = to < size ? size - to : 0;
		*out = (struct range) { from, size - from };
		return ERR_OK;
	}
	if (!parse_position(spec, &from))
		return ERR_FORMAT;
	to = size - 1;
	if (last.len > 0 && (!parse_position(last, &to) || to < from))
		return ERR_FORMAT;
	if (from >= size)
		return ERR_RANGE;
	if (to >= size)
		to = size - 1;
	*out = (struct range) { from, to - from + 1 };
	return ERR_OK;
}

enum err range_parse(struct span field, int64_t size, struct range *out)
{
	struct span unit = field, list, spec;
	struct range found = { 0, 0 };
	size_t ranges = 0, inside = 0;

	if (!span_cut(&unit, '=', &list) ||
	    !span_eq_nocase(span_trim(unit), SPAN("bytes")))
		return ERR_FORMAT;
	while (span_next(&list, ',', &spec)) {
		enum err e;

		if (spec.len == 0) /* RFC 9110 5.6.1.2: an empty item */
			continue;
		e = parse_one(spec, size, &found);
		if (e == ERR_FORMAT)
			return e;
		ranges++;
		inside += e == ERR_OK;
	}
	if (ranges == 0)
		return ERR_FORMAT;
	if (inside != 1)
		return inside == 0 ? ERR_RANGE : ERR_TOO_MANY;
	*out = found;
	return ERR_OK;
}

bool range_is_plain(struct span field)
{
	struct range unused;
	size_t digits = 0;

	/* Every well-formed range is outside an empty file */
	if (!span_has_prefix(field, SPAN("bytes=")) ||
	    range_parse(field, 0, &unused) != ERR_RANGE)
		return false;
	for (size_t i = sizeof("bytes=") - 1; i < field.len; i++) {
		char c = field.p[i];

		if (c >= '0' && c <= '9')
			digits++;
		else if (c == '-' || c == ',' || c == ' ')
			digits = 0;
		else
			return false;
		if (digits > PLAIN_DIGITS)
			return false;
	}
	return true;
}
