#include "common/codec/encode.h"
#include "tests/unit/cgi-gateway/gateway.h"
#include "tests/unit/cgi-gateway/scanner.h"

#define FILE_PART(name)                                                       \
	"--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"" name \
	"\"\r\n\r\n"
#define TWO_FILES            \
	FILE_PART("one.txt") \
	"first\r\n" FILE_PART("two.txt") "second\r\n--B--\r\n"

static struct db *db;
static struct gateway g;
static struct scanner scanner;

static int set_up(void **state)
{
	(void)state;
	gateway_clear(db);
	gateway_open(&g, db);
	scanner_open(&scanner);
	g.app.content_scanner.scans = true;
	g.app.content_scanner.clamd_max = GATEWAY_MAX_UPLOAD;
	g.app.content_scanner.daemon = scanner_address(&scanner);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scanner_close(&scanner);
	gateway_close(&g);
	return 0;
}

static int open_db(void **state)
{
	(void)state;
	db = mariadb_pool(2);
	gateway_people(db);
	return 0;
}

static int close_db(void **state)
{
	(void)state;
	db_close(db);
	return 0;
}

static int put(struct span name, struct span body)
{
	gateway_request(&g, "PUT", "/upload/x", "");
	memory_body(&g.memory, body, 0);
	return gateway_answer(&g, handle_upload_named, name);
}

static int post_form(struct span body)
{
	gateway_request(&g, "POST", "/upload", "");
	memory_set(&g.memory, "CONTENT_TYPE",
		   "multipart/form-data; boundary=B");
	memory_body(&g.memory, body, 7);
	return gateway_answer(&g, handle_upload, SPAN(""));
}

/* The response is this problem, and neither a row nor a byte was stored */
static void assert_nothing(int got, int status, const char *slug)
{
	char type[64];

	(void)snprintf(type, sizeof(type), "\"urn:gatehouse:%s\"", slug);
	assert_int_equal(got, status);
	assert_true(gateway_said(&g, type));
	assert_int_equal(folder_files(g.dir), 0);
	assert_int_equal(file_table_rows(db), 0);
}

static void a_file_that_is_clean_is_stored(void **state)
{
	(void)state;
	scanner_will(&scanner, SCANNER_ALL, SPAN("stream: OK\0"));
	assert_int_equal(put(SPAN("a"), SPAN("hello")), 201);
	scanner_wait(&scanner);
	assert_contains(scanner.seen + sizeof("zINSTREAM") + CLAMD_LENGTH,
			"hello");
	assert_int_equal(gateway_objects(&g), 1);
	assert_int_equal(file_table_rows(db), 1);
}

static void a_file_that_is_infected_leaves_nothing(void **state)
{
	(void)state;
	scanner_will(&scanner, SCANNER_ALL, SPAN("stream: Some.Sig FOUND\0"));
	assert_nothing(put(SPAN("\xe2\x82\xac.txt"), SPAN("hello")), 422,
		       "infected");
	assert_true(gateway_said(&g, "\\\"\xe2\x82\xac.txt\\\" is infected "
				     "with Some.Sig."));
}

static void a_long_name_is_shortened_between_two_characters(void **state)
{
	char name[FILE_NAME_MAX + 1];

	(void)state;
	name[0] = 'a'; /* so that 80 bytes end inside a character */
	for (int i = 1; i + 2 <= FILE_NAME_MAX; i += 2)
		memcpy(name + i, "\xc3\xa4", 2);
	scanner_will(&scanner, SCANNER_ALL, SPAN("stream: Some.Sig FOUND\0"));
	assert_nothing(
		put((struct span) { name, FILE_NAME_MAX }, SPAN("hello")), 422,
		"infected");
	assert_true(
		gateway_said(&g, "\xc3\xa4\\\" is infected with Some.Sig."));
	assert_true(utf8_valid(memory_answer(&g.memory)));
}

static void an_infected_file_refuses_the_whole_request(void **state)
{
	(void)state;
	scanner_will(&scanner, SCANNER_ALL, SPAN("stream: Some.Sig FOUND\0"));
	assert_nothing(post_form(SPAN(TWO_FILES)), 422, "infected");
}

static void a_scanner_that_fails_between_two_files_leaves_nothing(void **state)
{
	(void)state;
	scanner.serves_one = true;
	scanner_will(&scanner, SCANNER_ALL, SPAN("stream: OK\0"));
	assert_nothing(post_form(SPAN(TWO_FILES)), 503, "unavailable");
	assert_true(gateway_said(&g, "\\\"two.txt\\\" cannot be scanned"));
	assert_contains(g.rs.why.text, "clamd");
}

static void a_file_that_is_too_large_for_clamd_leaves_nothing(void **state)
{
	(void)state;
	scanner_will(&scanner, 20,
		     SPAN("INSTREAM size limit exceeded. ERROR\0"));
	assert_nothing(put(SPAN("a"), SPAN("hello")), 413, "too-large");
	assert_contains(g.rs.why.text, "StreamMaxLength");
	scanner_wait(&scanner);
	g.app.content_scanner.clamd_max = 4;
	assert_nothing(put(SPAN("a"), SPAN("hello")), 413, "too-large");
	assert_true(gateway_said(&g, "too large to be scanned"));
}

#define CHECK(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CHECK(a_file_that_is_clean_is_stored),
		CHECK(a_file_that_is_infected_leaves_nothing),
		CHECK(a_long_name_is_shortened_between_two_characters),
		CHECK(an_infected_file_refuses_the_whole_request),
		CHECK(a_scanner_that_fails_between_two_files_leaves_nothing),
		CHECK(a_file_that_is_too_large_for_clamd_leaves_nothing),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, open_db, close_db);
}
