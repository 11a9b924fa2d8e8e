#include "common/base/span.h"

#include <string.h>

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

struct span span_of(const char *s)
{
	return (struct span) { s, s != NULL ? strlen(s) : 0 };
}

bool span_eq(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool span_eq_nocase(struct span a, struct span b)
{
	return a.len == b.len && span_has_prefix_nocase(a, b);
}

bool span_has_prefix(struct span s, struct span prefix)
{
	return s.len >= prefix.len &&
	       span_eq((struct span) { s.p, prefix.len }, prefix);
}

bool span_has_prefix_nocase(struct span s, struct span prefix)
{
	if (s.len < prefix.len)
		return false;
	for (size_t i = 0; i < prefix.len; i++)
		if (lower(s.p[i]) != lower(prefix.p[i]))
			return false;
	return true;
}

bool span_has_suffix(struct span s, struct span suffix)
{
	return s.len >= suffix.len &&
	       span_eq(span_from(s, s.len - suffix.len), suffix);
}

size_t span_find(struct span s, char c)
{
	const char *hit = s.len > 0 ? memchr(s.p, c, s.len) : NULL;

	return hit != NULL ? (size_t)(hit - s.p) : s.len;
}

struct span span_from(struct span s, size_t from)
{
	if (s.p == NULL || from > s.len)
		return (struct span) { s.p, 0 };
	return (struct span) { s.p + from, s.len - from };
}

bool span_cut(struct span *s, char sep, struct span *rest)
{
	size_t at = span_find(*s, sep);

	if (at == s->len)
		return false;
	*rest = span_from(*s, at + 1);
	s->len = at;
	return true;
}

bool span_cut_last(struct span *s, char sep, struct span *rest)
{
	size_t at = s->len;

	while (at > 0 && s->p[at - 1] != sep)
		at--;
	if (at == 0)
		return false;
	*rest = span_from(*s, at);
	s->len = at - 1;
	return true;
}

bool span_next(struct span *s, char sep, struct span *item)
{
	struct span head = *s, rest;

	if (s->p == NULL)
		return false;
	if (!span_cut(&head, sep, &rest))
		rest = (struct span) { NULL, 0 };
	*s = rest;
	*item = span_trim(head);
	return true;
}

struct span span_trim(struct span s)
{
	while (s.len > 0 && blank(s.p[0]))
		s = span_from(s, 1);
	while (s.len > 0 && blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

bool span_to_int(struct span s, int64_t *out)
{
	int64_t n = 0;

	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		int digit = s.p[i] - '0';

		if (digit < 0 || digit > 9 || n > (INT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*out = n;
	return true;
}

bool span_list_has(struct span list, struct span word)
{
	struct span item;

	while (span_next(&list, ' ', &item))
		if (item.len > 0 && span_eq(item, word))
			return true;
	return false;
}

bool span_list_has_all(struct span list, struct span words)
{
	struct span word;

	while (span_next(&words, ' ', &word))
		if (word.len > 0 && !span_list_has(list, word))
			return false;
	return true;
}

bool span_to_cstr(struct span s, char *out, size_t cap)
{
	if (s.len >= cap || span_find(s, '\0') != s.len)
		return false;
	if (s.len > 0)
		memcpy(out, s.p, s.len);
	out[s.len] = '\0';
	return true;
}

bool span_has_control(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return true;
	return false;
}

bool span_is_ascii(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}
