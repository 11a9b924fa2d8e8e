/* fuzz.h - what every harness includes. libFuzzer calls fuzz_one() with bytes
 * of its own making; a promise of the header under test that does not hold is a
 * crash. */
#ifndef FUZZ_H
#define FUZZ_H

#include "common/base/err.h"
#include "common/base/span.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define MUST(promise)                                                          \
	do {                                                                   \
		if (!(promise)) {                                              \
			(void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, \
				      __LINE__, #promise);                     \
			abort();                                               \
		}                                                              \
	} while (0)

/* A copy of exactly its size, so that a sanitizer sees whoever looks further */
static inline struct span fuzz_copy(const uint8_t *data, size_t size)
{
	char *p = malloc(size > 0 ? size : 1);

	MUST(p != NULL);
	if (size > 0)
		memcpy(p, data, size);
	return (struct span) { p, size };
}

static inline void fuzz_free(struct span s)
{
	free((void *)(uintptr_t)s.p);
}

static inline bool fuzz_inside(struct span whole, struct span part)
{
	return part.len == 0 ||
	       (part.p >= whole.p && part.p + part.len <= whole.p + whole.len);
}

#endif
