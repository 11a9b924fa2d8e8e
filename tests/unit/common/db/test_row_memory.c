#include "common/db/row_memory.h"
#include "tests/unit/unit.h"

static void a_row_is_found_by_its_whole_key(void **state)
{
	struct row_memory *m = row_memory_new(sizeof(int64_t));
	struct row_note note = { .counters = { .seen = { 7 } } }, got;
	int64_t row = 42, out = 0;

	(void)state;
	assert_non_null(m);
	assert_false(row_memory_find(m, SPAN("a"), &out, &got));
	row_memory_keep(m, SPAN("a"), &row, &note);
	assert_true(row_memory_find(m, SPAN("a"), &out, &got));
	assert_int_equal(out, 42);
	assert_int_equal(got.counters.seen[0], 7);
	assert_false(row_memory_find(m, SPAN("ab"), &out, &got));
	assert_false(row_memory_find(m, SPAN("b"), &out, &got));
	assert_false(row_memory_find(m, SPAN(""), &out, &got));
	row = 43;
	row_memory_keep(m, SPAN("a"), &row, &note);
	assert_true(row_memory_find(m, SPAN("a"), &out, &got));
	assert_int_equal(out, 43);
	row_memory_free(m);
}

static void a_key_that_is_too_long_or_empty_is_not_kept(void **state)
{
	struct row_memory *m = row_memory_new(sizeof(int64_t));
	char key[ROW_MEMORY_KEY + 1] = { 'k' };
	struct row_note note = { .file = NULL };
	int64_t row = 1;

	(void)state;
	row_memory_keep(m, (struct span) { key, sizeof(key) }, &row, &note);
	row_memory_keep(m, SPAN(""), &row, &note);
	assert_false(row_memory_find(m, (struct span) { key, sizeof(key) },
				     &row, &note));
	assert_false(row_memory_find(m, SPAN(""), &row, &note));
	row_memory_keep(m, (struct span) { key, ROW_MEMORY_KEY }, &row, &note);
	assert_true(row_memory_find(m, (struct span) { key, ROW_MEMORY_KEY },
				    &row, &note));
	row_memory_free(m);
}

static void the_memory_is_bounded_and_keeps_what_is_used(void **state)
{
	struct row_memory *m = row_memory_new(sizeof(int64_t));
	struct row_note note = { .file = NULL };
	int64_t out, kept = 0;
	char key[24];

	(void)state;
	for (int64_t i = 0; i < 4 * ROW_MEMORY_MAX; i++) {
		(void)snprintf(key, sizeof(key), "%lld", (long long)i);
		row_memory_keep(m, span_of(key), &i, &note);
		assert_true(row_memory_find(m, SPAN("0"), &out, &note));
	}
	for (int64_t i = 0; i < 4 * ROW_MEMORY_MAX; i++) {
		(void)snprintf(key, sizeof(key), "%lld", (long long)i);
		if (row_memory_find(m, span_of(key), &out, &note)) {
			assert_int_equal(out, i);
			kept++;
		}
	}
	assert_true(kept > ROW_MEMORY_MAX / 2 && kept <= ROW_MEMORY_MAX);
	row_memory_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_row_is_found_by_its_whole_key),
		TEST(a_key_that_is_too_long_or_empty_is_not_kept),
		TEST(the_memory_is_bounded_and_keeps_what_is_used),
	};

	return RUN(tests);
}
