#include "cgi-gateway/scan/content_scanner.h"
#include "tests/unit/cgi-gateway/scanner.h"

enum { LARGE = 3 * CONTENT_SCANNER_PIECE + 77 };

#define PNG "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0"

static char nothing[] = "", refuse[] = "refuse", accept_[] = "accept";
static struct content_scanner content_scanner;
static struct scanner scanner;
static struct file file;
static struct errmsg why;
static char signature[CLAMD_SIGNATURE_MAX + 1];

/* The bytes of a file in memory, handed out `step` at a time; at `fails` its
 * reading fails */
struct memory_source {
	struct span bytes;
	size_t step;
	int64_t fails;
	int calls;
};

static enum err read_memory(void *arg, int64_t from, char *to, size_t cap,
			    size_t *got, struct errmsg *cause)
{
	struct memory_source *s = arg;
	struct span left = { NULL, 0 };

	s->calls++;
	if (s->fails >= 0 && from >= s->fails)
		return err_set(cause, ERR_FULL, "as the test wants it");
	if ((size_t)from < s->bytes.len)
		left = span_from(s->bytes, (size_t)from);
	*got = left.len < cap ? left.len : cap;
	if (s->step > 0 && *got > s->step)
		*got = s->step;
	memcpy(to, left.p != NULL ? left.p : "", *got);
	return ERR_OK;
}

static enum err scan_source(struct memory_source *s, int64_t size,
			    const char *claimed)
{
	const struct content_source src = { read_memory, s, size };

	file = (struct file) { .size = size };
	(void)snprintf(file.claimed_type, sizeof(file.claimed_type), "%s",
		       claimed);
	why.text[0] = signature[0] = '\0';
	return content_scanner_scan(&content_scanner, &src, &file, signature,
				    &why);
}

static enum err scan_bytes(struct span bytes, const char *claimed)
{
	struct memory_source s = { .bytes = bytes, .fails = -1 };

	return scan_source(&s, (int64_t)bytes.len, claimed);
}

static void configure(char *clamd)
{
	content_scanner_close(&content_scanner);
	content_scanner = (struct content_scanner) {
		.magic_database = nothing,
		.clamd = clamd,
		.clamd_larger = refuse,
		.clamd_max = 1000000,
		.clamd_timeout = 60,
	};
}

static int set_up(void **state)
{
	(void)state;
	scanner_open(&scanner);
	configure(nothing);
	return content_scanner_open(&content_scanner, &why) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	content_scanner_close(&content_scanner);
	scanner_close(&scanner);
	return 0;
}

static void with_scanner(void)
{
	configure(scanner.where);
	assert_ok(content_scanner_open(&content_scanner, &why));
}

/* --- settings ------------------------------------------------------------- */

static void an_invalid_setting_is_named(void **state)
{
	static char nowhere[] = "/nowhere/magic.mgc", odd[] = "maybe";

	(void)state;
	configure(odd);
	assert_err(content_scanner_open(&content_scanner, &why), ERR_CONFIG);
	assert_contains(why.text, "CLAMD: must be the path of a socket or "
				  "host:port, not \"maybe\"");
	configure(nothing);
	content_scanner.clamd_larger = odd;
	assert_err(content_scanner_open(&content_scanner, &why), ERR_CONFIG);
	assert_contains(
		why.text,
		"CLAMD_LARGER: must be refuse or accept, not \"maybe\"");
	configure(nothing);
	content_scanner.magic_database = nowhere;
	assert_err(content_scanner_open(&content_scanner, &why), ERR_CONFIG);
	assert_contains(why.text, "MAGIC_DATABASE: /nowhere/magic.mgc");
}

static void types_are_decided_without_an_installed_database(void **state)
{
	(void)state;
	/* where libmagic searches first */
	assert_int_equal(setenv("MAGIC", "/nowhere/magic.mgc", 1), 0);
	configure(nothing);
	assert_ok(content_scanner_open(&content_scanner, &why));
	assert_ok(scan_bytes(SPAN(PNG), "text/plain"));
	assert_int_equal(unsetenv("MAGIC"), 0);
	assert_string_equal(file.type, "image/png");
	assert_ok(scan_bytes(SPAN("a,b\n"), "text/csv"));
	assert_string_equal(file.type, "text/csv");
}

static void the_size_limit_is_what_can_be_scanned(void **state)
{
	(void)state;
	assert_int_equal(content_scanner_limit(&content_scanner, 5000000),
			 5000000);
	with_scanner();
	assert_int_equal(content_scanner_limit(&content_scanner, 5000000),
			 1000000);
	assert_int_equal(content_scanner_limit(&content_scanner, 5000), 5000);
	configure(scanner.where);
	content_scanner.clamd_larger = accept_;
	assert_ok(content_scanner_open(&content_scanner, &why));
	assert_int_equal(content_scanner_limit(&content_scanner, 5000000),
			 5000000);
}

static void the_scanner_is_ready_when_clamd_responds(void **state)
{
	(void)state;
	assert_ok(content_scanner_ready(&content_scanner, &why));
	with_scanner();
	scanner_will(&scanner, SCANNER_ALL, SPAN("PONG\0"));
	assert_ok(content_scanner_ready(&content_scanner, &why));
	scanner_wait(&scanner);
	scanner_will(&scanner, SCANNER_ALL, SPAN(""));
	assert_err(content_scanner_ready(&content_scanner, &why),
		   ERR_UNAVAILABLE);
}

/* --- types ---------------------------------------------------------------- */

static void the_type_is_decided_by_the_bytes(void **state)
{
	(void)state;
	assert_ok(scan_bytes(SPAN(PNG), "text/plain"));
	assert_string_equal(file.type, "image/png");
	assert_string_equal(file.claimed_type, "text/plain");
	assert_ok(scan_bytes(SPAN("a,b\n"), "text/csv"));
	assert_string_equal(file.type, "text/csv");
	assert_ok(scan_bytes(SPAN("<script>alert(1)</script>"), "image/png"));
	assert_string_equal(file.type, "text/html");
	assert_ok(scan_bytes(SPAN(""), "text/plain"));
	assert_string_equal(file.type, "text/plain");
}

static void bytes_may_be_read_in_any_pieces(void **state)
{
	struct memory_source s = { .bytes = SPAN(PNG), .step = 1, .fails = -1 };

	(void)state;
	assert_ok(scan_source(&s, (int64_t)s.bytes.len, "text/plain"));
	assert_string_equal(file.type, "image/png");
	assert_int_equal(s.calls, s.bytes.len);
}

static void only_the_beginning_of_a_large_file_is_read(void **state)
{
	static char bytes[LARGE];
	struct memory_source s = { .bytes = { bytes, LARGE },
				   .fails = CONTENT_SCANNER_PIECE };

	(void)state;
	memcpy(bytes, PNG, sizeof(PNG) - 1);
	assert_ok(scan_source(&s, LARGE, "text/plain"));
	assert_string_equal(file.type, "image/png");
	assert_int_equal(s.calls, 1);
}

static void a_file_that_cannot_be_read_is_an_error(void **state)
{
	struct memory_source s = { .bytes = SPAN(PNG), .fails = 0 };

	(void)state;
	assert_err(scan_source(&s, (int64_t)s.bytes.len, "text/plain"),
		   ERR_FULL);
	assert_string_equal(why.text, "as the test wants it");
	assert_string_equal(file.type, "");
}

/* --- viruses -------------------------------------------------------------- */

static void clamd_gets_every_byte_in_order(void **state)
{
	static char bytes[LARGE];
	struct memory_source s = { .bytes = { bytes, LARGE },
				   .step = 50000,
				   .fails = -1 };
	size_t at = sizeof("zINSTREAM"), seen = 0;

	(void)state;
	for (size_t i = 0; i < LARGE; i++)
		bytes[i] = (char)(i * 7 + i / 251);
	with_scanner();
	scanner_will(&scanner, SCANNER_ALL, SPAN("stream: OK\0"));
	assert_ok(scan_source(&s, LARGE, ""));
	scanner_wait(&scanner);
	while (seen < LARGE) {
		const unsigned char *p =
			(const unsigned char *)scanner.seen + at;
		size_t n = ((size_t)p[0] << 24) | ((size_t)p[1] << 16) |
			   ((size_t)p[2] << 8) | p[3];

		assert_true(n > 0 && n <= CONTENT_SCANNER_PIECE &&
			    n <= LARGE - seen);
		assert_memory_equal(p + CLAMD_LENGTH, bytes + seen, n);
		at += CLAMD_LENGTH + n;
		seen += n;
	}
	assert_int_equal(at + CLAMD_LENGTH, scanner.seen_len);
}

static void a_virus_is_reported_with_its_signature(void **state)
{
	(void)state;
	with_scanner();
	scanner_will(&scanner, SCANNER_ALL, SPAN("stream: Some.Sig FOUND\0"));
	assert_err(scan_bytes(SPAN("x"), ""), ERR_INFECTED);
	assert_string_equal(signature, "Some.Sig");
}

static void an_empty_file_is_scanned_too(void **state)
{
	(void)state;
	with_scanner();
	scanner_will(&scanner, SCANNER_ALL, SPAN("stream: Some.Sig FOUND\0"));
	assert_err(scan_bytes(SPAN(""), ""), ERR_INFECTED);
}

static void a_missing_reply_is_not_clean(void **state)
{
	(void)state;
	with_scanner();
	scanner_will(&scanner, SCANNER_ALL, SPAN("stream: O"));
	assert_err(scan_bytes(SPAN("x"), ""), ERR_UNAVAILABLE);
	assert_contains(why.text, "clamd");
	scanner_close(&scanner);
	assert_err(scan_bytes(SPAN("x"), ""), ERR_UNAVAILABLE);
	scanner_open(&scanner);
}

static void a_file_that_ends_early_is_not_clean(void **state)
{
	static char bytes[LARGE];
	struct memory_source s = { .bytes = { bytes, LARGE }, .fails = -1 };

	(void)state;
	with_scanner();
	scanner_will(&scanner, SCANNER_ALL, SPAN(""));
	assert_err(scan_source(&s, LARGE + 1, ""), ERR_IO);
	scanner_wait(&scanner);
	s.fails = 2 * CONTENT_SCANNER_PIECE;
	scanner_will(&scanner, SCANNER_ALL, SPAN(""));
	assert_err(scan_source(&s, LARGE, ""), ERR_FULL);
}

static void a_larger_file_is_refused_or_accepted_unscanned(void **state)
{
	(void)state;
	with_scanner();
	content_scanner.clamd_max = 4;
	assert_err(scan_bytes(SPAN("hello"), ""), ERR_TOO_LARGE);
	content_scanner.accepts_larger = true;
	/* clamd is not running there, so it was not used */
	assert_ok(scan_bytes(SPAN("hello"), ""));
	assert_string_equal(file.type, "text/plain");
	/* the largest is scanned */
	scanner_will(&scanner, SCANNER_ALL, SPAN("stream: a FOUND\0"));
	assert_err(scan_bytes(SPAN("hell"), ""), ERR_INFECTED);
}

#define INSPECTOR_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		INSPECTOR_TEST(an_invalid_setting_is_named),
		INSPECTOR_TEST(types_are_decided_without_an_installed_database),
		INSPECTOR_TEST(the_size_limit_is_what_can_be_scanned),
		INSPECTOR_TEST(the_scanner_is_ready_when_clamd_responds),
		INSPECTOR_TEST(the_type_is_decided_by_the_bytes),
		INSPECTOR_TEST(bytes_may_be_read_in_any_pieces),
		INSPECTOR_TEST(only_the_beginning_of_a_large_file_is_read),
		INSPECTOR_TEST(a_file_that_cannot_be_read_is_an_error),
		INSPECTOR_TEST(clamd_gets_every_byte_in_order),
		INSPECTOR_TEST(a_virus_is_reported_with_its_signature),
		INSPECTOR_TEST(an_empty_file_is_scanned_too),
		INSPECTOR_TEST(a_missing_reply_is_not_clean),
		INSPECTOR_TEST(a_file_that_ends_early_is_not_clean),
		INSPECTOR_TEST(a_larger_file_is_refused_or_accepted_unscanned),
	};

	return RUN(tests);
}
