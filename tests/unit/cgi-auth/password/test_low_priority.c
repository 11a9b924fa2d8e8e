#include "tests/unit/unit.h"

#include "cgi-auth/password/low_priority.h"

#include <sys/resource.h>

struct seen {
	int nice;
};

static void look(void *arg)
{
	struct seen *s = arg;

	s->nice = getpriority(PRIO_PROCESS, 0);
}

static void the_work_has_a_low_priority_and_the_caller_keeps_its_own(
	void **state)
{
	int before = getpriority(PRIO_PROCESS, 0);
	struct seen s = { .nice = -100 };

	(void)state;
	assert_ok(low_priority_run(look, &s));
	assert_int_equal(s.nice, LOW_PRIORITY_NICE);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_work_has_a_low_priority_and_the_caller_keeps_its_own),
	};

	return RUN(tests);
}
