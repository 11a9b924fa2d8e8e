#include "tests/unit/unit.h"

#include "cgi-auth/password/low_priority.h"

#include <sys/resource.h>

struct observed {
	int nice;
};

static void read_nice(void *arg)
{
	struct observed *s = arg;

	s->nice = getpriority(PRIO_PROCESS, 0);
}

static void the_work_has_a_low_priority_and_its_caller_the_old_one(void **state)
{
	int before = getpriority(PRIO_PROCESS, 0);
	struct observed s = { .nice = -100 };

	(void)state;
	assert_ok(low_priority_run(read_nice, &s));
	assert_int_equal(s.nice, LOW_PRIORITY_NICE);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_work_has_a_low_priority_and_its_caller_the_old_one),
	};

	return RUN(tests);
}
