#include "common/codec/json.h"

#include "common/codec/encode.h"
#include "common/codec/json_fault.h"

#include <string.h>

static size_t digits_end(struct span s, size_t at)
{
	while (at < s.len && s.p[at] >= '0' && s.p[at] <= '9')
		at++;
	return at;
}

/* Skip one of `chars` at `at`, if it is there. */
static size_t skip(struct span s, size_t at, struct span chars)
{
	return at + (at < s.len && span_find(chars, s.p[at]) < chars.len);
}

/* Return the length of the number at the start of `s`, 0 if there is none.
 * RFC 8259 6: "01", "1.", "-.5" and "1e" are not numbers. */
static size_t number_length(struct span s)
{
	size_t first = skip(s, 0, SPAN("-")), end = digits_end(s, first), from;

	if (end == first || (s.p[first] == '0' && end > first + 1))
		return 0;
	if (end < s.len && s.p[end] == '.') {
		from = end + 1;
		end = digits_end(s, from);
		if (end == from)
			return 0;
	}
	if (end < s.len && (s.p[end] == 'e' || s.p[end] == 'E')) {
		from = skip(s, end + 1, SPAN("+-"));
		end = digits_end(s, from);
		if (end == from)
			return 0;
	}
	return end;
}

static struct span skip_blanks(struct span s)
{
	const struct span blanks = SPAN(" \t\n\r");
	size_t n = 0;

	while (n < s.len && span_find(blanks, s.p[n]) < blanks.len)
		n++;
	return span_from(s, n);
}

/* Return the length of the token at the start of `s`, outside a text; 0 if
 * RFC 8259 has none such there. */
static size_t token_length(struct span s)
{
	const struct span words[] = { SPAN("true"), SPAN("false"),
				      SPAN("null") };
	const struct span single = SPAN("{}[]:, \t\n\r");
	struct span next;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (span_has_prefix(s, words[i]))
			return words[i].len;
	if (span_find(single, s.p[0]) == single.len)
		return number_length(s);
	next = skip_blanks(span_from(s, 1));
	/* A comma is followed by a member or a value */
	if (s.p[0] == ',' && next.len > 0 &&
	    (next.p[0] == '}' || next.p[0] == ']'))
		return 0;
	return 1;
}

/* Return the length of what one character of a text is written as, 0 if it may
 * not stand there. A NUL would end a key early, and json-c replaces half of a
 * surrogate pair. */
static size_t text_length(struct span s)
{
	if ((unsigned char)s.p[0] < 0x20 || span_has_prefix(s, SPAN("\\u0000")))
		return 0;
	return s.p[0] == '\\' ? json_fault_escape(s) : 1;
}

/* Check the tokens; json-c checks their order. Its strict mode would do most
 * of it, but that of 0.18 refuses every byte from 0x80 on. Count the
 * keys: a colon outside a text follows each. */
static bool scan(struct span s, size_t *keys)
{
	bool quoted = false;
	size_t n;

	*keys = 0;
	for (size_t i = 0; i < s.len; i += n) {
		struct span here = span_from(s, i);

		if (s.p[i] == '"') {
			quoted = !quoted;
			n = 1;
			continue;
		}
		n = quoted ? text_length(here) : token_length(here);
		if (n == 0)
			return false;
		if (!quoted && s.p[i] == ':')
			++*keys;
	}
	return true;
}

/* Count the keys of an object. json-c silently keeps the last of two equal
 * keys: the object then has fewer members than the text has keys. */
static size_t keys_in_object(struct json_object *o)
{
	size_t n = 0;

	if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach(o, key, value)
		{
			(void)key;
			n += 1 + keys_in_object(value);
		}
	} else if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			n += keys_in_object(json_object_array_get_idx(o, i));
	}
	return n;
}

enum err json_read(struct span text, struct json_object **out)
{
	struct json_tokener *tok;
	struct json_object *o = NULL;
	enum err e = ERR_FORMAT;
	size_t keys;

	if (text.len > INT32_MAX || !utf8_valid(text) || !scan(text, &keys))
		return ERR_FORMAT;
	tok = json_tokener_new_ex(JSON_DEPTH);
	if (tok == NULL)
		return ERR_MEMORY;
	o = json_tokener_parse_ex(tok, text.p, (int)text.len);
	if (json_tokener_get_error(tok) == json_tokener_success &&
	    skip_blanks(span_from(text, json_tokener_get_parse_end(tok))).len ==
		    0 &&
	    json_object_is_type(o, json_type_object) &&
	    keys == keys_in_object(o)) {
		*out = o;
		o = NULL;
		e = ERR_OK;
	}
	json_object_put(o);
	json_tokener_free(tok);
	return e;
}

enum err json_get_text(struct json_object *o, const char *key, char *out,
		       size_t cap)
{
	struct json_object *v;
	struct span s;

	if (!json_object_object_get_ex(o, key, &v))
		return ERR_NOT_FOUND;
	if (!json_object_is_type(v, json_type_string))
		return ERR_FORMAT;
	s = (struct span) { json_object_get_string(v),
			    (size_t)json_object_get_string_len(v) };
	if (span_has_control(s))
		return ERR_FORMAT;
	return span_to_cstr(s, out, cap) ? ERR_OK : ERR_FORMAT;
}

enum err json_get_int(struct json_object *o, const char *key, int64_t *out)
{
	struct json_object *v;
	int64_t n;

	if (!json_object_object_get_ex(o, key, &v))
		return ERR_NOT_FOUND;
	if (!json_object_is_type(v, json_type_int))
		return ERR_FORMAT;
	n = json_object_get_int64(v);
	/* json-c clamps a number out of range to the limits */
	if (n == INT64_MAX || n == INT64_MIN)
		return ERR_FORMAT;
	*out = n;
	return ERR_OK;
}

enum err json_get_bool(struct json_object *o, const char *key, bool *out)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v))
		return ERR_NOT_FOUND;
	if (!json_object_is_type(v, json_type_boolean))
		return ERR_FORMAT;
	*out = json_object_get_boolean(v);
	return ERR_OK;
}

static void set(struct json_object *o, const char *key, struct json_object *v)
{
	if (v != NULL && json_object_object_add(o, key, v) != 0)
		json_object_put(v);
}

void json_set_span(struct json_object *o, const char *key, struct span s)
{
	set(o, key, json_object_new_string_len(s.p, (int)s.len));
}

void json_set_str(struct json_object *o, const char *key, const char *s)
{
	json_set_span(o, key, span_of(s));
}

void json_set_int(struct json_object *o, const char *key, int64_t n)
{
	set(o, key, json_object_new_int64(n));
}

void json_set_bool(struct json_object *o, const char *key, bool b)
{
	set(o, key, json_object_new_boolean(b));
}

struct json_object *json_add_array(struct json_object *o, const char *key)
{
	struct json_object *array = o != NULL ? json_object_new_array() : NULL;

	if (array != NULL && json_object_object_add(o, key, array) != 0) {
		json_object_put(array);
		return NULL;
	}
	return array;
}

enum err json_append(struct json_object *array, struct json_object *o)
{
	if (o != NULL && json_object_array_add(array, o) == 0)
		return ERR_OK;
	json_object_put(o);
	return ERR_MEMORY;
}

struct span json_write(struct json_object *o)
{
	size_t len = 0;
	const char *p = json_object_to_json_string_length(
		o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
		&len);

	return (struct span) { p, p != NULL ? len : 0 };
}
