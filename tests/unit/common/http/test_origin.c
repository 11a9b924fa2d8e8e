#include "tests/unit/transport_memory.h"
#include "tests/unit/unit.h"

#include "common/http/origin.h"

static bool is_of(const char *origin, const char *authority)
{
	return origin_is_of(span_of(origin), span_of(authority));
}

static void an_origin_is_of_the_host_and_port_that_it_names(void **state)
{
	(void)state;
	assert_true(is_of("https://a.example", "a.example"));
	assert_true(is_of("http://a.example", "a.example"));
	assert_true(is_of("https://A.Example", "a.EXAMPLE"));
	assert_true(is_of("http://a.example:8080", "a.example:8080"));
	assert_true(is_of("http://[2001:db8::1]:8080", "[2001:db8::1]:8080"));
	/* the port of the scheme may be written or not */
	assert_true(is_of("https://a.example", "a.example:443"));
	assert_true(is_of("https://a.example:443", "a.example"));
	assert_true(is_of("http://a.example", "a.example:80"));
}

static void an_origin_is_not_of_another_host_or_port(void **state)
{
	(void)state;
	assert_false(is_of("https://b.example", "a.example"));
	assert_false(is_of("https://a.example.evil", "a.example"));
	assert_false(is_of("https://evil-a.example", "a.example"));
	assert_false(is_of("https://x.a.example", "a.example"));
	assert_false(is_of("https://a.example:8443", "a.example"));
	assert_false(is_of("https://a.example", "a.example:8443"));
	assert_false(is_of("https://a.example", "a.example:80"));
	assert_false(is_of("https://a.example@evil", "a.example"));
}

static void what_is_no_origin_is_of_no_host(void **state)
{
	static const char *const bad[] = { "null",
					   "",
					   "a.example",
					   "https://",
					   "ftp://a.example",
					   "file://a.example",
					   "//a.example" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_false(is_of(bad[i], "a.example"));
		assert_false(is_of(bad[i], ""));
	}
	assert_false(is_of("https://:443", ""));
}

struct sent {
	const char *origin, *host, *forwarded, *remote;
};

static bool is_ours(struct sent s)
{
	const struct origin_rules rules = {
		.public_url = "https://files.example.org/gate",
		.listed = "https://app.example.org *",
		.trusted_proxies = "192.0.2.0/24",
	};
	struct request rq = { .now = 1 };
	struct memory m;
	bool ours;

	memory_init(&m, "POST", "/refresh");
	memory_set(&m, "HTTP_ORIGIN", s.origin);
	memory_set(&m, "HTTP_HOST", s.host);
	memory_set(&m, "HTTP_X_FORWARDED_HOST", s.forwarded);
	memory_set(&m, "REMOTE_ADDR", s.remote);
	rq.transport = &m.base;
	ours = origin_is_ours(&rq, &rules);
	memory_release(&m);
	return ours;
}

static void a_request_of_our_own_pages_or_of_no_page_is_ours(void **state)
{
	(void)state;
	assert_true(is_ours((struct sent) { .host = "a.example" }));
	assert_true(is_ours((struct sent) { .origin = "https://a.example",
					    .host = "a.example" }));
	assert_false(is_ours((struct sent) { .origin = "https://b.example",
					     .host = "a.example" }));
	assert_false(is_ours(
		(struct sent) { .origin = "null", .host = "a.example" }));
	assert_false(is_ours((struct sent) { .origin = "https://a.example" }));
}

static void the_public_url_and_listed_origins_are_ours(void **state)
{
	(void)state;
	assert_true(is_ours((struct sent) {
		.origin = "https://files.example.org", .host = "10.0.0.1" }));
	assert_true(is_ours((struct sent) { .origin = "https://app.example.org",
					    .host = "10.0.0.1" }));
	/* "*" is for answers that anybody may read: a cookie is somebody's */
	assert_false(is_ours((struct sent) { .origin = "https://evil.example",
					     .host = "10.0.0.1" }));
}

static void the_host_that_a_trusted_proxy_names_is_ours(void **state)
{
	struct sent s = { .origin = "https://a.example",
			  .host = "10.0.0.1:8080",
			  .forwarded = "a.example, inner.example",
			  .remote = "192.0.2.7" };

	(void)state;
	assert_true(is_ours(s));
	s.origin = "https://inner.example";
	assert_false(is_ours(s));
	s.origin = "https://a.example";
	s.remote = "198.51.100.7";
	assert_false(is_ours(s));
	s.remote = NULL;
	assert_false(is_ours(s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_origin_is_of_the_host_and_port_that_it_names),
		TEST(an_origin_is_not_of_another_host_or_port),
		TEST(what_is_no_origin_is_of_no_host),
		TEST(a_request_of_our_own_pages_or_of_no_page_is_ours),
		TEST(the_public_url_and_listed_origins_are_ours),
		TEST(the_host_that_a_trusted_proxy_names_is_ours),
	};

	return RUN(tests);
}
