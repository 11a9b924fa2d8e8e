#include "common/base/buffer_pool.h"

#include "tests/unit/unit.h"

#include <string.h>

enum { MANY = 3 * BUFFER_POOL_KEPT, SIZE = 128 * 1024 };

/* Kibibytes that the process has in memory */
static long resident(void)
{
	long all = 0, pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld %ld", &all, &pages), 2);
	(void)fclose(f);
	return pages * 4;
}

static void each_buffer_is_lent_once_at_a_time(void **state)
{
	struct buffer_pool b;
	char *lent[MANY];

	(void)state;
	buffer_pool_init(&b, SIZE);
	for (int i = 0; i < MANY; i++) {
		lent[i] = buffer_pool_lend(&b);
		assert_non_null(lent[i]);
		memset(lent[i], i, SIZE);
	}
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(lent[i][0], i);
		assert_int_equal(lent[i][SIZE - 1], i);
		buffer_pool_return(&b, lent[i]);
	}
	buffer_pool_release(&b);
}

static void a_returned_buffer_is_lent_again(void **state)
{
	struct buffer_pool b;
	char *first;

	(void)state;
	buffer_pool_init(&b, SIZE);
	first = buffer_pool_lend(&b);
	buffer_pool_return(&b, first);
	assert_ptr_equal(buffer_pool_lend(&b), first);
	buffer_pool_return(&b, first);
	buffer_pool_return(&b, NULL);
	buffer_pool_release(&b);
}

static void few_idle_buffers_are_kept(void **state)
{
	long one = SIZE / 1024, before;
	struct buffer_pool b;
	char *lent[MANY];

	(void)state;
	buffer_pool_init(&b, SIZE);
	before = resident();
	for (int i = 0; i < MANY; i++) {
		lent[i] = buffer_pool_lend(&b);
		assert_non_null(lent[i]);
		memset(lent[i], i, SIZE);
	}
	for (int i = 0; i < MANY; i++)
		buffer_pool_return(&b, lent[i]);
	assert_int_equal(b.count, BUFFER_POOL_KEPT);
	assert_true(resident() - before < (BUFFER_POOL_KEPT + 2) * one);
	buffer_pool_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_buffer_is_lent_once_at_a_time),
		cmocka_unit_test(a_returned_buffer_is_lent_again),
		cmocka_unit_test(few_idle_buffers_are_kept),
	};

	return RUN(tests);
}
