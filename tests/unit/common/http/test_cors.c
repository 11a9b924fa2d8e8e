#include "common/http/cors.h"
#include "common/http/problem.h"
#include "tests/unit/transport_memory.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#define ORIGINS "https://a.example https://b.example:8443"

static const struct route routes[] = {
	{ "GET", "/files", NULL, ANY_SCOPE, SESSION_BEFORE },
	{ "POST", "/files", NULL, ANY_SCOPE, SESSION_BEFORE },
};
static const struct router router = { routes, COUNT(routes) };

struct asked {
	struct memory m;
	struct request rq;
	struct response rs;
};

static int set_up(void **state)
{
	struct asked *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return -1;
	memory_init(&a->m, "OPTIONS", "/files");
	a->rq = (struct request) { .transport = &a->m.base,
				   .method = SPAN("OPTIONS"),
				   .path = SPAN("/files") };
	response_init(&a->rs, &a->m.base, false);
	*state = a;
	return 0;
}

static int tear_down(void **state)
{
	struct asked *a = *state;

	response_release(&a->rs);
	memory_release(&a->m);
	free(a);
	return 0;
}

static bool allowed(struct asked *a, const char *origins, const char *origin)
{
	memory_set(&a->m, "HTTP_ORIGIN", origin);
	response_release(&a->rs);
	response_init(&a->rs, &a->m.base, false);
	return cors_allow(origins, &a->rq, &a->rs);
}

static void no_origin_is_allowed_by_default(void **state)
{
	struct asked *a = *state;

	assert_false(allowed(a, "", "https://a.example"));
	assert_ok(response_empty(&a->rs, 200));
	assert_false(memory_has_header(&a->m, "Access-Control-Allow-Origin"));
	assert_false(memory_has_header(&a->m, "Vary"));
}

static void a_listed_origin_is_allowed_by_name(void **state)
{
	struct asked *a = *state;

	assert_true(allowed(a, ORIGINS, "https://a.example"));
	assert_true(allowed(a, ORIGINS, "https://b.example:8443"));
	assert_ok(response_empty(&a->rs, 200));
	assert_span(memory_header(&a->m, "Access-Control-Allow-Origin"),
		    "https://b.example:8443");
	assert_span(memory_header(&a->m, "Vary"), "Origin");
	assert_true(memory_has_header(&a->m, "Access-Control-Expose-Headers"));
	/* tokens are in a header, so no cookies are needed */
	assert_false(
		memory_has_header(&a->m, "Access-Control-Allow-Credentials"));
}

static void an_origin_that_is_only_similar_is_not_allowed(void **state)
{
	static const char *const others[] = {
		"https://a.example.evil.org",
		"https://a.exampl",
		"http://a.example",
		"https://a.example:443",
		"https://a.example/",
		"https://A.example",
		"null",
		"",
		"https://a.example https://b.example:8443",
	};
	struct asked *a = *state;

	for (size_t i = 0; i < COUNT(others); i++)
		assert_false(allowed(a, ORIGINS, others[i]));
	assert_false(allowed(a, ORIGINS, NULL));
	assert_ok(response_empty(&a->rs, 200));
	assert_false(memory_has_header(&a->m, "Access-Control-Allow-Origin"));
	/* a cache must know that the answer depends on the origin */
	assert_span(memory_header(&a->m, "Vary"), "Origin");
}

static void a_star_allows_every_origin(void **state)
{
	struct asked *a = *state;

	assert_true(allowed(a, "*", "https://any.example"));
	assert_false(allowed(a, "*", NULL));
}

static void cors_headers_are_kept_in_a_problem(void **state)
{
	struct asked *a = *state;

	assert_true(allowed(a, ORIGINS, "https://a.example"));
	assert_ok(problem_answer(&a->rq, &a->rs, ERR_NOT_FOUND));
	assert_int_equal(memory_status(&a->m), 404);
	assert_span(memory_header(&a->m, "Access-Control-Allow-Origin"),
		    "https://a.example");
}

static void a_preflight_lists_the_allowed_methods_and_headers(void **state)
{
	struct asked *a = *state;

	memory_set(&a->m, "HTTP_ORIGIN", "https://a.example");
	memory_set(&a->m, "HTTP_ACCESS_CONTROL_REQUEST_METHOD", "POST");
	assert_ok(cors_options(ORIGINS, &router, &a->rq, &a->rs));
	assert_int_equal(memory_status(&a->m), 204);
	assert_span(memory_header(&a->m, "Allow"), "GET, HEAD, POST, OPTIONS");
	assert_span(memory_header(&a->m, "Access-Control-Allow-Methods"),
		    "GET, HEAD, POST, OPTIONS");
	assert_true(memory_has_header(&a->m, "Access-Control-Allow-Headers"));
	assert_span(memory_header(&a->m, "Access-Control-Max-Age"), "600");
	assert_span(memory_answer(&a->m), "");
}

static void options_without_cors_lists_the_methods_only(void **state)
{
	struct asked *a = *state;

	memory_set(&a->m, "HTTP_ORIGIN", "https://a.example");
	assert_ok(cors_options("", &router, &a->rq, &a->rs));
	assert_int_equal(memory_status(&a->m), 204);
	assert_span(memory_header(&a->m, "Allow"), "GET, HEAD, POST, OPTIONS");
	assert_false(memory_has_header(&a->m, "Access-Control-Allow-Origin"));
	assert_false(memory_has_header(&a->m, "Access-Control-Allow-Methods"));
}

static void options_of_an_unknown_path_is_404(void **state)
{
	struct asked *a = *state;

	a->rq.path = SPAN("/nothing");
	assert_err(cors_options(ORIGINS, &router, &a->rq, &a->rs),
		   ERR_NOT_FOUND);
	assert_int_equal(a->m.text.len, 0);
}

int main(void)
{
#define FIXTURE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(no_origin_is_allowed_by_default),
		FIXTURE_TEST(a_listed_origin_is_allowed_by_name),
		FIXTURE_TEST(an_origin_that_is_only_similar_is_not_allowed),
		FIXTURE_TEST(a_star_allows_every_origin),
		FIXTURE_TEST(cors_headers_are_kept_in_a_problem),
		FIXTURE_TEST(a_preflight_lists_the_allowed_methods_and_headers),
		FIXTURE_TEST(options_without_cors_lists_the_methods_only),
		FIXTURE_TEST(options_of_an_unknown_path_is_404),
	};

	return RUN(tests);
}
