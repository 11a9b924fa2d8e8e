#include "common/http/body_pace.h"

#include "tests/unit/unit.h"

static void a_body_is_slow_if_too_few_bytes_arrive_in_a_period(void **state)
{
	struct body_pace p = { .bytes = 100, .period_ms = 1000 };

	(void)state;
	assert_ok(body_pace_begin(&p));
	body_pace_end(&p, 99);
	assert_ok(body_pace_begin(&p));
	p.waited_ms = 999;
	assert_ok(body_pace_begin(&p));
	p.waited_ms = 1000;
	assert_err(body_pace_begin(&p), ERR_SLOW);
	p.arrived = 100;
	assert_ok(body_pace_begin(&p));
}

static void each_period_counts_for_itself(void **state)
{
	struct body_pace p = { .bytes = 100, .period_ms = 1000 };

	(void)state;
	body_pace_end(&p, 1000000);
	p.waited_ms = 1000;
	assert_ok(body_pace_begin(&p));
	p.waited_ms = 1000;
	assert_err(body_pace_begin(&p), ERR_SLOW);
}

static void without_a_limit_no_body_is_slow(void **state)
{
	struct body_pace p = { .period_ms = 1000 };

	(void)state;
	p.waited_ms = 1000000;
	assert_ok(body_pace_begin(&p));
	body_pace_end(&p, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_body_is_slow_if_too_few_bytes_arrive_in_a_period),
		cmocka_unit_test(each_period_counts_for_itself),
		cmocka_unit_test(without_a_limit_no_body_is_slow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
