#include "cgi-gateway/admin/rate_limit.h"
#include "tests/unit/unit.h"

enum { SECOND = 1000000 };

/* Bytes that pass in `seconds`, in pieces that take `cost` microseconds each */
static int64_t through(int64_t rate, int64_t piece, int64_t cost, int seconds)
{
	int64_t now = 5 * (int64_t)SECOND,
		end = now + seconds * (int64_t)SECOND;
	int64_t bytes = 0;
	struct rate_limit l;

	rate_limit_init(&l, rate);
	while (now < end) {
		now += cost;
		bytes += piece;
		now += rate_limit_wait(&l, now, piece);
	}
	return bytes;
}

static void bytes_stay_at_the_rate_and_hardly_below(void **state)
{
	static const struct {
		int64_t rate, piece, cost;
	} cases[] = {
		{ 50000000, 262144, 0 },    { 50000000, 262144, 100 },
		{ 50000000, 262144, 5200 }, { 50000000, 1, 0 },
		{ 1000000, 262144, 3 },	    { 3000000007, 262144, 1 },
		{ 777, 1000, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const int seconds = 10;
		int64_t most = cases[i].rate * seconds +
			       cases[i].rate / (SECOND / RATE_LIMIT_SLACK) +
			       2 * cases[i].piece;
		int64_t got = through(cases[i].rate, cases[i].piece,
				      cases[i].cost, seconds);

		assert_true(got <= most);
		/* where rounding up to a microsecond costs little */
		if (cases[i].piece * SECOND / cases[i].rate > 50)
			assert_true(got >= cases[i].rate * seconds / 100 * 99);
	}
}

static void a_reader_below_the_rate_never_waits(void **state)
{
	struct rate_limit l;

	(void)state;
	rate_limit_init(&l, 1000000);
	for (int64_t now = 0; now < 100 * (int64_t)SECOND; now += SECOND)
		assert_int_equal(rate_limit_wait(&l, now, 1000000), 0);
}

static void idle_time_is_not_made_up_for(void **state)
{
	struct rate_limit l;
	int64_t hour = 3600 * (int64_t)SECOND;

	(void)state;
	rate_limit_init(&l, 1000000);
	for (int64_t now = 0; now < 3 * hour; now += hour) {
		assert_int_equal(rate_limit_wait(&l, now, 1000000), 0);
		assert_int_equal(rate_limit_wait(&l, now, 1000000),
				 SECOND - RATE_LIMIT_SLACK);
	}
}

static void an_interrupted_wait_is_made_up_for(void **state)
{
	struct rate_limit l;

	(void)state;
	rate_limit_init(&l, 1000000);
	(void)rate_limit_wait(&l, 0, 1000000);
	(void)rate_limit_wait(&l, 0, 1000000);
	/* an interrupted wait */
	assert_int_equal(rate_limit_wait(&l, 10, 1000000),
			 2 * SECOND - RATE_LIMIT_SLACK - 10);
}

static void no_limit_means_no_wait(void **state)
{
	struct rate_limit l;

	(void)state;
	rate_limit_init(&l, RATE_LIMIT_ANY);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(rate_limit_wait(&l, i, 1 << 30), 0);
}

static void the_largest_pieces_and_rates_do_not_overflow(void **state)
{
	struct rate_limit l;

	(void)state;
	rate_limit_init(&l, INT64_MAX);
	assert_int_equal(rate_limit_wait(&l, 0, UINT32_MAX), 0);
	rate_limit_init(&l, 1);
	(void)rate_limit_wait(&l, 0, 1);
	assert_int_equal(rate_limit_wait(&l, 0, UINT32_MAX),
			 UINT32_MAX * (int64_t)SECOND - RATE_LIMIT_SLACK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_stay_at_the_rate_and_hardly_below),
		TEST(a_reader_below_the_rate_never_waits),
		TEST(idle_time_is_not_made_up_for),
		TEST(an_interrupted_wait_is_made_up_for),
		TEST(no_limit_means_no_wait),
		TEST(the_largest_pieces_and_rates_do_not_overflow),
	};

	return RUN(tests);
}
