#include "common/base/arena.h"
#include "tests/unit/unit.h"

#include <stdalign.h>

static void allocations_are_aligned_and_do_not_overlap(void **state)
{
	unsigned char *p[100];
	struct arena a;

	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < COUNT(p); i++) {
		p[i] = arena_alloc(&a, i);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % alignof(max_align_t), 0);
		memset(p[i], (int)i, i);
	}
	for (size_t i = 0; i < COUNT(p); i++)
		for (size_t k = 0; k < i; k++)
			assert_int_equal(p[i][k], i);
	arena_release(&a);
}

static void a_copy_is_terminated(void **state)
{
	struct arena a;
	char *whole;

	(void)state;
	arena_init(&a);
	assert_string_equal(arena_cstr(&a, SPAN("some text")), "some text");
	/* as long as the alignment: the NUL needs another byte */
	whole = arena_cstr(&a, SPAN("0123456789abcdef"));
	memset(arena_alloc(&a, 16), 'x', 16);
	assert_string_equal(whole, "0123456789abcdef");
	assert_string_equal(arena_cstr(&a, (struct span) { NULL, 0 }), "");
	arena_release(&a);
}

static void one_allocation_is_at_most_the_maximum(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a);
	assert_null(arena_alloc(&a, ARENA_MAX + 1));
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_non_null(arena_alloc(&a, ARENA_MAX));
	assert_null(arena_alloc(&a, 1));
	arena_release(&a);
}

static void small_allocations_are_together_at_most_the_maximum(void **state)
{
	struct arena a;
	size_t n = 0;

	(void)state;
	arena_init(&a);
	while (arena_alloc(&a, 4096) != NULL)
		n++;
	assert_int_equal(n, ARENA_MAX / 4096);
	arena_release(&a);
}

static void a_reset_makes_the_whole_maximum_available(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a);
	assert_non_null(arena_alloc(&a, ARENA_MAX));
	arena_reset(&a);
	assert_non_null(arena_alloc(&a, ARENA_MAX));
	arena_release(&a);
}

static void the_first_block_is_reused_after_a_reset(void **state)
{
	struct arena a;
	void *first;

	(void)state;
	arena_init(&a);
	first = arena_alloc(&a, 100);
	assert_non_null(arena_alloc(&a, ARENA_BLOCK));
	assert_non_null(arena_alloc(&a, 10 * ARENA_BLOCK));
	arena_reset(&a);
	assert_ptr_equal(arena_alloc(&a, 100), first);
	arena_release(&a);
}

static void a_large_block_is_freed_by_a_reset(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a);
	assert_non_null(arena_alloc(&a, ARENA_MAX));
	arena_reset(&a);
	assert_null(a.blocks);
	arena_release(&a);
}

static void an_unused_arena_can_be_reset_and_released(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a);
	arena_reset(&a);
	arena_release(&a);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(allocations_are_aligned_and_do_not_overlap),
		TEST(a_copy_is_terminated),
		TEST(one_allocation_is_at_most_the_maximum),
		TEST(small_allocations_are_together_at_most_the_maximum),
		TEST(a_reset_makes_the_whole_maximum_available),
		TEST(the_first_block_is_reused_after_a_reset),
		TEST(a_large_block_is_freed_by_a_reset),
		TEST(an_unused_arena_can_be_reset_and_released),
	};

	return RUN(tests);
}
