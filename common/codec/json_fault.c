#include "common/codec/json_fault.h"

/* The keys of the outermost object, in order */
struct keys {
	struct span list[JSON_FAULT_KEYS];
	size_t count;
};

/* Return the text of the string that starts after the quote at `at`, without
 * its quotes */
static struct span quoted(struct span text, size_t at)
{
	struct span s = span_from(text, at + 1);
	size_t n = 0;

	while (n < s.len && s.p[n] != '"')
		n += s.p[n] == '\\' && n + 1 < s.len ? 2 : 1;
	s.len = n;
	return s;
}

/* Whether an escape is a half of a surrogate pair: its third digit is one of
 * `digits` (RFC 8259 7) */
static bool is_half(struct span s, struct span digits)
{
	return s.len >= 6 && s.p[0] == '\\' && s.p[1] == 'u' &&
	       (s.p[2] == 'd' || s.p[2] == 'D') &&
	       span_find(digits, s.p[3]) < digits.len;
}

size_t json_fault_escape(struct span s)
{
	const struct span first = SPAN("89abAB"), second = SPAN("cdefCDEF");

	if (is_half(s, second))
		return 0;
	if (!is_half(s, first))
		return 2;
	return is_half(span_from(s, 6), second) ? 12 : 0;
}

static bool has_half(struct span s)
{
	size_t n;

	for (size_t i = 0; i < s.len; i += n) {
		n = s.p[i] == '\\' ? json_fault_escape(span_from(s, i)) : 1;
		if (n == 0)
			return true;
	}
	return false;
}

static bool is_key(struct span text, size_t end)
{
	while (end < text.len && (text.p[end] == ' ' || text.p[end] == '\t' ||
				  text.p[end] == '\r' || text.p[end] == '\n'))
		end++;
	return end < text.len && text.p[end] == ':';
}

/* Whether `key` was there before; remember it otherwise */
static bool is_repeated(struct keys *k, struct span key)
{
	for (size_t i = 0; i < k->count; i++)
		if (span_eq(k->list[i], key))
			return true;
	if (k->count < JSON_FAULT_KEYS)
		k->list[k->count++] = key;
	return false;
}

enum json_fault json_fault_of(struct span text, struct span *key)
{
	struct keys keys = { .count = 0 };
	enum json_fault found = JSON_FAULT_TEXT;
	int level = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];

		if (c == '{' || c == '[')
			level++;
		if (c == '}' || c == ']')
			level--;
		if (level > JSON_FAULT_LEVELS)
			return JSON_FAULT_DEEP;
		if (c == '"') {
			struct span s = quoted(text, i);

			i += s.len + 1;
			if (found == JSON_FAULT_TEXT && has_half(s))
				found = JSON_FAULT_HALF;
			if (level == 1 && is_key(text, i + 1) &&
			    found == JSON_FAULT_TEXT && is_repeated(&keys, s)) {
				*key = s;
				found = JSON_FAULT_TWICE;
			}
		}
	}
	return found;
}
