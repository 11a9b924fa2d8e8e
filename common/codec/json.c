#include "common/codec/json.h"

#include "common/codec/encode.h"

#include <string.h>

static size_t digits_end(struct span s, size_t at)
{
	while (at < s.len && s.p[at] >= '0' && s.p[at] <= '9')
		at++;
	return at;
}

/* Check the part of RFC 8259 6 that json-c does not: "01", "1." and "-.5" are
 * not numbers */
static bool is_number(struct span s)
{
	size_t first = s.len > 0 && s.p[0] == '-';
	size_t end = digits_end(s, first);

	if (end == first || (s.p[first] == '0' && end > first + 1))
		return false;
	return end == s.len || s.p[end] != '.' ||
	       digits_end(s, end + 1) > end + 1;
}

static size_t number_length(struct span s)
{
	const struct span letters = SPAN("+-.eE0123456789");
	size_t n = 0;

	while (n < s.len && span_find(letters, s.p[n]) < letters.len)
		n++;
	return n;
}

/* Find what json-c accepts against RFC 8259, even in its strict mode: single
 * quotes, NaN, Infinity, malformed numbers, raw control characters. A NUL would
 * end a key early. Also count the keys: each colon outside a string follows a
 * key. */
static bool scan(struct span s, size_t *keys)
{
	bool quoted = false;

	*keys = 0;
	for (size_t i = 0; i < s.len; i++) {
		struct span here = span_from(s, i);
		char c = s.p[i];
		bool number = !quoted && (c == '-' || (c >= '0' && c <= '9'));
		size_t n = number ? number_length(here) : 1;

		if (quoted && ((unsigned char)c < 0x20 ||
			       span_has_prefix(here, SPAN("\\u0000"))))
			return false;
		if (!quoted && (c == '\'' || c == 'N' || c == 'I'))
			return false;
		if (number && !is_number((struct span) { here.p, n }))
			return false;
		if (c == '"')
			quoted = !quoted;
		else if (quoted && c == '\\')
			n = 2;
		else if (!quoted && c == ':')
			++*keys;
		i += n - 1;
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
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
	o = json_tokener_parse_ex(tok, text.p, (int)text.len);
	if (json_tokener_get_error(tok) == json_tokener_success &&
	    json_tokener_get_parse_end(tok) == text.len &&
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
