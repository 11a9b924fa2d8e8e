#include "common/http/server_error.h"
#include "tests/unit/transport_memory.h"
#include "tests/unit/unit.h"

static struct arena arena;

/* What server_error_read() makes of a request with these variables */
static bool read_error(const char *path, const char *status, const char *url,
		       struct request *rq, struct server_error *out)
{
	static struct memory m;

	memory_init(&m, "GET", path);
	memory_set(&m, "REDIRECT_STATUS", status);
	memory_set(&m, "REQUEST_URI", url);
	assert_ok(request_init(rq, &m.base, &arena, "cgi-auth", 0));
	return server_error_read(rq, out);
}

static void the_first_url_is_that_of_the_request(void **state)
{
	struct server_error e;
	struct request rq;

	(void)state;
	assert_true(
		read_error("/.error/request", "404", "/a%20b?x=%20", &rq, &e));
	assert_int_equal(e.status, 404);
	assert_int_equal(e.place, AT_REQUEST);
	assert_span(rq.path, "/a b");
	assert_span(rq.query, "x=%20");
	assert_span(rq.method, "GET");
	assert_false(server_error_is_empty_post(&e));
}

static void a_411_is_a_post_unless_a_program_was_asked(void **state)
{
	static const struct {
		const char *path;
		bool post;
	} places[] = {
		{ "/.error/request", true },
		{ "/.error/internal", true },
		{ "/.error/program", false },
		{ "/.error/program/head", false },
		{ "/.error/program/body", false },
	};
	struct server_error e;
	struct request rq;

	(void)state;
	for (size_t i = 0; i < COUNT(places); i++) {
		assert_true(
			read_error(places[i].path, "411", "/login", &rq, &e));
		assert_int_equal(e.place, i);
		assert_int_equal(server_error_is_empty_post(&e),
				 places[i].post);
		assert_int_equal(span_eq(rq.method, SPAN("POST")),
				 places[i].post);
		assert_int_equal(rq.head, e.place == AT_PROGRAM_HEAD);
	}
}

static void a_request_that_the_server_could_serve_is_none(void **state)
{
	static const char *const statuses[] = { NULL,  "",    "200", "302",
						"399", "600", "x",   "-404" };
	struct server_error e;
	struct request rq;

	(void)state;
	for (size_t i = 0; i < COUNT(statuses); i++) {
		assert_false(read_error("/.error/request", statuses[i],
					"/login", &rq, &e));
		assert_span(rq.path, "/.error/request");
	}
	/* Apache sets the status for the pages of its own errors, too */
	assert_false(read_error("/login", "404", "/login", &rq, &e));
	assert_false(read_error("/.error/requests", "404", "/", &rq, &e));
	assert_false(read_error("/.error/", "404", "/", &rq, &e));
}

static void a_path_that_cannot_be_decoded_is_empty(void **state)
{
	static const char *const urls[] = { NULL,     "",
					    "*",      "/%",
					    "/%0",    "/a%00b",
					    "/a%0Ab", "http://host/login" };
	struct server_error e;
	struct request rq;

	(void)state;
	for (size_t i = 0; i < COUNT(urls); i++) {
		assert_true(
			read_error("/.error/request", "411", urls[i], &rq, &e));
		assert_int_equal(rq.path.len, 0);
	}
}

static void an_authorizer_finds_the_path_in_redirect_uri(void **state)
{
	struct server_error e;
	struct request rq;
	struct memory m;

	(void)state;
	memory_init(&m, "GET", "");
	memory_set(&m, "FCGI_ROLE", "AUTHORIZER");
	memory_set(&m, "REDIRECT_STATUS", "411");
	memory_set(&m, "REDIRECT_URI", "/.error/internal");
	memory_set(&m, "REQUEST_URI", "/validate");
	assert_ok(request_init(&rq, &m.base, &arena, "cgi-auth", 0));
	assert_true(server_error_read(&rq, &e));
	assert_true(e.authorizer);
	assert_false(rq.authorizer);
	assert_int_equal(e.place, AT_INTERNAL);
	assert_span(rq.path, "/validate");
	memory_release(&m);
}

/* Over HTTP/2 a body need not have a length */
static void a_411_over_http_2_has_no_body_if_it_has_no_type(void **state)
{
	static const struct {
		const char *protocol, *type;
		bool empty;
	} posts[] = {
		{ "HTTP/1.1", NULL, true },
		{ "HTTP/1.1", "application/json", true },
		{ "HTTP/2.0", NULL, true },
		{ "HTTP/2.0", "application/json", false },
	};
	struct server_error e;
	struct request rq;
	struct memory m;

	(void)state;
	for (size_t i = 0; i < COUNT(posts); i++) {
		memory_init(&m, "GET", "/.error/request");
		memory_set(&m, "REDIRECT_STATUS", "411");
		memory_set(&m, "REQUEST_URI", "/links");
		memory_set(&m, "SERVER_PROTOCOL", posts[i].protocol);
		if (posts[i].type != NULL)
			memory_set(&m, "CONTENT_TYPE", posts[i].type);
		assert_ok(request_init(&rq, &m.base, &arena, "cgi-auth", 0));
		assert_true(server_error_read(&rq, &e));
		assert_int_equal(server_error_is_empty_post(&e),
				 posts[i].empty);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_url_is_that_of_the_request),
		cmocka_unit_test(a_411_is_a_post_unless_a_program_was_asked),
		cmocka_unit_test(
			a_411_over_http_2_has_no_body_if_it_has_no_type),
		cmocka_unit_test(a_request_that_the_server_could_serve_is_none),
		cmocka_unit_test(a_path_that_cannot_be_decoded_is_empty),
		cmocka_unit_test(an_authorizer_finds_the_path_in_redirect_uri),
	};
	int failed;

	arena_init(&arena);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&arena);
	return failed;
}
