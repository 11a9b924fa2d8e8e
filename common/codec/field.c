#include "common/codec/field.h"

#include <string.h>

static bool is_tchar(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

bool field_is_token(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_tchar(s.p[i]))
			return false;
	return s.len > 0;
}

/* Return the length of the text between the quotes; `s` starts after the first.
 * Returns s.len if the closing quote is missing. */
static size_t quoted_length(struct span s)
{
	size_t i;

	for (i = 0; i < s.len && s.p[i] != '"'; i++)
		if (s.p[i] == '\\' && i + 1 < s.len &&
		    (s.p[i + 1] == '"' || s.p[i + 1] == '\\'))
			i++;
	return i < s.len ? i : s.len;
}

enum err field_next_param(struct span *rest, struct span *name,
			  struct span *value)
{
	struct span s = span_trim(*rest), key, after;

	while (s.len > 0 && s.p[0] == ';')
		s = span_trim(span_from(s, 1));
	if (s.len == 0)
		return ERR_NOT_FOUND;
	key = s;
	if (!span_cut(&key, '=', &after) || !field_is_token(key))
		return ERR_FORMAT;
	if (after.len > 0 && after.p[0] == '"') {
		struct span inside = span_from(after, 1);
		size_t n = quoted_length(inside);

		if (n == inside.len)
			return ERR_FORMAT;
		*value = (struct span) { inside.p, n };
		after = span_trim(span_from(inside, n + 1));
		if (after.len > 0 && after.p[0] != ';')
			return ERR_FORMAT;
	} else {
		size_t n = span_find(after, ';');

		*value = span_trim((struct span) { after.p, n });
		after = span_from(after, n);
	}
	*name = key;
	*rest = after;
	return ERR_OK;
}

size_t field_unquote(struct span s, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '\\' && i + 1 < s.len &&
		    (s.p[i + 1] == '"' || s.p[i + 1] == '\\'))
			i++;
		out[n++] = s.p[i];
	}
	return n;
}

enum err field_param(struct span value, struct span wanted, struct span *out)
{
	struct span head = value, rest, name, found;
	enum err e;

	if (!span_cut(&head, ';', &rest))
		return ERR_NOT_FOUND;
	while ((e = field_next_param(&rest, &name, &found)) == ERR_OK) {
		if (span_eq_nocase(name, wanted)) {
			*out = found;
			return ERR_OK;
		}
	}
	return e;
}

/* Return a weight in thousandths (RFC 9110 12.4.2); 0 if it is malformed */
static int weight_of(struct span params)
{
	struct span name, value, fraction = { NULL, 0 };
	int q = 0, scale = 100;

	while (field_next_param(&params, &name, &value) == ERR_OK) {
		if (!span_eq_nocase(name, SPAN("q")))
			continue;
		(void)span_cut(&value, '.', &fraction);
		if (span_eq(value, SPAN("1")))
			return 1000;
		if (!span_eq(value, SPAN("0")))
			return 0;
		for (size_t i = 0; i < fraction.len && i < 3; i++) {
			if (fraction.p[i] < '0' || fraction.p[i] > '9')
				return 0;
			q += (fraction.p[i] - '0') * scale;
			scale /= 10;
		}
		return q;
	}
	return 1000;
}

static int accept_weight(struct span accept, struct span type)
{
	struct span item, params, kind = type, subtype;
	int weight = 0, best = -1;

	(void)span_cut(&kind, '/', &subtype);
	while (span_next(&accept, ',', &item)) {
		int precise = -1;

		if (!span_cut(&item, ';', &params))
			params = (struct span) { NULL, 0 };
		item = span_trim(item);
		if (span_eq_nocase(item, type))
			precise = 2;
		else if (item.len == kind.len + 2 &&
			 span_has_prefix_nocase(item, kind) &&
			 span_has_suffix(item, SPAN("/*")))
			precise = 1;
		else if (span_eq(item, SPAN("*/*")))
			precise = 0;
		if (precise > best) {
			best = precise;
			weight = weight_of(params);
		}
	}
	return weight;
}

bool field_accept_prefers(struct span accept, struct span type,
			  struct span other)
{
	return accept_weight(accept, type) > accept_weight(accept, other);
}

bool field_next_etag(struct span *rest, struct span *tag, bool *weak)
{
	struct span s = span_trim(*rest);
	size_t end;

	while (s.len > 0 && s.p[0] == ',') /* RFC 9110 5.6.1.2: empty items */
		s = span_trim(span_from(s, 1));
	*weak = span_has_prefix(s, SPAN("W/"));
	if (*weak)
		s = span_from(s, 2);
	if (!span_has_prefix(s, SPAN("\"")))
		return false;
	/* A tag may contain commas, but neither a quote nor a backslash as an
	 * escape */
	end = span_find(span_from(s, 1), '"') + 1;
	if (end >= s.len)
		return false;
	*tag = (struct span) { s.p, end + 1 };
	s = span_trim(span_from(s, end + 1));
	if (s.len > 0 && s.p[0] != ',')
		return false;
	*rest = s;
	return true;
}

bool field_etag_matches(struct span list, struct span etag,
			enum etag_comparison how)
{
	struct span tag;
	bool weak;

	if (span_eq(span_trim(list), SPAN("*")))
		return true;
	while (field_next_etag(&list, &tag, &weak))
		if (span_eq(tag, etag) && (how == ETAG_WEAK || !weak))
			return true;
	return false;
}
