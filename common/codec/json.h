/* json.h - json-c with its soft spots covered.
 *
 * json-c takes trailing bytes, keeps the last of two equal keys, and hands out
 * "a\0b" as "a". json_read() refuses all three, so what comes out of it can be
 * used by name; json_get_text() hands out lengths and refuses control
 * characters.
 */
#ifndef JSON_H
#define JSON_H

#include "common/base/err.h"
#include "common/base/span.h"

#include <json-c/json.h>

enum {
	JSON_DEPTH = 4, /* nesting that we read */
};

/* Parse one whole JSON object, RFC 8259, strict. On ERR_OK *out is owned:
 * json_object_put(). ERR_FORMAT otherwise, for a duplicate key too. */
enum err json_read(struct span text, struct json_object **out) MUST_CHECK;

/* Copy the string member `key` into `out`, terminated.
 * ERR_NOT_FOUND when absent; ERR_FORMAT when it is no string, does not fit,
 * or holds a control character. */
enum err json_get_text(struct json_object *o, const char *key, char *out,
		       size_t cap) MUST_CHECK;

/* The integer member `key`. ERR_NOT_FOUND, or ERR_FORMAT for a fraction or
 * what does not fit. */
enum err json_get_int(struct json_object *o, const char *key,
		      int64_t *out) MUST_CHECK;

/* The boolean member `key`. ERR_NOT_FOUND, ERR_FORMAT. */
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

/* Append `o` to an array, which owns it then. ERR_MEMORY, also when `o` is NULL
 * because memory ran out before; `o` is released in this case. */
enum err json_append(struct json_object *array,
		     struct json_object *o) MUST_CHECK;

/* The text of `o` without white space and without escaped slashes; owned by
 * `o`, valid until it changes. */
struct span json_write(struct json_object *o);

#endif
