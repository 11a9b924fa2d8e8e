#include "cgi-gateway/store/disk/disk_buffers.h"
#include "cgi-gateway/store/disk/store_disk.h"

#include "tests/unit/unit.h"

#include <string.h>

enum { MANY = 3 * DISK_BUFFERS_KEPT };

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
	struct disk_buffers b;
	char *lent[MANY];

	(void)state;
	disk_buffers_init(&b);
	for (int i = 0; i < MANY; i++) {
		lent[i] = disk_buffers_lend(&b);
		assert_non_null(lent[i]);
		memset(lent[i], i, STORE_DISK_BUFFER);
	}
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(lent[i][0], i);
		assert_int_equal(lent[i][STORE_DISK_BUFFER - 1], i);
		disk_buffers_return(&b, lent[i]);
	}
	disk_buffers_release(&b);
}

static void a_returned_buffer_is_lent_again(void **state)
{
	struct disk_buffers b;
	char *first;

	(void)state;
	disk_buffers_init(&b);
	first = disk_buffers_lend(&b);
	disk_buffers_return(&b, first);
	assert_ptr_equal(disk_buffers_lend(&b), first);
	disk_buffers_return(&b, first);
	disk_buffers_return(&b, NULL);
	disk_buffers_release(&b);
}

static void few_idle_buffers_are_kept(void **state)
{
	long one = STORE_DISK_BUFFER / 1024, before;
	struct disk_buffers b;
	char *lent[MANY];

	(void)state;
	disk_buffers_init(&b);
	before = resident();
	for (int i = 0; i < MANY; i++) {
		lent[i] = disk_buffers_lend(&b);
		assert_non_null(lent[i]);
		memset(lent[i], i, STORE_DISK_BUFFER);
	}
	for (int i = 0; i < MANY; i++)
		disk_buffers_return(&b, lent[i]);
	assert_int_equal(b.count, DISK_BUFFERS_KEPT);
	assert_true(resident() - before < (DISK_BUFFERS_KEPT + 2) * one);
	disk_buffers_release(&b);
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
