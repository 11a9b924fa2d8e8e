/* json_memory.h - makes one allocation of a JSON object or array fail, as if
 * memory had run out. */
#ifndef JSON_MEMORY_H
#define JSON_MEMORY_H

#include <json-c/json.h>
#include <limits.h>

/* The linker gives the program these instead of json-c's (--wrap) */
struct json_object *__real_json_object_new_object(void);
struct json_object *__real_json_object_new_array(void);
struct json_object *__wrap_json_object_new_object(void);
struct json_object *__wrap_json_object_new_array(void);

enum { JSON_MEMORY_ENOUGH = INT_MAX };

static int json_allocations_left = JSON_MEMORY_ENOUGH; /* before one fails */

static inline int json_memory_fails(void)
{
	if (json_allocations_left == JSON_MEMORY_ENOUGH)
		return 0;
	if (json_allocations_left-- > 0)
		return 0;
	json_allocations_left = JSON_MEMORY_ENOUGH;
	return 1;
}

struct json_object *__wrap_json_object_new_object(void)
{
	return json_memory_fails() ? NULL : __real_json_object_new_object();
}

struct json_object *__wrap_json_object_new_array(void)
{
	return json_memory_fails() ? NULL : __real_json_object_new_array();
}

/* Call `ask` with the first allocation failing, then the second, and so on until
 * none fails: it must return 500 each time, and `status` then. */
static inline void assert_survives_no_memory(int (*ask)(void), int status)
{
	int n = 0, got;

	for (;;) {
		json_allocations_left = n;
		got = ask();
		if (json_allocations_left != JSON_MEMORY_ENOUGH)
			break;
		assert_int_equal(got, 500);
		n++;
	}
	json_allocations_left = JSON_MEMORY_ENOUGH;
	assert_int_equal(got, status);
	assert_true(n > 0);
}

#endif
