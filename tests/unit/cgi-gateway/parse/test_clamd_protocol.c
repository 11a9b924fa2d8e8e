#include "cgi-gateway/parse/clamd_protocol.h"
#include "tests/unit/unit.h"

/* --- addresses ------------------------------------------------------------ */

static void check_path(const char *text)
{
	struct clamd_address a;

	assert_ok(clamd_address_parse(span_of(text), &a));
	assert_string_equal(a.path, text);
	assert_string_equal(a.host, "");
}

static void check_host(const char *text, const char *host, const char *port)
{
	struct clamd_address a;

	assert_ok(clamd_address_parse(span_of(text), &a));
	assert_string_equal(a.path, "");
	assert_string_equal(a.host, host);
	assert_string_equal(a.port, port);
}

static void refused(struct span text)
{
	struct clamd_address a = { .path = "untouched" };

	assert_err(clamd_address_parse(text, &a), ERR_FORMAT);
	assert_string_equal(a.path, "untouched");
}

static void an_address_is_a_path_or_a_host_with_its_port(void **state)
{
	(void)state;
	check_path("/run/clamav/clamd.ctl");
	check_path("/with:colon");
	check_host("localhost:3310", "localhost", "3310");
	check_host("clamav.internal:1", "clamav.internal", "1");
	check_host("192.0.2.1:65535", "192.0.2.1", "65535");
	check_host("[::1]:3310", "::1", "3310");
}

static void a_malformed_address_is_refused(void **state)
{
	static const char *const texts[] = {
		"",	     "localhost", ":3310",    "localhost:",
		"a:0",	     "a:65536",	  "a:-1",     "a:x",
		"a: 1",	     "::1:3310",  "[]:3310",  "[::1:3310",
		"::1]:3310", "clamd.ctl", "a:999999", "a:0003310",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		refused(span_of(texts[i]));
	refused(SPAN("/with\0nul"));
	refused(SPAN("with\0nul:3310"));
}

static void an_address_has_a_maximum_length(void **state)
{
	char text[CLAMD_HOST_MAX + 16];
	struct clamd_address a;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[0] = '/';
	assert_ok(clamd_address_parse((struct span) { text, CLAMD_PATH_MAX },
				      &a));
	refused((struct span) { text, CLAMD_PATH_MAX + 1 });
	text[0] = 'a';
	memcpy(text + CLAMD_HOST_MAX, ":3310", 5);
	assert_ok(clamd_address_parse(
		(struct span) { text, CLAMD_HOST_MAX + 5 }, &a));
	memcpy(text + CLAMD_HOST_MAX, "a:3310", 6);
	refused((struct span) { text, CLAMD_HOST_MAX + 6 });
}

/* --- what is sent --------------------------------------------------------- */

static void a_length_is_four_bytes_the_highest_first(void **state)
{
	char got[CLAMD_LENGTH];

	(void)state;
	clamd_length(0, got);
	assert_memory_equal(got, "\0\0\0\0", 4);
	clamd_length(68, got);
	assert_memory_equal(got, "\0\0\0\x44", 4);
	clamd_length(0x89abcdef, got);
	assert_memory_equal(got, "\x89\xab\xcd\xef", 4);
}

/* --- what is answered ----------------------------------------------------- */

static void check(struct span answer, enum err want, const char *signature)
{
	char got[CLAMD_SIGNATURE_MAX + 1] = "untouched";

	assert_err(clamd_reply_parse(answer, got), want);
	assert_string_equal(got, signature);
}

static void a_clean_stream_is_ok(void **state)
{
	(void)state;
	check(SPAN("stream: OK"), ERR_OK, "untouched");
}

static void a_signature_that_was_found_is_returned(void **state)
{
	(void)state;
	check(SPAN("stream: Eicar-Test-Signature FOUND"), ERR_INFECTED,
	      "Eicar-Test-Signature");
	check(SPAN("stream: Own.UNOFFICIAL(44d88612fea8:68) FOUND"),
	      ERR_INFECTED, "Own.UNOFFICIAL(44d88612fea8:68)");
	check(SPAN("stream: FOUND FOUND"), ERR_INFECTED, "FOUND");
}

static void a_signature_is_cut_and_made_plain_ascii(void **state)
{
	char text[600];
	char want[CLAMD_SIGNATURE_MAX + 1];

	(void)state;
	check(SPAN("stream: a\r\nb\xc3\xa4\0c\x7f FOUND"), ERR_INFECTED,
	      "a??b???c?");
	(void)snprintf(text, sizeof(text), "stream: %0500d FOUND", 0);
	memset(want, '0', CLAMD_SIGNATURE_MAX);
	want[CLAMD_SIGNATURE_MAX] = '\0';
	check(span_of(text), ERR_INFECTED, want);
}

static void a_stream_that_is_too_long_is_an_error_of_its_own(void **state)
{
	(void)state;
	check(SPAN("INSTREAM size limit exceeded. ERROR"), ERR_TOO_LARGE,
	      "untouched");
}

static void other_errors_are_errors(void **state)
{
	(void)state;
	check(SPAN("stream: Can't allocate memory ERROR"), ERR_IO, "untouched");
	check(SPAN("COMMAND READ TIMED OUT. ERROR"), ERR_IO, "untouched");
	/* a signature may not be able to speak for the scanner */
	check(SPAN("stream: x FOUND ERROR"), ERR_IO, "untouched");
}

static void any_other_text_is_no_reply(void **state)
{
	static const char *const answers[] = {
		"",
		"OK",
		"stream:",
		"stream: ",
		"stream: O",
		"stream: OK ",
		"stream: ok",
		"stream: OKAY",
		"stream:  OK",
		"stream: FOUND",
		"stream:  FOUND",
		"stream: Eicar-Te",
		"stream: Eicar-Test-Signature FOUN",
		"stream: Eicar FOUND\n",
		"strea: Eicar FOUND",
		"Eicar FOUND",
		"UNKNOWN COMMAND",
		"PONG",
		"HTTP/1.1 400 Bad Request",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++)
		check(span_of(answers[i]), ERR_FORMAT, "untouched");
	check(SPAN("stream: OK\0"), ERR_FORMAT, "untouched");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_address_is_a_path_or_a_host_with_its_port),
		TEST(a_malformed_address_is_refused),
		TEST(an_address_has_a_maximum_length),
		TEST(a_length_is_four_bytes_the_highest_first),
		TEST(a_clean_stream_is_ok),
		TEST(a_signature_that_was_found_is_returned),
		TEST(a_signature_is_cut_and_made_plain_ascii),
		TEST(a_stream_that_is_too_long_is_an_error_of_its_own),
		TEST(other_errors_are_errors),
		TEST(any_other_text_is_no_reply),
	};

	return RUN(tests);
}
