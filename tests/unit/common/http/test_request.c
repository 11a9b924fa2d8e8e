#include "common/codec/query.h"
#include "common/http/request.h"
#include "tests/unit/transport_memory.h"
#include "tests/unit/unit.h"

#include <sodium.h>
#include <stdlib.h>

struct both {
	struct memory m;
	struct arena arena;
	struct request rq;
};

static int set_up(void **state)
{
	struct both *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return -1;
	memory_init(&b->m, "GET", "/files");
	arena_init(&b->arena);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct both *b = *state;

	memory_release(&b->m);
	arena_release(&b->arena);
	free(b);
	return 0;
}

static enum err init(struct both *b)
{
	return request_init(&b->rq, &b->m.base, &b->arena, "cgi-gateway",
			    1700000000123);
}

static void assert_path(struct both *b, const char *script, const char *info,
			const char *uri, const char *path, const char *prefix)
{
	memory_set(&b->m, "SCRIPT_NAME", script);
	memory_set(&b->m, "PATH_INFO", info);
	memory_set(&b->m, "REQUEST_URI", uri);
	assert_ok(init(b));
	assert_span_str(b->rq.path, path);
	assert_span_str(b->rq.prefix, prefix);
}

static void the_clock_and_the_method_are_stored_unchanged(void **state)
{
	struct both *b = *state;

	memory_set(&b->m, "QUERY_STRING", "a=1");
	assert_ok(init(b));
	assert_int_equal(b->rq.now_ms, 1700000000123);
	assert_int_equal(b->rq.now, 1700000000);
	assert_span(b->rq.method, "GET");
	assert_span(b->rq.query, "a=1");
	assert_false(b->rq.head);
	assert_false(b->rq.authenticated);
	assert_int_equal(b->rq.content_length, REQUEST_LENGTH_UNKNOWN);
	memory_set(&b->m, "REQUEST_METHOD", "HEAD");
	assert_ok(init(b));
	assert_true(b->rq.head);
}

static void the_path_under_fastcgi_is_script_name_and_path_info(void **state)
{
	struct both *b = *state;

	assert_path(b, "/files", NULL, "/files", "/files", "");
	assert_path(b, "/files", "", "/files", "/files", "");
	assert_path(b, "", "/files/x", "/files/x", "/files/x", "");
	assert_path(b, "/download", "/abc", "/download/abc", "/download/abc",
		    "");
	assert_path(b, NULL, NULL, NULL, "/", "");
}

static void the_path_after_the_programs_name_is_path_info(void **state)
{
	struct both *b = *state;

	assert_path(b, "/cgi-bin/cgi-gateway", "/files",
		    "/cgi-bin/cgi-gateway/files", "/files",
		    "/cgi-bin/cgi-gateway");
	assert_path(b, "/cgi-gateway", "/readyz", "/cgi-gateway/readyz",
		    "/readyz", "/cgi-gateway");
	assert_path(b, "/x/cgi-gateway.cgi", "/files",
		    "/x/cgi-gateway.cgi/files", "/files", "/x/cgi-gateway.cgi");
	assert_path(b, "/x/cgi-gateway.fcgi", "/files",
		    "/x/cgi-gateway.fcgi/files", "/files",
		    "/x/cgi-gateway.fcgi");
	assert_path(b, "/cgi-gateway", NULL, "/cgi-gateway", "/",
		    "/cgi-gateway");
}

static void a_rewritten_url_has_no_prefix_of_the_program(void **state)
{
	struct both *b = *state;

	assert_path(b, "/cgi-bin/cgi-gateway.cgi", "/files", "/files?x=1",
		    "/files", "");
	assert_path(b, "/cgi-bin/cgi-gateway.cgi", "/files", NULL, "/files",
		    "");
}

static void a_name_similar_to_the_programs_is_a_path(void **state)
{
	struct both *b = *state;

	assert_path(b, "/cgi-gateway2", "/files", "", "/cgi-gateway2/files",
		    "");
	assert_path(b, "/cgi-gateway.php", "/a", "", "/cgi-gateway.php/a", "");
	assert_path(b, "/my-cgi-gateway", "/a", "", "/my-cgi-gateway/a", "");
	assert_path(b, "/cgi-gateway/x", "/a", "", "/cgi-gateway/x/a", "");
	assert_path(b, "/cgi-auth", "/a", "", "/cgi-auth/a", "");
}

static void a_path_that_does_not_begin_with_a_slash_is_refused(void **state)
{
	struct both *b = *state;

	memory_set(&b->m, "SCRIPT_NAME", "files");
	assert_err(init(b), ERR_FORMAT);
	memory_set(&b->m, "SCRIPT_NAME", "*");
	assert_err(init(b), ERR_FORMAT);
	memory_set(&b->m, "SCRIPT_NAME", "/cgi-gateway");
	memory_set(&b->m, "PATH_INFO", "files");
	assert_err(init(b), ERR_FORMAT);
}

static void a_path_of_4096_bytes_is_the_longest(void **state)
{
	static char path[REQUEST_PATH_MAX + 2];
	struct both *b = *state;

	memset(path, 'p', sizeof(path) - 1);
	path[0] = '/';
	memory_set(&b->m, "SCRIPT_NAME", path);
	assert_err(init(b), ERR_FORMAT);
	memory_set(&b->m, "SCRIPT_NAME", "/cgi-gateway");
	memory_set(&b->m, "PATH_INFO", path);
	assert_err(init(b), ERR_FORMAT);
	path[REQUEST_PATH_MAX] = '\0';
	assert_ok(init(b));
	assert_int_equal(b->rq.path.len, REQUEST_PATH_MAX);
	memory_set(&b->m, "SCRIPT_NAME", path);
	memory_set(&b->m, "PATH_INFO", "");
	assert_ok(init(b));
	/* method and id are set even after a failure */
	memory_set(&b->m, "PATH_INFO", "x");
	assert_err(init(b), ERR_FORMAT);
	assert_span(b->rq.method, "GET");
	assert_true(b->rq.id[0] != '\0');
}

static void a_valid_request_id_is_kept_and_any_other_replaced(void **state)
{
	static const char *const wrong[] = { "",	 "a b",	 "a\"b", "a.b",
					     "\xc3\xa9", "a\nb", "../x" };
	struct both *b = *state;
	char text[REQUEST_ID_MAX + 2];

	memory_set(&b->m, "HTTP_X_REQUEST_ID", "AZaz09_-");
	assert_ok(init(b));
	assert_string_equal(b->rq.id, "AZaz09_-");
	for (size_t i = 0; i < COUNT(wrong); i++) {
		memory_set(&b->m, "HTTP_X_REQUEST_ID", wrong[i]);
		assert_ok(init(b));
		assert_int_equal(strlen(b->rq.id), IDENT_LEN);
	}
	memset(text, 'i', sizeof(text));
	text[REQUEST_ID_MAX + 1] = '\0';
	memory_set(&b->m, "HTTP_X_REQUEST_ID", text);
	assert_ok(init(b));
	assert_int_equal(strlen(b->rq.id), IDENT_LEN);
	text[REQUEST_ID_MAX] = '\0';
	assert_ok(init(b));
	assert_string_equal(b->rq.id, text);
}

static void a_length_is_a_whole_number_or_unknown(void **state)
{
	static const char *const wrong[] = { "-1",   "x",
					     "1x",   " 1",
					     "+1",   "1,1",
					     "0x10", "9223372036854775808" };
	struct both *b = *state;

	for (size_t i = 0; i < COUNT(wrong); i++) {
		memory_set(&b->m, "CONTENT_LENGTH", wrong[i]);
		assert_err(init(b), ERR_FORMAT);
	}
	memory_set(&b->m, "CONTENT_LENGTH", "");
	assert_ok(init(b));
	assert_int_equal(b->rq.content_length, REQUEST_LENGTH_UNKNOWN);
	memory_set(&b->m, "CONTENT_LENGTH", "0");
	assert_ok(init(b));
	assert_int_equal(b->rq.content_length, 0);
	memory_set(&b->m, "CONTENT_LENGTH", "107374182400");
	assert_ok(init(b));
	assert_int_equal(b->rq.content_length, 107374182400);
}

static void headers_are_found_by_their_name_in_http(void **state)
{
	struct both *b = *state;

	memory_set(&b->m, "HTTP_IF_NONE_MATCH", "\"x\"");
	memory_set(&b->m, "CONTENT_TYPE", "text/plain");
	assert_ok(init(b));
	assert_span(request_header(&b->rq, "If-None-Match"), "\"x\"");
	assert_span(request_header(&b->rq, "if-none-match"), "\"x\"");
	assert_null(request_header(&b->rq, "If-Match").p);
	assert_span(request_content_type(&b->rq), "text/plain");
	assert_int_equal(request_header(&b->rq,
					"A-Header-With-A-Name-Far-Longer"
					"-Than-Anything-That-We-Ever-"
					"Read-From-A-Client")
				 .len,
			 0);
}

static void authorization_is_read_from_apaches_variable_too(void **state)
{
	struct both *b = *state;

	assert_ok(init(b));
	assert_int_equal(request_authorization(&b->rq).len, 0);
	memory_set(&b->m, "REDIRECT_HTTP_AUTHORIZATION", "Bearer hidden");
	assert_span(request_authorization(&b->rq), "Bearer hidden");
	memory_set(&b->m, "HTTP_AUTHORIZATION", "");
	assert_span(request_authorization(&b->rq), "Bearer hidden");
	memory_set(&b->m, "HTTP_AUTHORIZATION", "Bearer plain");
	assert_span(request_authorization(&b->rq), "Bearer plain");
}

static void query_values_are_decoded_into_the_arena(void **state)
{
	static char text[QUERY_VALUE_MAX + 7];
	struct both *b = *state;
	struct span value = SPAN("old");

	memory_set(&b->m, "QUERY_STRING", "name=a%20b&bad=%");
	assert_ok(init(b));
	assert_err(request_query(&b->rq, "none", &value), ERR_NOT_FOUND);
	assert_err(request_query(&b->rq, "bad", &value), ERR_FORMAT);
	assert_span(value, "old");
	assert_ok(request_query(&b->rq, "name", &value));
	assert_span(value, "a b");
	memset(text, 'q', sizeof(text) - 1);
	memcpy(text, "name=", 5);
	memory_set(&b->m, "QUERY_STRING", text);
	assert_ok(init(b));
	assert_err(request_query(&b->rq, "name", &value), ERR_FORMAT);
}

static void a_body_is_read_piece_by_piece_to_its_end(void **state)
{
	static const size_t pieces[] = { 0, 1, 2, 3, 7, 100 };
	struct span body = SPAN("the bytes of a body");
	struct both *b = *state;

	for (size_t i = 0; i < COUNT(pieces); i++) {
		char got[64];
		size_t n = 0;
		struct span chunk;

		memory_release(&b->m);
		memory_init(&b->m, "POST", "/upload");
		memory_body(&b->m, body, pieces[i]);
		assert_ok(init(b));
		do {
			assert_ok(request_read(&b->rq, &chunk));
			assert_true(chunk.len <= sizeof(got) - n);
			if (chunk.len > 0)
				memcpy(got + n, chunk.p, chunk.len);
			n += chunk.len;
		} while (chunk.len > 0);
		assert_int_equal(n, body.len);
		assert_memory_equal(got, body.p, n);
		assert_int_equal(b->rq.body_read, body.len);
	}
}

static void a_body_that_ends_early_is_truncated(void **state)
{
	struct both *b = *state;
	struct span chunk;

	memory_body(&b->m, SPAN("only this"), 0);
	memory_set(&b->m, "CONTENT_LENGTH", "10");
	assert_ok(init(b));
	assert_ok(request_read(&b->rq, &chunk));
	assert_int_equal(chunk.len, 9);
	assert_err(request_read(&b->rq, &chunk), ERR_TRUNCATED);
	assert_err(request_read(&b->rq, &chunk), ERR_TRUNCATED);
}

static void a_body_of_unknown_length_is_read_to_its_end(void **state)
{
	struct both *b = *state;
	struct span chunk;

	memory_body(&b->m, SPAN("some"), 0);
	memory_set(&b->m, "CONTENT_LENGTH", NULL);
	assert_ok(init(b));
	assert_ok(request_read(&b->rq, &chunk));
	assert_ok(request_read(&b->rq, &chunk));
	assert_int_equal(chunk.len, 0);
}

static void a_broken_connection_is_not_the_end_of_the_body(void **state)
{
	struct both *b = *state;
	struct span chunk;

	memory_body(&b->m, SPAN("0123456789"), 4);
	b->m.read_breaks = 8;
	assert_ok(init(b));
	assert_ok(request_read(&b->rq, &chunk));
	assert_ok(request_read(&b->rq, &chunk));
	assert_err(request_read(&b->rq, &chunk), ERR_CLOSED);
}

static void a_small_body_is_read_whole_up_to_its_limit(void **state)
{
	struct both *b = *state;
	struct span all = SPAN("old");

	memory_body(&b->m, SPAN("0123456789"), 3);
	assert_ok(init(b));
	assert_ok(request_read_all(&b->rq, 10, &all));
	assert_span(all, "0123456789");
}

static void a_body_over_its_limit_is_too_large_with_or_without_a_length(
	void **state)
{
	struct both *b = *state;
	struct span all = SPAN("old");

	memory_body(&b->m, SPAN("0123456789"), 3);
	assert_ok(init(b));
	assert_err(request_read_all(&b->rq, 9, &all), ERR_TOO_LARGE);
	assert_int_equal(b->rq.body_read, 0); /* refused unread */
	memory_set(&b->m, "CONTENT_LENGTH", NULL);
	assert_ok(init(b));
	assert_err(request_read_all(&b->rq, 9, &all), ERR_TOO_LARGE);
	assert_span(all, "old");
}

static void a_request_that_used_up_its_memory_gets_an_error(void **state)
{
	struct both *b = *state;
	struct span out = SPAN("old");

	memory_body(&b->m, SPAN("0123456789"), 0);
	assert_ok(init(b));
	while (arena_alloc(&b->arena, 16) != NULL)
		continue;
	assert_err(request_query(&b->rq, "id", &out), ERR_MEMORY);
	assert_err(request_read_all(&b->rq, 10, &out), ERR_MEMORY);
	memory_set(&b->m, "PATH_INFO", "/x");
	assert_err(init(b), ERR_MEMORY);
	assert_span(out, "old");
}

int main(void)
{
#define FIXTURE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(the_clock_and_the_method_are_stored_unchanged),
		FIXTURE_TEST(
			the_path_under_fastcgi_is_script_name_and_path_info),
		FIXTURE_TEST(the_path_after_the_programs_name_is_path_info),
		FIXTURE_TEST(a_rewritten_url_has_no_prefix_of_the_program),
		FIXTURE_TEST(a_name_similar_to_the_programs_is_a_path),
		FIXTURE_TEST(
			a_path_that_does_not_begin_with_a_slash_is_refused),
		FIXTURE_TEST(a_path_of_4096_bytes_is_the_longest),
		FIXTURE_TEST(a_valid_request_id_is_kept_and_any_other_replaced),
		FIXTURE_TEST(a_length_is_a_whole_number_or_unknown),
		FIXTURE_TEST(headers_are_found_by_their_name_in_http),
		FIXTURE_TEST(authorization_is_read_from_apaches_variable_too),
		FIXTURE_TEST(query_values_are_decoded_into_the_arena),
		FIXTURE_TEST(a_body_is_read_piece_by_piece_to_its_end),
		FIXTURE_TEST(a_body_that_ends_early_is_truncated),
		FIXTURE_TEST(a_body_of_unknown_length_is_read_to_its_end),
		FIXTURE_TEST(a_broken_connection_is_not_the_end_of_the_body),
		FIXTURE_TEST(a_small_body_is_read_whole_up_to_its_limit),
		FIXTURE_TEST(
			a_body_over_its_limit_is_too_large_with_or_without_a_length),
		FIXTURE_TEST(a_request_that_used_up_its_memory_gets_an_error),
	};

	if (sodium_init() < 0)
		return 1;
	return RUN(tests);
}
