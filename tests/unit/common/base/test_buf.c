#include "common/base/buf.h"
#include "tests/unit/unit.h"

static void a_new_buffer_is_empty_and_without_error(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_ok(buf_error(&b));
	assert_span(buf_span(&b), "");
	buf_release(&b);
}

static void appended_texts_follow_each_other(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	buf_add(&b, SPAN("a\0b"));
	buf_add_str(&b, "cd");
	buf_add_char(&b, '.');
	buf_add_int(&b, INT64_MIN);
	buf_printf(&b, "<%d %s>", 7, "seven");
	assert_ok(buf_error(&b));
	assert_span(buf_span(&b), "a\0bcd.-9223372036854775808<7 seven>");
	buf_release(&b);
}

static void a_buffer_accepts_its_maximum_and_not_one_byte_more(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	buf_add(&b, SPAN("1234"));
	assert_ok(buf_error(&b));
	buf_add_char(&b, '5');
	assert_err(buf_error(&b), ERR_TOO_LARGE);
	assert_span(buf_span(&b), "1234");
	buf_release(&b);
}

static void an_error_stays_until_the_buffer_is_cleared(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	buf_add(&b, SPAN("12345"));
	buf_add(&b, SPAN("1"));
	assert_err(buf_error(&b), ERR_TOO_LARGE);
	assert_int_equal(b.len, 0);
	assert_null(buf_room(&b, 1));
	buf_clear(&b);
	buf_add(&b, SPAN("1234"));
	assert_ok(buf_error(&b));
	assert_span(buf_span(&b), "1234");
	buf_release(&b);
}

static void a_buffer_grows_past_every_power_of_two(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 5000);
	for (int i = 0; i < 5000; i++)
		buf_add_char(&b, (char)('a' + i % 26));
	assert_ok(buf_error(&b));
	assert_int_equal(b.len, 5000);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(b.p[i], 'a' + i % 26);
	buf_add_char(&b, 'x');
	assert_err(buf_error(&b), ERR_TOO_LARGE);
	buf_release(&b);
}

static void a_long_formatted_text_fills_the_buffer_to_its_maximum(void **state)
{
	char text[301];
	struct buf b;

	(void)state;
	memset(text, 'x', 300);
	text[300] = '\0';
	buf_init(&b, 300);
	buf_printf(&b, "%s", text);
	assert_ok(buf_error(&b));
	assert_span_str(buf_span(&b), text);
	buf_release(&b);

	buf_init(&b, 299);
	buf_printf(&b, "%s", text);
	assert_err(buf_error(&b), ERR_TOO_LARGE);
	buf_release(&b);
}

static void formatted_texts_of_every_length_are_complete(void **state)
{
	(void)state;
	for (int n = 0; n < 600; n++) {
		struct buf b;

		buf_init(&b, 1000);
		buf_printf(&b, "<%*s>", n, "");
		assert_ok(buf_error(&b));
		assert_int_equal(b.len, n + 2);
		assert_int_equal(b.p[n + 1], '>');
		buf_add_char(&b, '!');
		assert_int_equal(b.p[n + 1], '>');
		buf_release(&b);
	}
}

static void room_is_returned_at_the_end_of_the_text(void **state)
{
	struct buf b;
	char *to;

	(void)state;
	buf_init(&b, 600);
	buf_add(&b, SPAN("head "));
	to = buf_room(&b, 595);
	assert_non_null(to);
	memset(to, 'y', 595);
	b.len += 595;
	assert_int_equal(b.len, 600);
	assert_null(buf_room(&b, 1));
	assert_err(buf_error(&b), ERR_TOO_LARGE);
	buf_release(&b);
}

static void a_request_for_absurd_room_is_refused(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_add(&b, SPAN("x"));
	assert_null(buf_room(&b, SIZE_MAX));
	assert_err(buf_error(&b), ERR_TOO_LARGE);
	buf_release(&b);
}

static void a_released_buffer_can_be_used_again(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	buf_add(&b, SPAN("12345"));
	buf_release(&b);
	buf_release(&b);
	buf_add(&b, SPAN("1234"));
	assert_ok(buf_error(&b));
	buf_release(&b);
}

static void a_buffer_of_maximum_zero_accepts_nothing(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	buf_add(&b, SPAN(""));
	assert_ok(buf_error(&b));
	buf_add(&b, SPAN("x"));
	assert_err(buf_error(&b), ERR_TOO_LARGE);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_buffer_is_empty_and_without_error),
		TEST(appended_texts_follow_each_other),
		TEST(a_buffer_accepts_its_maximum_and_not_one_byte_more),
		TEST(an_error_stays_until_the_buffer_is_cleared),
		TEST(a_buffer_grows_past_every_power_of_two),
		TEST(a_long_formatted_text_fills_the_buffer_to_its_maximum),
		TEST(formatted_texts_of_every_length_are_complete),
		TEST(room_is_returned_at_the_end_of_the_text),
		TEST(a_request_for_absurd_room_is_refused),
		TEST(a_released_buffer_can_be_used_again),
		TEST(a_buffer_of_maximum_zero_accepts_nothing),
	};

	return RUN(tests);
}
