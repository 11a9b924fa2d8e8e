/* unit.h - included by every unit test: cmocka with its headers, and asserts
 * for our own types. Tests run from the repository's root.
 */
#ifndef UNIT_H
#define UNIT_H

#include "common/base/err.h"
#include "common/base/span.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TEST(name) cmocka_unit_test(name)
#define RUN(tests) cmocka_run_group_tests(tests, NULL, NULL)
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Compare two enum err; a failure prints their texts */
#define assert_err(got, want) assert_string_equal(err_text(got), err_text(want))
#define assert_ok(got) assert_err(got, ERR_OK)

/* Compare a span with a literal, which may contain NUL bytes */
#define assert_span(got, lit) \
	unit_span_is(got, "" lit, sizeof("" lit) - 1, __FILE__, __LINE__)
/* Compare a span with a terminated string */
#define assert_span_str(got, str) \
	unit_span_is(got, str, strlen(str), __FILE__, __LINE__)
#define assert_contains(text, part) \
	unit_contains(text, part, true, __FILE__, __LINE__)
#define assert_lacks(text, part) \
	unit_contains(text, part, false, __FILE__, __LINE__)

static inline void unit_span_is(struct span got, const char *want, size_t n,
				const char *file, int line)
{
	if (got.len == n && (n == 0 || memcmp(got.p, want, n) == 0))
		return;
	print_error("\"%.*s\" (%zu bytes) is not \"%.*s\" (%zu bytes)\n",
		    SPAN_ARG(got), got.len, (int)n, want, n);
	_fail(file, line);
}

static inline void unit_contains(const char *text, const char *part, bool want,
				 const char *file, int line)
{
	if ((strstr(text, part) != NULL) == want)
		return;
	print_error("\"%s\" %s \"%s\"\n", text, want ? "lacks" : "contains",
		    part);
	_fail(file, line);
}

#endif
