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
};

/* Look for the fault of a text that json_read() refused. *key is the name of
 * the member for JSON_FAULT_TWICE, as it is in the text. */
enum json_fault json_fault_of(struct span text, struct span *key);

#endif
