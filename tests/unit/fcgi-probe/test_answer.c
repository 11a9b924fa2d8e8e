#include "fcgi-probe/answer.h"
#include "tests/unit/unit.h"

static void reads(const char *text, int status, const char *body)
{
	struct answer a = { -1, { NULL, 0 } };

	assert_ok(answer_read(span_of(text), &a));
	assert_int_equal(a.status, status);
	assert_span_str(a.body, body);
}

static void does_not_read(const char *text)
{
	struct answer a = { -1, { NULL, 0 } };

	assert_err(answer_read(span_of(text), &a), ERR_FORMAT);
	assert_int_equal(a.status, -1);
}

static void the_status_stands_in_a_field_of_its_own(void **state)
{
	(void)state;
	reads("Status: 503 Service Unavailable\r\nA: b\r\n\r\nwhy", 503, "why");
	reads("A: b\r\nstatus:204\r\n\r\n", 204, "");
	reads("Status:  200  OK\r\n\r\n", 200, "");
}

static void no_status_is_200(void **state)
{
	(void)state;
	reads("Content-Type: text/plain\r\n\r\nbody", 200, "body");
	reads("\r\nbody", 200, "body");
}

static void lines_may_end_without_a_carriage_return(void **state)
{
	(void)state;
	reads("Status: 404\nA: b\n\nx\n\ny", 404, "x\n\ny");
}

static void a_head_without_its_end_is_no_answer(void **state)
{
	(void)state;
	does_not_read("");
	does_not_read("Status: 200 OK\r\n");
	does_not_read("Status: 200 OK\r\nA: b");
}

static void a_status_that_is_none_is_refused(void **state)
{
	(void)state;
	does_not_read("Status: fine\r\n\r\n");
	does_not_read("Status:\r\n\r\n");
	does_not_read("Status: 99\r\n\r\n");
	does_not_read("Status: 1000\r\n\r\n");
	does_not_read("Status: 99999999999999999999\r\n\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_status_stands_in_a_field_of_its_own),
		TEST(no_status_is_200),
		TEST(lines_may_end_without_a_carriage_return),
		TEST(a_head_without_its_end_is_no_answer),
		TEST(a_status_that_is_none_is_refused),
	};

	return RUN(tests);
}
