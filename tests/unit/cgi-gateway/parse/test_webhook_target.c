#include "cgi-gateway/parse/webhook_target.h"

#include "tests/unit/unit.h"

static struct errmsg why;

static void assert_wrong(const char *list, const char *said)
{
	struct webhook_targets r = { .count = 77 };

	assert_err(webhook_targets_read(span_of(list), &r, &why), ERR_CONFIG);
	assert_int_equal(r.count, 77);
	assert_true(strstr(why.text, "EVENT_URLS: address ") == why.text);
	assert_contains(why.text, said);
}

static void an_empty_list_has_no_addresses(void **state)
{
	struct webhook_targets r = { .count = 77 };

	(void)state;
	assert_ok(webhook_targets_read(span_of(NULL), &r, &why));
	assert_int_equal(r.count, 0);
	assert_ok(webhook_targets_read(SPAN("   "), &r, &why));
	assert_int_equal(r.count, 0);
}

static void blanks_separate_addresses(void **state)
{
	struct webhook_targets r;

	(void)state;
	assert_ok(webhook_targets_read(
		SPAN("  http://a  https://b.example:8443/x?y=z"
		     " http://[::1]:9000 http://[2001:db8::1]/"
		     " "),
		&r, &why));
	assert_int_equal(r.count, 4);
	assert_string_equal(r.url[0], "http://a");
	assert_string_equal(r.url[1], "https://b.example:8443/x?y=z");
	assert_string_equal(r.url[2], "http://[::1]:9000");
	assert_string_equal(r.url[3], "http://[2001:db8::1]/");
	assert_true(webhook_targets_has(&r, "http://a"));
	assert_false(webhook_targets_has(&r, "http://a/"));
	assert_false(webhook_targets_has(&r, ""));
}

static void an_address_is_http_or_https(void **state)
{
	static const char *const others[] = {
		"ftp://a/", "file:///etc/passwd", "gopher://a", "a",
		"//a/",	    "HTTP://a",		  "http:/a",	"x http://a",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++)
		assert_wrong(others[i], "begin with http://");
}

static void an_address_needs_a_host_and_a_possible_port(void **state)
{
	static const char *const others[] = {
		"http://",	   "http:///x",	    "http://?x",
		"http://:80/",	   "http://a:/",    "http://a:0/",
		"http://a:65536/", "http://a:1x/",  "http://a:80:80/",
		"http://[::1",	   "http://[]:80/", "http://[::1]80/",
		"http://[::1]:/",  "http://::1/",   "https://[::1]:x",
		"http://a:-1/",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++)
		assert_wrong(others[i], "must have a host");
}

static void a_character_that_no_url_may_have_is_refused(void **state)
{
	static const char *const others[] = {
		"http://a/\"", "http://a/<x>",	   "http://a/\\b",
		"http://a/#f", "http://a/\tb",	   "http://a/\n/b",
		"http://a/{}", "http://\xc3\xa9/",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++)
		assert_wrong(others[i], "no URL may have");
}

static void a_password_is_refused_and_not_repeated(void **state)
{
	(void)state;
	assert_wrong("http://good http://user:s3cret@a/",
		     "address 2 has a user");
	assert_lacks(why.text, "s3cret");
	assert_wrong("http://user@a/", "user or password");
	assert_wrong("http://a:80@b/", "user or password");
	assert_ok(webhook_targets_read(SPAN("http://a/@b?c=d@e"),
				       &(struct webhook_targets) { 0 }, &why));
}

static void an_address_of_255_bytes_is_the_longest(void **state)
{
	char url[WEBHOOK_TARGET_URL_MAX + 2] = "http://a/";
	struct webhook_targets r;

	(void)state;
	memset(url + 9, 'x', sizeof(url) - 10);
	assert_wrong(url, "longer than 255");
	url[WEBHOOK_TARGET_URL_MAX] = '\0';
	assert_ok(webhook_targets_read(span_of(url), &r, &why));
	assert_string_equal(r.url[0], url);
}

static void a_list_has_at_most_8_addresses_and_none_twice(void **state)
{
	struct webhook_targets r;

	(void)state;
	assert_ok(webhook_targets_read(
		SPAN("http://1 http://2 http://3 http://4 "
		     "http://5 http://6 http://7 http://8"),
		&r, &why));
	assert_int_equal(r.count, WEBHOOK_TARGETS_MAX);
	assert_wrong("http://1 http://2 http://3 http://4 http://5 http://6 "
		     "http://7 http://8 http://9",
		     "address 9 is one too many");
	assert_wrong("http://1 http://2 http://1", "address 3 is listed twice");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_list_has_no_addresses),
		TEST(blanks_separate_addresses),
		TEST(an_address_is_http_or_https),
		TEST(an_address_needs_a_host_and_a_possible_port),
		TEST(a_character_that_no_url_may_have_is_refused),
		TEST(a_password_is_refused_and_not_repeated),
		TEST(an_address_of_255_bytes_is_the_longest),
		TEST(a_list_has_at_most_8_addresses_and_none_twice),
	};

	return RUN(tests);
}
