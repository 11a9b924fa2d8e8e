#include "cgi-gateway/parse/range.h"

#include "common/codec/field.h"
#include "common/codec/http_date.h"

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

enum err range_parse(struct span field, int64_t size, struct range *out)
{
	struct span unit = field, spec, last;
	int64_t from, to;

	if (!span_cut(&unit, '=', &spec) ||
	    !span_eq_nocase(span_trim(unit), SPAN("bytes")) ||
	    span_find(spec, ',') != spec.len)
		return ERR_NOT_FOUND;
	spec = span_trim(spec);
	if (!span_cut(&spec, '-', &last))
		return ERR_NOT_FOUND;
	if (spec.len == 0) { /* "-500": the last 500 bytes */
		if (!parse_position(last, &to))
			return ERR_NOT_FOUND;
		if (to == 0 || size == 0)
			return ERR_RANGE;
		from = to < size ? size - to : 0;
		*out = (struct range) { from, size - from };
		return ERR_OK;
	}
	if (!parse_position(spec, &from))
		return ERR_NOT_FOUND;
	to = size - 1;
	if (last.len > 0 && (!parse_position(last, &to) || to < from))
		return ERR_NOT_FOUND;
	if (from >= size)
		return ERR_RANGE;
	if (to >= size)
		to = size - 1;
	*out = (struct range) { from, to - from + 1 };
	return ERR_OK;
}

bool condition_not_modified(const struct conditions *c, struct span etag,
			    int64_t modified)
{
	int64_t since;

	/* 13.1.3: If-Modified-Since is ignored if there is an If-None-Match */
	if (c->if_none_match.len > 0)
		return field_etag_matches(c->if_none_match, etag);
	return http_date_parse(c->if_modified_since, &since) == ERR_OK &&
	       modified <= since;
}

bool condition_range_holds(const struct conditions *c, struct span etag,
			   int64_t modified)
{
	int64_t when;

	if (c->if_range.len == 0)
		return true;
	/* 13.1.5: strong comparison, so a weak tag never matches; a date must
	 * be exactly the one that we sent */
	if (http_date_parse(c->if_range, &when) == ERR_OK)
		return when == modified;
	return span_eq(c->if_range, etag);
}
