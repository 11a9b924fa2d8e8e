/* json_list.h - a JSON object with one long array, written row by row.
 *
 *	json_list_begin(&l, "files");
 *	e = json_list_add(&l, row);		for each row
 *	json_list_end(&l, ",\"next\":null");
 *	... json_list_text(&l) ...
 *	json_list_release(&l);
 *
 * A row is an object of json-c only until its text has been appended, so a list
 * needs the memory of its text, not that of a tree. It is complete before it is
 * sent: an error of a later row replaces it, and the database's connection is
 * not kept while a client reads.
 */
#ifndef JSON_LIST_H
#define JSON_LIST_H

#include "common/base/buf.h"
#include "common/codec/json.h"

enum {
	JSON_LIST_MAX = 8 << 20, /* bytes of the whole text */
};

struct json_list {
	struct buf text;
	bool any;
};

/* `key` is a literal that needs no escapes. */
void json_list_begin(struct json_list *l, const char *key);

/* Append a row and release it. ERR_MEMORY, also if `o` is NULL because memory ran
 * out before; ERR_TOO_LARGE. */
enum err json_list_add(struct json_list *l, struct json_object *o) MUST_CHECK;

/* Close the array and the object; `members` is the text of the members after the
 * array, each with a comma before it, or "". */
void json_list_end(struct json_list *l, const char *members);

/* The whole text; ERR_MEMORY, ERR_TOO_LARGE. */
enum err json_list_text(const struct json_list *l, struct span *out) MUST_CHECK;

void json_list_release(struct json_list *l);

#endif
