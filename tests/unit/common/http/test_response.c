#include "common/http/response.h"
#include "tests/unit/transport_memory.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

struct both {
	struct memory m;
	struct response rs;
};

static int set_up(void **state)
{
	struct both *b = malloc(sizeof(*b));

	if (b == NULL)
		return -1;
	memory_init(&b->m, "GET", "/");
	response_init(&b->rs, &b->m.base, false);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct both *b = *state;

	response_release(&b->rs);
	memory_release(&b->m);
	free(b);
	return 0;
}

static void an_answer_has_status_headers_and_body(void **state)
{
	struct both *b = *state;

	response_header_str(&b->rs, "X-One", "1");
	assert_ok(response_body(&b->rs, 201, "text/plain", SPAN("hello")));
	assert_span(
		buf_span(&b->m.text),
		"Status: 201 Created\r\nX-One: 1\r\nContent-Type: "
		"text/plain\r\n"
		"Content-Length: 5\r\nCache-Control: no-store\r\n\r\nhello");
	assert_int_equal(b->rs.body_sent, 5);
}

static void nothing_is_sent_before_the_first_write(void **state)
{
	struct both *b = *state;

	response_status(&b->rs, 404);
	response_header_int(&b->rs, "X-N", INT64_MIN);
	assert_int_equal(b->m.text.len, 0);
	assert_ok(response_write(&b->rs, SPAN("")));
	assert_int_equal(memory_status(&b->m), 404);
	assert_span(memory_header(&b->m, "X-N"), "-9223372036854775808");
}

static void the_status_is_200_by_default(void **state)
{
	struct both *b = *state;

	assert_ok(response_write(&b->rs, SPAN("x")));
	assert_int_equal(memory_status(&b->m), 200);
}

static void a_body_in_pieces_has_one_head(void **state)
{
	struct both *b = *state;

	assert_ok(response_write(&b->rs, SPAN("one ")));
	response_header_str(&b->rs, "X-Late", "too late");
	assert_ok(response_write(&b->rs, SPAN("two")));
	assert_span(memory_answer(&b->m), "one two");
	assert_false(memory_has_header(&b->m, "X-Late"));
}

static void a_control_character_in_a_header_is_refused(void **state)
{
	struct both *b = *state;

	for (int c = 0; c < 256; c++) {
		char text[3] = { 'a', (char)c, 'b' };

		response_restart(&b->rs);
		response_header(&b->rs, "X-Name", (struct span) { text, 3 });
		assert_int_equal(buf_error(&b->rs.head) == ERR_OK,
				 c >= 0x20 && c != 0x7f);
	}
	assert_int_equal(b->m.text.len, 0);
}

static void a_header_with_a_line_break_sends_nothing_and_is_an_internal_error(
	void **state)
{
	struct both *b = *state;

	response_header_str(&b->rs, "Location",
			    "/a\r\nSet-Cookie: x=1\r\n\r\n<html>");
	assert_err(response_body(&b->rs, 200, "text/plain", SPAN("x")), ERR_IO);
	assert_int_equal(b->m.text.len, 0);
	assert_false(b->rs.started);
	/* the problem that replaces it */
	response_restart(&b->rs);
	assert_ok(response_body(&b->rs, 500, "text/plain", SPAN("sorry")));
	assert_int_equal(memory_status(&b->m), 500);
	assert_false(memory_has_header(&b->m, "Location"));
	assert_false(memory_has_header(&b->m, "Set-Cookie"));
}

static void a_head_that_is_too_large_sends_nothing(void **state)
{
	static char text[RESPONSE_HEAD_MAX];
	struct both *b = *state;

	memset(text, 'x', sizeof(text));
	for (size_t n = RESPONSE_HEAD_MAX - 64; n < RESPONSE_HEAD_MAX; n++) {
		response_restart(&b->rs);
		b->rs.started = false;
		buf_clear(&b->m.text);
		response_header(&b->rs, "X", (struct span) { text, n });
		if (response_write(&b->rs, SPAN("body")) == ERR_OK) {
			assert_span(memory_answer(&b->m), "body");
			assert_int_equal(memory_header(&b->m, "X").len, n);
		} else {
			assert_int_equal(b->m.text.len, 0);
			assert_false(b->rs.started);
		}
	}
	assert_int_equal(b->m.text.len, 0);
}

static void head_gets_headers_and_no_body(void **state)
{
	struct both *b = *state;

	b->rs.head_only = true;
	assert_ok(response_body(&b->rs, 200, "text/plain", SPAN("hello")));
	assert_ok(response_write(&b->rs, SPAN("more")));
	assert_span(memory_header(&b->m, "Content-Length"), "5");
	assert_span(memory_answer(&b->m), "");
	assert_int_equal(b->rs.body_sent, 0);
}

static void status_304_has_no_body(void **state)
{
	struct both *b = *state;

	response_status(&b->rs, 304);
	assert_ok(response_write(&b->rs, SPAN("not this")));
	assert_span(memory_answer(&b->m), "");
}

static void status_204_has_neither_body_nor_length(void **state)
{
	struct both *b = *state;

	assert_ok(response_empty(&b->rs, 204));
	assert_ok(response_write(&b->rs, SPAN("not this")));
	assert_int_equal(memory_status(&b->m), 204);
	assert_span(memory_answer(&b->m), "");
	assert_false(memory_has_header(&b->m, "Content-Length"));
	assert_int_equal(b->rs.body_sent, 0);
}

static void a_restart_keeps_only_the_marked_headers(void **state)
{
	struct both *b = *state;

	response_header_str(&b->rs, "X-Kept", "1");
	response_keep(&b->rs);
	response_header_str(&b->rs, "X-Dropped", "1");
	response_cache(&b->rs, "private, max-age=9");
	response_status(&b->rs, 201);
	response_restart(&b->rs);
	assert_ok(response_write(&b->rs, SPAN("x")));
	assert_int_equal(memory_status(&b->m), 200);
	assert_true(memory_has_header(&b->m, "X-Kept"));
	assert_false(memory_has_header(&b->m, "X-Dropped"));
	assert_span(memory_header(&b->m, "Cache-Control"), "no-store");
}

static void cache_control_of_a_file_is_as_given(void **state)
{
	struct both *b = *state;

	response_cache(&b->rs, "private, no-cache");
	assert_ok(response_write(&b->rs, SPAN("x")));
	assert_span(memory_header(&b->m, "Cache-Control"), "private, no-cache");
}

static void a_disconnected_client_ends_the_answer(void **state)
{
	struct both *b = *state;

	b->m.write_breaks = 300;
	assert_ok(response_write(&b->rs, SPAN("first")));
	for (int i = 0; i < 100; i++) {
		enum err e = response_write(&b->rs, SPAN("some more"));

		if (e != ERR_OK) {
			assert_err(e, ERR_CLOSED);
			assert_true(b->rs.body_sent > 5);
			assert_true(b->rs.body_sent <= 300);
			return;
		}
	}
	fail();
}

static void json_is_sent_with_its_type_and_length_and_a_newline(void **state)
{
	struct both *b = *state;
	struct json_object *o = json_object_new_object();

	assert_non_null(o);
	json_set_str(o, "status", "ok");
	assert_ok(response_json(&b->rs, 200, o));
	json_object_put(o);
	assert_span(memory_header(&b->m, "Content-Type"), "application/json");
	assert_span(memory_header(&b->m, "Content-Length"), "16");
	assert_span(memory_answer(&b->m), "{\"status\":\"ok\"}\n");
}

static void an_explanation_returns_the_error_and_is_cut(void **state)
{
	struct both *b = *state;
	char text[1000];

	assert_err(response_explain(&b->rs, ERR_TOO_LARGE, "over %d", 7),
		   ERR_TOO_LARGE);
	assert_string_equal(b->rs.detail, "over 7");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_err(response_explain(&b->rs, ERR_IO, "%s", text), ERR_IO);
	assert_int_equal(strlen(b->rs.detail), sizeof(b->rs.detail) - 1);
}

int main(void)
{
#define FIXTURE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(an_answer_has_status_headers_and_body),
		FIXTURE_TEST(nothing_is_sent_before_the_first_write),
		FIXTURE_TEST(the_status_is_200_by_default),
		FIXTURE_TEST(a_body_in_pieces_has_one_head),
		FIXTURE_TEST(a_control_character_in_a_header_is_refused),
		FIXTURE_TEST(
			a_header_with_a_line_break_sends_nothing_and_is_an_internal_error),
		FIXTURE_TEST(a_head_that_is_too_large_sends_nothing),
		FIXTURE_TEST(head_gets_headers_and_no_body),
		FIXTURE_TEST(status_304_has_no_body),
		FIXTURE_TEST(status_204_has_neither_body_nor_length),
		FIXTURE_TEST(a_restart_keeps_only_the_marked_headers),
		FIXTURE_TEST(cache_control_of_a_file_is_as_given),
		FIXTURE_TEST(a_disconnected_client_ends_the_answer),
		FIXTURE_TEST(
			json_is_sent_with_its_type_and_length_and_a_newline),
		FIXTURE_TEST(an_explanation_returns_the_error_and_is_cut),
	};

	return RUN(tests);
}
