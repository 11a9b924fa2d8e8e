/* json_fault.h - why json_read() refused a text, as far as a client can mend it.
 *
 * A second look at the text only, for the sentence of an error: what is refused
 * is decided by json.h.
 */
#ifndef JSON_FAULT_H
#define JSON_FAULT_H

#include "common/base/span.h"

enum {
	/* Levels of objects and arrays that are read; the value of a member is
	 * the last of JSON_DEPTH */
	JSON_FAULT_LEVELS = 3,
	JSON_FAULT_KEYS = 64, /* first keys of the object that are compared */
};

enum json_fault {
	JSON_FAULT_TEXT,  /* not a JSON object */
	JSON_FAULT_DEEP,  /* nested deeper than JSON_FAULT_LEVELS */
	JSON_FAULT_TWICE, /* a member of the object occurs twice */
	JSON_FAULT_HALF,  /* half of a surrogate pair (RFC 7493 2.1) */
};

/* Return the length of the escape that `s` begins with, as far as it matters to
 * find the end of a string: 12 for both halves of a surrogate pair, 0 for a half
 * that stands alone, which is no character, 2 for any other. */
size_t json_fault_escape(struct span s);

/* Look for the fault of a text that json_read() refused. *key is the name of
 * the member for JSON_FAULT_TWICE, as it is in the text. */
enum json_fault json_fault_of(struct span text, struct span *key);

#endif
