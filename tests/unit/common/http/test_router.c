#include "common/http/router.h"
#include "tests/unit/transport_memory.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

static enum err handle(void *app, struct request *rq, struct response *rs)
{
	(void)app;
	(void)rq;
	return response_empty(rs, 204);
}

static const struct route routes[] = {
	{ "POST", "/upload", handle, "files:write", SESSION_BEFORE },
	{ "PUT", "/upload/*", handle, "files:write", SESSION_BEFORE },
	{ "GET", "/files", handle, "files:read", SESSION_BEFORE },
	{ "POST", "/files/*/links?owner", handle, "files:write",
	  SESSION_BEFORE },
	{ "GET", "/files/*", handle, "files:read", SESSION_BEFORE },
	{ "PATCH", "/files/*", handle, "files:write", SESSION_BEFORE },
	{ "DELETE", "/files/*", handle, "files:write", SESSION_BEFORE },
	{ "GET", "/healthz", handle, NO_AUTH },
	{ "PUT", "/u/*/*", handle, NO_AUTH },
	{ "POST", "/u/*", handle, NO_AUTH },
};
static const struct router router = { routes, COUNT(routes) };

struct found {
	enum err e;
	const struct route *route; /* NULL unless ERR_OK */
	char tail[64], allow[64];
};

static struct found find(const char *method, const char *path)
{
	struct found f = { .route = NULL };
	struct request rq = { .method = span_of(method),
			      .head = strcmp(method, "HEAD") == 0,
			      .path = span_of(path) };
	struct response rs;
	struct memory m;

	memory_init(&m, method, path);
	response_init(&rs, &m.base, rq.head);
	f.e = router_find(&router, &rq, &rs, &f.route);
	assert_true(span_to_cstr(rq.param, f.tail, sizeof(f.tail)));
	/* as the problem that follows does */
	response_restart(&rs);
	assert_ok(response_empty(&rs, 405));
	assert_true(span_to_cstr(memory_header(&m, "Allow"), f.allow,
				 sizeof(f.allow)));
	response_release(&rs);
	memory_release(&m);
	return f;
}

static void a_route_is_found_by_method_and_path(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(routes); i++) {
		char path[64];
		struct span parameters;
		size_t n = route_path(&routes[i], &parameters).len;

		(void)snprintf(path, sizeof(path), "%.*s", (int)n,
			       routes[i].pattern);
		if (path[n - 1] == '*')
			(void)snprintf(path + n - 1, sizeof(path) - n, "name");
		assert_ok(find(routes[i].method, path).e);
		assert_ptr_equal(find(routes[i].method, path).route,
				 &routes[i]);
		assert_string_equal(find(routes[i].method, path).allow, "");
	}
}

static void a_star_matches_one_or_more_bytes_slashes_included(void **state)
{
	(void)state;
	assert_string_equal(find("PUT", "/upload/a").tail, "a");
	assert_string_equal(find("PUT", "/upload/a/b c").tail, "a/b c");
	assert_string_equal(find("PUT", "/upload//").tail, "/");
	assert_err(find("PUT", "/upload/").e, ERR_NOT_FOUND);
	assert_err(find("GET", "/files/").e, ERR_NOT_FOUND);
}

static void a_path_matches_as_a_whole_and_by_case(void **state)
{
	static const char *const paths[] = {
		"/",	      "/file",	   "/filesx", "/Files", "//files",
		"/files//..", "/healthz/", "",	      "*",	"/uploads/a"
	};

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++)
		if (strcmp(paths[i], "/files//..") != 0)
			assert_err(find("GET", paths[i]).e, ERR_NOT_FOUND);
	assert_string_equal(find("GET", "/files//..").tail, "/..");
}

static void a_star_in_the_middle_matches_one_segment(void **state)
{
	(void)state;
	assert_ptr_equal(find("POST", "/files/a b/links").route, &routes[3]);
	assert_string_equal(find("POST", "/files/a b/links").tail, "a b");
	/* no segment, or two: the next pattern matches */
	assert_err(find("POST", "/files//links").e, ERR_METHOD);
	assert_string_equal(find("GET", "/files/a/b/links").tail, "a/b/links");
	assert_string_equal(find("GET", "/files/a/links/").tail, "a/links/");
	assert_string_equal(find("GET", "/files//links").tail, "/links");
	assert_string_equal(find("GET", "/files/links").tail, "links");
}

static void two_stars_match_a_segment_and_the_rest(void **state)
{
	(void)state;
	assert_ptr_equal(find("PUT", "/u/a/b").route, &routes[8]);
	assert_string_equal(find("PUT", "/u/a/b").tail, "a/b");
	assert_string_equal(find("PUT", "/u/a/b/c d").tail, "a/b/c d");
	assert_string_equal(find("PUT", "/u/a//").tail, "a//");
	/* an empty segment: the next pattern matches, which has no PUT */
	assert_string_equal(find("PUT", "/u/a/").allow, "POST");
	assert_string_equal(find("PUT", "/u//b").allow, "POST");
	assert_string_equal(find("POST", "/u/a").tail, "a");
	assert_string_equal(find("POST", "/u/a/b").allow, "PUT");
	assert_err(find("PUT", "/u/").e, ERR_NOT_FOUND);
}

static void a_path_belongs_to_the_first_pattern_that_matches(void **state)
{
	(void)state;
	assert_err(find("DELETE", "/files/a/links").e, ERR_METHOD);
	assert_string_equal(find("DELETE", "/files/a/links").allow, "POST");
	assert_string_equal(find("DELETE", "/files/a/links").tail, "");
}

static void head_is_routed_like_get(void **state)
{
	(void)state;
	assert_ptr_equal(find("HEAD", "/files").route, &routes[2]);
	assert_ptr_equal(find("HEAD", "/files/x").route, &routes[4]);
	assert_err(find("HEAD", "/upload").e, ERR_METHOD);
}

static void a_wrong_method_gets_the_list_of_methods(void **state)
{
	(void)state;
	assert_err(find("GET", "/upload").e, ERR_METHOD);
	assert_string_equal(find("GET", "/upload").allow, "POST");
	assert_string_equal(find("POST", "/files").allow, "GET, HEAD");
	assert_string_equal(find("TRACE", "/files/x").allow,
			    "GET, HEAD, PATCH, DELETE");
	assert_string_equal(find("HEAD", "/upload/x").allow, "PUT");
}

static void methods_are_case_sensitive(void **state)
{
	static const char *const methods[] = { "get",  "Get", "",
					       "GETX", "GE",  "G\xc3\xa9t" };

	(void)state;
	for (size_t i = 0; i < COUNT(methods); i++)
		assert_err(find(methods[i], "/files").e, ERR_METHOD);
}

static void an_unknown_path_gets_no_allow_header(void **state)
{
	(void)state;
	assert_err(find("GET", "/nothing").e, ERR_NOT_FOUND);
	assert_string_equal(find("GET", "/nothing").allow, "");
}

static void the_methods_of_a_path_are_listed_once(void **state)
{
	struct request rq = { .path = SPAN("/files/x") };
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	router_methods(&router, &rq, &b);
	assert_span(buf_span(&b), "GET, HEAD, PATCH, DELETE");
	buf_clear(&b);
	rq.path = SPAN("/nothing");
	router_methods(&router, &rq, &b);
	assert_span(buf_span(&b), "");
	buf_release(&b);
}

static void a_slash_at_the_end_is_dropped_where_it_means_nothing(void **state)
{
	static const struct {
		const char *method, *path, *want;
	} paths[] = {
		{ "GET", "/files/", "/files" },
		{ "POST", "/files/", "/files" }, /* its 405 has Allow */
		{ "GET", "/files/x/", "/files/x" },
		{ "GET", "/files/x//", "/files/x/" },
		{ "GET", "/files", "/files" },
		{ "GET", "/nothing/", "/nothing/" },
		{ "GET", "/", "/" },
		/* The name of a file ends so */
		{ "PUT", "/upload/x/", "/upload/x/" },
		{ "PUT", "/files/", "/files" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct request rq = { .method = span_of(paths[i].method),
				      .path = span_of(paths[i].path) };

		router_drop_slash(&router, &rq);
		assert_span_str(rq.path, paths[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_route_is_found_by_method_and_path),
		TEST(a_star_matches_one_or_more_bytes_slashes_included),
		TEST(a_star_in_the_middle_matches_one_segment),
		TEST(two_stars_match_a_segment_and_the_rest),
		TEST(a_path_belongs_to_the_first_pattern_that_matches),
		TEST(a_path_matches_as_a_whole_and_by_case),
		TEST(head_is_routed_like_get),
		TEST(a_wrong_method_gets_the_list_of_methods),
		TEST(methods_are_case_sensitive),
		TEST(an_unknown_path_gets_no_allow_header),
		TEST(the_methods_of_a_path_are_listed_once),
		TEST(a_slash_at_the_end_is_dropped_where_it_means_nothing),
	};

	return RUN(tests);
}
