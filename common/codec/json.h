/* json.h - json-c with stricter checks, the same for each of its versions.
 *
 * json-c accepts more than RFC 8259 does (comments, single quotes, NaN, a comma
 * before a bracket, half of a surrogate pair), and what its strict mode refuses differs from version to
 * version: that of 0.18 refuses UTF-8. It also accepts trailing bytes, keeps
 * the last of two equal keys, and returns "a\0b" as "a". json_read() refuses
 * these by itself, so its result can be used by name; json_get_text() uses
 * lengths and refuses control characters.
 */
#ifndef JSON_H
#define JSON_H

#include "common/base/err.h"
#include "common/base/span.h"

#include <json-c/json.h>

enum {
	JSON_DEPTH = 4, /* levels of nesting that are read */
};

/* Parse one whole JSON object, RFC 8259, strict. On ERR_OK *out is owned:
 * json_object_put(). ERR_FORMAT otherwise, including for a duplicate key. */
enum err json_read(struct span text, struct json_object **out) MUST_CHECK;

/* Copy the string member `key` into `out`, terminated. ERR_NOT_FOUND if it is
 * absent; ERR_FORMAT if it is not a string, does not fit, or contains a control
 * character. */
enum err json_get_text(struct json_object *o, const char *key, char *out,
		       size_t cap) MUST_CHECK;

/* Read the integer member `key`. ERR_NOT_FOUND; ERR_FORMAT for a fraction or a
 * number out of range. */
enum err json_get_int(struct json_object *o, const char *key,
		      int64_t *out) MUST_CHECK;

/* Read the boolean member `key`. ERR_NOT_FOUND, ERR_FORMAT. */
enum err json_get_bool(struct json_object *o, const char *key,
		       bool *out) MUST_CHECK;

/* Set members of an object being built. They ignore a failed allocation, as
 * json-c does: the text then lacks the member. */
void json_set_span(struct json_object *o, const char *key, struct span s);
void json_set_str(struct json_object *o, const char *key, const char *s);
void json_set_int(struct json_object *o, const char *key, int64_t n);
void json_set_bool(struct json_object *o, const char *key, bool b);

/* Add an empty array as member `key`. It is borrowed from `o`; NULL when out of
 * memory, or when `o` is NULL. */
struct json_object *json_add_array(struct json_object *o, const char *key);

/* Append `o` to an array, which then owns it. ERR_MEMORY, also if `o` is NULL
 * because memory ran out before; `o` is then released. */
enum err json_append(struct json_object *array,
		     struct json_object *o) MUST_CHECK;

/* Return the text of `o` without white space or escaped slashes; owned by `o`,
 * valid until it changes. */
struct span json_write(struct json_object *o);

#endif
