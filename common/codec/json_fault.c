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
			if (level == 1 && is_key(text, i + 1) &&
			    found == JSON_FAULT_TEXT && is_repeated(&keys, s)) {
				*key = s;
				found = JSON_FAULT_TWICE;
			}
		}
	}
	return found;
}
