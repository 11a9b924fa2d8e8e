/* store_fixture.h - runs the cases of a test against each implementation of
 * the store. A new implementation is a struct store_fixture in `fixtures`. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include "cgi-gateway/store/disk/store_disk.h"
#include "tests/unit/cgi-gateway/folder.h"
#include "tests/unit/cgi-gateway/store/store_memory.h"
#include "tests/unit/cgi-gateway/store/store_objects.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

/* --- the implementations -------------------------------------------------- */

struct store_fixture {
	const char *name;
	bool has_paths;
	void (*make)(void); /* an empty place for a store */
	enum err (*open)(struct store **out);
	void (*remove)(void); /* the place, with all in it */
};

static char disk_dir[FOLDER_PATH_MAX];

static inline void disk_make(void)
{
	folder_make(disk_dir);
}

static inline enum err disk_open(struct store **out)
{
	return store_disk_open(disk_dir, out, &why);
}

static inline void disk_remove(void)
{
	folder_remove(disk_dir);
}

static struct memory_data *memory_data;

static inline void memory_make(void)
{
	memory_data = memory_data_new();
	assert_non_null(memory_data);
}

static inline enum err memory_open(struct store **out)
{
	return store_memory_open(memory_data, out, &why);
}

static inline void memory_remove(void)
{
	memory_data_free(memory_data);
	memory_data = NULL;
}

static const struct store_fixture fixtures[] = {
	{ "disk", true, disk_make, disk_open, disk_remove },
	{ "memory", false, memory_make, memory_open, memory_remove },
};

/* --- the case that runs --------------------------------------------------- */

static const struct store_fixture *fixture;

static inline int open_store(void **state)
{
	fixture = *state;
	fixture->make();
	if (fixture->open(&store) != ERR_OK)
		return -1;
	why.text[0] = '\0';
	return 0;
}

static inline int close_store(void **state)
{
	(void)state;
	store_close(store);
	store = NULL;
	fixture->remove();
	return 0;
}

/* Another store of the same place, as another process has it */
static inline struct store *open_another(void)
{
	struct store *s = NULL;

	assert_ok(fixture->open(&s));
	return s;
}

struct store_case {
	const char *name;
	CMUnitTestFunction run;
};

#define STORE_CASE(function)        \
	{                           \
#function, function \
	}

/* Every case with every fixture, named "disk: case" */
static inline int run_cases(const struct store_case *cases, size_t count,
			    CMFixtureFunction setup, CMFixtureFunction teardown)
{
	struct CMUnitTest *tests =
		calloc(count * COUNT(fixtures), sizeof(*tests));
	char(*names)[128] = calloc(count * COUNT(fixtures), sizeof(*names));
	size_t n = 0;
	int failed = 1;

	if (tests != NULL && names != NULL) {
		for (size_t f = 0; f < COUNT(fixtures); f++)
			for (size_t i = 0; i < count; i++, n++) {
				(void)snprintf(names[n], sizeof(names[n]),
					       "%s: %s", fixtures[f].name,
					       cases[i].name);
				tests[n] = (struct CMUnitTest) {
					names[n], cases[i].run, setup, teardown,
					(void *)(uintptr_t)&fixtures[f]
				};
			}
		failed = _cmocka_run_group_tests("store", tests, n, NULL, NULL);
	}
	free(tests);
	free(names);
	return failed;
}

#endif
