#include "fcgi-probe/wire.h"
#include "tests/unit/unit.h"

/* A record of request 1 without padding; `content` is a literal */
#define RECORD(type, length, content) "\1" type "\0\1" length "\0\0" content
#define ANSWER RECORD("\6", "\0\5", "hello")
#define ANSWER_END RECORD("\3", "\0\10", "\0\0\0\0\0\0\0\0")

struct told {
	char output[64];
	size_t len;
	bool ended;
	unsigned char refusal;
};

/* Feed `text` in pieces of `size` bytes */
static enum err hear(struct span text, size_t size, struct told *t)
{
	struct wire_reader r;
	struct wire_event ev;

	*t = (struct told) { .len = 0 };
	wire_reader_init(&r);
	while (text.len > 0 && !t->ended) {
		struct span piece = { text.p,
				      size < text.len ? size : text.len };

		text = span_from(text, piece.len);
		do {
			enum err e = wire_next(&r, &piece, &ev);

			if (e != ERR_OK)
				return e;
			if (ev.kind == WIRE_OUTPUT) {
				assert_true(t->len + ev.data.len <=
					    sizeof(t->output));
				memcpy(t->output + t->len, ev.data.p,
				       ev.data.len);
				t->len += ev.data.len;
			}
			t->ended = ev.kind == WIRE_END;
			t->refusal = ev.refusal;
		} while (ev.kind != WIRE_HUNGRY && !t->ended);
	}
	return ERR_OK;
}

static void says_whole(struct span text, const char *output)
{
	for (size_t size = 1; size <= text.len; size++) {
		struct told t;

		assert_ok(hear(text, size, &t));
		assert_true(t.ended);
		assert_int_equal(t.refusal, 0);
		assert_span_str(((struct span) { t.output, t.len }), output);
	}
}

/* --- what is asked -------------------------------------------------- */

static void a_request_is_begun_given_its_parameters_and_ended(void **state)
{
	const struct wire_param params[] = {
		{ SPAN("REQUEST_METHOD"), SPAN("GET") },
		{ SPAN("SCRIPT_NAME"), SPAN("/readyz") },
	};
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	assert_ok(wire_request(params, COUNT(params), &out));
	assert_span(buf_span(&out),
		    RECORD("\1", "\0\10", "\0\1\0\0\0\0\0\0") /* responder */
		    RECORD("\4", "\0\47",
			   "\16\3REQUEST_METHODGET\13\7SCRIPT_NAME/readyz")
			    RECORD("\4", "\0\0", "") RECORD("\5", "\0\0", ""));
	buf_release(&out);
}

static void a_long_value_has_a_length_of_four_bytes(void **state)
{
	static char value[300];
	const struct wire_param params[] = {
		{ SPAN("A"), { value, sizeof(value) } },
	};
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	assert_ok(wire_request(params, 1, &out));
	assert_memory_equal(out.p + 16, "\1\4\0\1\1\62\0\0\1\200\0\1\54A", 14);
	buf_release(&out);
}

static void parameters_that_fit_into_no_record_are_refused(void **state)
{
	static char value[WIRE_CONTENT_MAX];
	struct wire_param param = { SPAN("A"), { value, sizeof(value) - 6 } };
	struct buf out;

	(void)state;
	buf_init(&out, 100000);
	assert_ok(wire_request(&param, 1, &out)); /* 1 + 4 + 1 + value */
	buf_clear(&out);
	param.value.len++;
	assert_err(wire_request(&param, 1, &out), ERR_TOO_LARGE);
	param.value.len = SIZE_MAX;
	assert_err(wire_request(&param, 1, &out), ERR_TOO_LARGE);
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

static void a_request_over_the_buffers_maximum_is_refused(void **state)
{
	const struct wire_param param = { SPAN("A"), SPAN("B") };
	struct buf out;

	(void)state;
	buf_init(&out, 20);
	assert_err(wire_request(&param, 1, &out), ERR_TOO_LARGE);
	buf_release(&out);
}

/* --- what is answered ----------------------------------------------- */

static void an_answer_is_the_same_in_pieces_of_any_size(void **state)
{
	(void)state;
	says_whole(SPAN(ANSWER RECORD("\6", "\0\0", "") ANSWER_END), "hello");
}

static void output_in_many_records_is_run_together(void **state)
{
	(void)state;
	says_whole(SPAN(ANSWER RECORD("\6", "\0\7", ", world") ANSWER_END),
		   "hello, world");
}

static void padding_is_passed_over(void **state)
{
	(void)state;
	says_whole(SPAN("\1\6\0\1\0\5\3\0hello\1\1\1" ANSWER_END), "hello");
	says_whole(SPAN("\1\6\0\1\0\0\2\0\1\3"
			"\1\3\0\1\0\10\1\0\0\0\0\0\0\0\0\0\7"),
		   "");
}

static void standard_error_and_management_records_are_passed_over(void **state)
{
	(void)state;
	says_whole(SPAN(RECORD("\7", "\0\4", "oops") ANSWER
			"\1\13\0\0\0\10\0\0\0\0\0\0\0\0\0\0" ANSWER_END),
		   "hello");
}

static void how_the_program_refused_is_told(void **state)
{
	struct told t;

	(void)state;
	assert_ok(
		hear(SPAN(RECORD("\3", "\0\10", "\0\0\0\5\2\0\0\0")), 100, &t));
	assert_true(t.ended);
	assert_int_equal(t.refusal, 2); /* FCGI_OVERLOADED */
}

static void an_answer_without_its_end_has_not_ended(void **state)
{
	const struct span whole = SPAN(ANSWER ANSWER_END);
	struct told t;

	(void)state;
	for (size_t n = 0; n < whole.len; n++) {
		assert_ok(hear((struct span) { whole.p, n }, 7, &t));
		assert_false(t.ended);
	}
}

static void what_is_not_fastcgi_is_said_to_be_so(void **state)
{
	struct told t;

	(void)state;
	assert_err(hear(SPAN("HTTP/1.1 400 Bad Request\r\n"), 5, &t),
		   ERR_FORMAT);
	assert_err(hear(SPAN("\2\6\0\1\0\0\0\0"), 8, &t), ERR_FORMAT);
	/* another's request, and ends of a wrong length */
	assert_err(hear(SPAN("\1\6\0\2\0\0\0\0"), 8, &t), ERR_FORMAT);
	assert_err(hear(SPAN("\1\6\1\1\0\0\0\0"), 8, &t), ERR_FORMAT);
	assert_err(hear(SPAN("\1\3\0\1\0\7\0\0"), 8, &t), ERR_FORMAT);
	assert_err(hear(SPAN("\1\3\0\0\0\10\0\0"), 8, &t), ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_is_begun_given_its_parameters_and_ended),
		TEST(a_long_value_has_a_length_of_four_bytes),
		TEST(parameters_that_fit_into_no_record_are_refused),
		TEST(a_request_over_the_buffers_maximum_is_refused),
		TEST(an_answer_is_the_same_in_pieces_of_any_size),
		TEST(output_in_many_records_is_run_together),
		TEST(padding_is_passed_over),
		TEST(standard_error_and_management_records_are_passed_over),
		TEST(how_the_program_refused_is_told),
		TEST(an_answer_without_its_end_has_not_ended),
		TEST(what_is_not_fastcgi_is_said_to_be_so),
	};

	return RUN(tests);
}
