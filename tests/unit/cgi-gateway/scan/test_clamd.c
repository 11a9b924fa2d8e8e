#include "tests/unit/cgi-gateway/scanner.h"

static struct scanner scanner;
static struct clamd_stream stream;
static struct errmsg why;
static char signature[CLAMD_SIGNATURE_MAX + 1];

static int set_up(void **state)
{
	(void)state;
	scanner_open(&scanner);
	why.text[0] = '\0';
	signature[0] = '\0';
	stream.fd = -1;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	clamd_close(&stream);
	scanner_close(&scanner);
	return 0;
}

/* The result of one piece, sent to the scanner */
static enum err scan(struct span piece)
{
	const struct clamd d = scanner_address(&scanner);
	enum err e = clamd_begin(&d, &stream, &why);

	if (e == ERR_OK)
		e = clamd_send(&stream, piece, &why);
	if (e == ERR_OK || e == ERR_CLOSED)
		e = clamd_end(&stream, signature, &why);
	clamd_close(&stream);
	scanner_wait(&scanner);
	return e;
}

/* Send pieces until clamd reads no more, and return its reply */
static enum err scan_endlessly(void)
{
	static const char piece[4096];
	const struct clamd d = scanner_address(&scanner);
	enum err e = clamd_begin(&d, &stream, &why);

	while (e == ERR_OK)
		e = clamd_send(&stream, (struct span) { piece, sizeof(piece) },
			       &why);
	if (e == ERR_CLOSED)
		e = clamd_end(&stream, signature, &why);
	clamd_close(&stream);
	scanner_wait(&scanner);
	return e;
}

/* --- commands ------------------------------------------------------------- */

static void a_stream_is_pieces_with_their_lengths(void **state)
{
	const struct clamd d = scanner_address(&scanner);
	const struct span want = SPAN("zINSTREAM\0"
				      "\0\0\0\5hello"
				      "\0\0\0\1!"
				      "\0\0\0\0");

	(void)state;
	scanner_will(&scanner, SCANNER_ALL, SPAN("stream: OK\0"));
	assert_ok(clamd_begin(&d, &stream, &why));
	assert_ok(clamd_send(&stream, SPAN("hello"), &why));
	assert_ok(clamd_send(&stream, SPAN("!"), &why));
	assert_ok(clamd_end(&stream, signature, &why));
	scanner_wait(&scanner);
	assert_int_equal(scanner.seen_len, want.len);
	assert_memory_equal(scanner.seen, want.p, want.len);
}

static void an_empty_stream_is_scanned(void **state)
{
	const struct clamd d = scanner_address(&scanner);

	(void)state;
	scanner_will(&scanner, SCANNER_ALL, SPAN("stream: OK\0"));
	assert_ok(clamd_begin(&d, &stream, &why));
	assert_ok(clamd_end(&stream, signature, &why));
}

static void a_host_and_port_work_like_a_socket(void **state)
{
	(void)state;
	scanner_close(&scanner);
	scanner_open_tcp(&scanner);
	scanner_will(&scanner, SCANNER_ALL, SPAN("stream: a FOUND\0"));
	assert_err(scan(SPAN("x")), ERR_INFECTED);
	assert_string_equal(signature, "a");
}

/* --- what is answered ----------------------------------------------------- */

static void every_reply_has_its_meaning(void **state)
{
	static const struct {
		struct span answer;
		enum err want;
		const char *why;
	} cases[] = {
		{ { "stream: OK", 11 }, ERR_OK, "" },
		{ { "stream: Some.Sig FOUND", 23 }, ERR_INFECTED, "" },
		{ { "INSTREAM size limit exceeded. ERROR", 36 },
		  ERR_TOO_LARGE,
		  "StreamMaxLength" },
		{ { "stream: Can't allocate memory ERROR", 36 },
		  ERR_UNAVAILABLE,
		  "Can't allocate" },
		{ { "HTTP/1.1 400 Bad Request", 25 },
		  ERR_UNAVAILABLE,
		  "HTTP/1.1 400" },
		{ { "", 1 }, ERR_UNAVAILABLE, "replied \"\"" },
		/* cut off */
		{ { "", 0 }, ERR_UNAVAILABLE, "without a reply" },
		{ { "stream: O", 9 }, ERR_UNAVAILABLE, "without a reply" },
		{ { "stream: OK", 10 }, ERR_UNAVAILABLE, "without a reply" },
		{ { "stream: Some.Sig FOUND", 22 },
		  ERR_UNAVAILABLE,
		  "without a reply" },
		/* two */
		{ { "stream: OK\0stream: a FOUND", 27 }, ERR_OK, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		why.text[0] = '\0';
		scanner_will(&scanner, SCANNER_ALL, cases[i].answer);
		assert_err(scan(SPAN("x")), cases[i].want);
		assert_contains(why.text, cases[i].why);
	}
	assert_string_equal(signature, "Some.Sig");
}

static void a_reply_without_an_end_is_no_reply(void **state)
{
	static char endless[CLAMD_REPLY_MAX + 1];

	(void)state;
	memset(endless, 'a', sizeof(endless));
	scanner.holds = true;
	scanner_will(&scanner, SCANNER_ALL,
		     (struct span) { endless, sizeof(endless) });
	assert_err(scan(SPAN("x")), ERR_UNAVAILABLE);
}

static void a_reply_before_the_end_of_the_stream_is_read(void **state)
{
	(void)state;
	scanner_will(&scanner, 10000,
		     SPAN("INSTREAM size limit exceeded. ERROR\0"));
	assert_err(scan_endlessly(), ERR_TOO_LARGE);
	scanner_will(&scanner, 10000, SPAN("stream: early FOUND\0"));
	assert_err(scan_endlessly(), ERR_INFECTED);
	assert_string_equal(signature, "early");
}

static void an_ok_before_the_end_of_the_stream_is_not_accepted(void **state)
{
	(void)state;
	scanner_will(&scanner, 10000, SPAN("stream: OK\0"));
	assert_err(scan_endlessly(), ERR_UNAVAILABLE);
}

static void a_connection_that_closes_in_the_middle_is_unavailable(void **state)
{
	(void)state;
	scanner_will(&scanner, 10000, SPAN(""));
	assert_err(scan_endlessly(), ERR_UNAVAILABLE);
}

/* --- unavailable ---------------------------------------------------------- */

static void a_daemon_that_does_not_exist_is_unavailable(void **state)
{
	struct clamd d = { .timeout = 1 };

	(void)state;
	assert_ok(clamd_address_parse(SPAN("/nowhere/sock"), &d.address));
	assert_err(clamd_begin(&d, &stream, &why), ERR_UNAVAILABLE);
	assert_contains(why.text, "clamd: connect: ");
	assert_err(clamd_ping(&d, &why), ERR_UNAVAILABLE);
	/* no service has port 1, and the next is no name */
	assert_ok(clamd_address_parse(SPAN("127.0.0.1:1"), &d.address));
	assert_err(clamd_begin(&d, &stream, &why), ERR_UNAVAILABLE);
	assert_ok(clamd_address_parse(SPAN("a b:1"), &d.address));
	assert_err(clamd_begin(&d, &stream, &why), ERR_UNAVAILABLE);
	assert_contains(why.text, "a b");
}

static void a_daemon_that_does_not_reply_times_out(void **state)
{
	struct clamd d = scanner_address(&scanner);

	(void)state;
	d.timeout = 1;
	scanner.holds = true;
	scanner_will(&scanner, SCANNER_ALL, SPAN(""));
	assert_ok(clamd_begin(&d, &stream, &why));
	assert_err(clamd_end(&stream, signature, &why), ERR_UNAVAILABLE);
	assert_contains(why.text, "timed out while waiting");
	clamd_close(&stream);
	scanner_wait(&scanner);
}

static void a_daemon_that_does_not_read_times_out(void **state)
{
	static const char piece[65536];
	struct clamd d = scanner_address(&scanner);
	enum err e;

	/* accepted by the kernel, but never read */
	(void)state;
	d.timeout = 1;
	assert_ok(clamd_begin(&d, &stream, &why));
	do
		e = clamd_send(&stream, (struct span) { piece, sizeof(piece) },
			       &why);
	while (e == ERR_OK);
	assert_err(e, ERR_UNAVAILABLE);
	assert_contains(why.text, "timed out while sending");
}

static void a_ping_needs_a_pong(void **state)
{
	const struct clamd d = scanner_address(&scanner);

	(void)state;
	scanner_will(&scanner, SCANNER_ALL, SPAN("PONG\0"));
	assert_ok(clamd_ping(&d, &why));
	scanner_wait(&scanner);
	assert_int_equal(scanner.seen_len, 6);
	assert_memory_equal(scanner.seen, "zPING", 6);
	scanner_will(&scanner, SCANNER_ALL, SPAN("PING\0"));
	assert_err(clamd_ping(&d, &why), ERR_UNAVAILABLE);
	scanner_wait(&scanner);
	scanner_will(&scanner, SCANNER_ALL, SPAN("PONG"));
	assert_err(clamd_ping(&d, &why), ERR_UNAVAILABLE);
}

#define CLAMD_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAMD_TEST(a_stream_is_pieces_with_their_lengths),
		CLAMD_TEST(an_empty_stream_is_scanned),
		CLAMD_TEST(a_host_and_port_work_like_a_socket),
		CLAMD_TEST(every_reply_has_its_meaning),
		CLAMD_TEST(a_reply_without_an_end_is_no_reply),
		CLAMD_TEST(a_reply_before_the_end_of_the_stream_is_read),
		CLAMD_TEST(an_ok_before_the_end_of_the_stream_is_not_accepted),
		CLAMD_TEST(
			a_connection_that_closes_in_the_middle_is_unavailable),
		CLAMD_TEST(a_daemon_that_does_not_exist_is_unavailable),
		CLAMD_TEST(a_daemon_that_does_not_reply_times_out),
		CLAMD_TEST(a_daemon_that_does_not_read_times_out),
		CLAMD_TEST(a_ping_needs_a_pong),
	};

	return RUN(tests);
}
