#include "tests/unit/unit.h"

#include "common/http/client.h"
#include "tests/unit/transport_memory.h"

static struct client parse(const char *remote, const char *forwarded,
			   const char *trusted)
{
	struct client c;

	client_parse(span_of(remote), span_of(forwarded), span_of(trusted), &c);
	return c;
}

#define assert_client(remote, forwarded, trusted, want) \
	assert_string_equal(parse(remote, forwarded, trusted).address, want)

static void the_address_is_the_servers_unless_a_proxy_is_trusted(void **state)
{
	(void)state;
	assert_client("192.0.2.1", "", "", "192.0.2.1");
	assert_client("192.0.2.1", "198.51.100.1", "", "192.0.2.1");
	assert_client("192.0.2.1", "198.51.100.1", "192.0.2.2", "192.0.2.1");
	assert_client("2001:DB8::0:1", "", "", "2001:db8::1");
}

static void a_trusted_proxys_header_is_used(void **state)
{
	(void)state;
	assert_client("10.0.0.1", "198.51.100.1", "10.0.0.1", "198.51.100.1");
	assert_client("10.0.0.1", "198.51.100.1", "10.0.0.0/8", "198.51.100.1");
	assert_client("10.0.0.1", "2001:db8::5", "::1 10.0.0.0/8",
		      "2001:db8::5");
	assert_client("fd00::7", "198.51.100.1", "fd00::/8", "198.51.100.1");
	assert_client("10.0.0.1", "", "10.0.0.1", "10.0.0.1");
}

static void the_last_untrusted_address_of_a_chain_is_used(void **state)
{
	(void)state;
	assert_client("10.0.0.1", "1.1.1.1, 198.51.100.1", "10.0.0.0/8",
		      "198.51.100.1");
	assert_client("10.0.0.1", "1.1.1.1,198.51.100.1 , 10.9.9.9",
		      "10.0.0.0/8", "198.51.100.1");
	assert_client("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.0/8",
		      "10.0.0.3");
	/* before an untrusted address, a trusted one may be forged */
	assert_client("10.0.0.1", "10.0.0.5, 198.51.100.1", "10.0.0.0/8",
		      "198.51.100.1");
}

static void an_invalid_address_ends_the_chain_at_the_proxy_that_wrote_it(
	void **state)
{
	static const char *const nonsense[] = {
		"unknown", "_hidden", "1.1.1",	  "1.1.1.1.1",	  "1.1.1.256",
		"::1::",   "[::1",    "[::1]x",	  "1.1.1.1:x",	  "1.1.1.1 2",
		"a, ",	   ",",	      "01.1.1.1", "fe80::1%eth0",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(nonsense); i++)
		assert_client("10.0.0.1", nonsense[i], "10.0.0.0/8",
			      "10.0.0.1");
	assert_client("10.0.0.1", "1.1.1.1, unknown, 10.0.0.2", "10.0.0.0/8",
		      "10.0.0.2");
}

static void a_port_is_removed(void **state)
{
	(void)state;
	assert_client("10.0.0.1", "198.51.100.1:4711", "10.0.0.1",
		      "198.51.100.1");
	assert_client("10.0.0.1", "[2001:db8::1]:4711", "10.0.0.1",
		      "2001:db8::1");
	assert_client("10.0.0.1", "[2001:db8::1]", "10.0.0.1", "2001:db8::1");
}

static void ipv4_mapped_into_ipv6_is_ipv4(void **state)
{
	(void)state;
	assert_client("::ffff:192.0.2.1", "", "", "192.0.2.1");
	assert_client("::ffff:10.0.0.1", "198.51.100.1", "10.0.0.0/8",
		      "198.51.100.1");
	assert_client("10.0.0.1", "::ffff:198.51.100.1", "::ffff:10.0.0.0/104",
		      "198.51.100.1");
	assert_string_equal(parse("::ffff:192.0.2.1", "", "").network,
			    "192.0.2.1");
}

static void a_block_contains_exactly_the_addresses_of_its_prefix(void **state)
{
	static const struct {
		const char *remote, *trusted;
		bool inside;
	} cases[] = {
		{ "10.0.0.255", "10.0.0.0/24", true },
		{ "10.0.1.0", "10.0.0.0/24", false },
		{ "10.0.0.127", "10.0.0.0/25", true },
		{ "10.0.0.128", "10.0.0.0/25", false },
		{ "10.0.0.1", "10.0.0.0/32", false },
		{ "10.0.0.1", "10.0.0.99/0", true },
		{ "2001:db8::1", "10.0.0.0/0", false },
		{ "2001:db8:7fff::1", "2001:db8::/33", true },
		{ "2001:db8:8000::1", "2001:db8::/33", false },
		{ "2001:db8::1", "::/0", true },
		{ "192.0.2.1", "::/0", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_client(cases[i].remote, "203.0.113.7", cases[i].trusted,
			      cases[i].inside ? "203.0.113.7"
					      : cases[i].remote);
}

static void the_network_of_an_ipv6_address_is_its_64(void **state)
{
	(void)state;
	assert_string_equal(parse("2001:db8:1:2:3:4:5:6", "", "").network,
			    "2001:db8:1:2::/64");
	assert_string_equal(parse("2001:db8::1", "", "").network,
			    "2001:db8::/64");
	assert_string_equal(parse("::1", "", "").network, "::/64");
	assert_string_equal(parse("192.0.2.1", "", "").network, "192.0.2.1");
	assert_string_equal(
		parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "", "")
			.network,
		"ffff:ffff:ffff:ffff::/64");
}

static void a_client_without_an_ip_address_has_an_empty_one(void **state)
{
	(void)state;
	assert_client("", "198.51.100.1", "0.0.0.0/0 ::/0", "");
	assert_client("unix:", "198.51.100.1", "0.0.0.0/0", "");
	assert_string_equal(parse("", "", "").network, "");
}

static void an_endless_chain_is_cut(void **state)
{
	char chain[64 * 10 + 1] = "";

	(void)state;
	for (int i = 0; i < 64; i++)
		memcpy(chain + i * 10, ",10.0.0.0 ", 11);
	memcpy(chain, "8.8.8.8   ", 10);
	assert_client("10.0.0.1", chain, "10.0.0.0/8", "10.0.0.0");
}

static void a_list_of_proxies_is_checked_word_by_word(void **state)
{
	static const char *const good[] = { "",		" ",
					    "10.0.0.1", " 10.0.0.0/8  ::1 ",
					    "fd00::/8", "0.0.0.0/0",
					    "::/128" };
	static const char *const bad[] = {
		"10.0.0.0/33", "::/129",
		"proxy",       "10.0.0.0/",
		"/8",	       "10.0.0.1,::1",
		"10.0.0.0/-1", "10.0.0.0/99999999999999999999"
	};
	struct span word;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_ok(client_check_trusted(span_of(good[i]), &word));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_err(client_check_trusted(span_of(bad[i]), &word),
			   ERR_FORMAT);
	assert_err(client_check_trusted(SPAN("::1 nonsense 10.0.0.1"), &word),
		   ERR_FORMAT);
	assert_span(word, "nonsense");
}

/* The prefix of a request from `remote` with this X-Forwarded-Prefix */
static void assert_prefix(const char *remote, const char *sent,
			  const char *public_url, const char *want)
{
	struct memory m;
	struct request rq = { .transport = &m.base };

	memory_init(&m, "GET", "/");
	memory_set(&m, "REMOTE_ADDR", remote);
	if (sent != NULL)
		memory_set(&m, "HTTP_X_FORWARDED_PREFIX", sent);
	assert_span_str(client_prefix(&rq, "10.0.0.0/8 ::1", public_url), want);
	memory_release(&m);
}

static void a_prefix_is_believed_of_a_trusted_proxy_only(void **state)
{
	(void)state;
	assert_prefix("10.0.0.1", "/files", "", "/files");
	assert_prefix("::1", "/a/b-c_d.~%20/", "", "/a/b-c_d.~%20");
	assert_prefix("192.0.2.1", "/files", "", "");
	assert_prefix("", "/files", "", "");
	assert_prefix("10.0.0.1", NULL, "", "");
}

static void a_prefix_is_a_plain_path(void **state)
{
	static const char *const wrong[] = {
		"/",	       "//evil.example", "///",	      "files",
		"https://a/b", "/a b",		 "/a;b",      "/a,b",
		"/a\"b",       "/a\\b",		 "/a?b",      "/a#b",
		"/a<b",	       "/a, /b",	 "/\xc3\xa9", "/a\r\n",
	};
	char text[CLIENT_PREFIX_MAX + 2];

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_prefix("10.0.0.1", wrong[i], "", "");
	memset(text, 'a', sizeof(text) - 1);
	text[0] = '/';
	text[CLIENT_PREFIX_MAX + 1] = '\0';
	assert_prefix("10.0.0.1", text, "", "");
	text[CLIENT_PREFIX_MAX] = '\0';
	assert_prefix("10.0.0.1", text, "", text);
}

static void without_the_header_the_path_of_public_url_is_the_prefix(
	void **state)
{
	(void)state;
	assert_prefix("192.0.2.1", NULL, "https://example.org/files/",
		      "/files");
	assert_prefix("192.0.2.1", "/x", "https://example.org/files", "/files");
	assert_prefix("10.0.0.1", "/x", "https://example.org/files", "/x");
	assert_prefix("10.0.0.1", NULL, "https://example.org", "");
	assert_prefix("10.0.0.1", NULL, "https://example.org//x", "");
	assert_prefix("10.0.0.1", NULL, "/", "");
}

static void a_proxy_is_recognized_by_what_it_adds(void **state)
{
	static const char *const variables[] = {
		"HTTP_FORWARDED",	  "HTTP_VIA",
		"HTTP_X_FORWARDED_FOR",	  "HTTP_X_FORWARDED_HOST",
		"HTTP_X_FORWARDED_PROTO", "HTTP_X_REAL_IP",
	};
	struct memory m;
	struct request rq = { .transport = &m.base };

	(void)state;
	for (size_t i = 0; i <= COUNT(variables); i++) {
		memory_init(&m, "GET", "/");
		memory_set(&m, "SERVER_PROTOCOL", "HTTP/1.1");
		assert_false(client_uses_proxy(&rq));
		if (i < COUNT(variables))
			memory_set(&m, variables[i], "x");
		else
			memory_set(&m, "SERVER_PROTOCOL", "HTTP/1.0");
		assert_true(client_uses_proxy(&rq));
		memory_release(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_address_is_the_servers_unless_a_proxy_is_trusted),
		TEST(a_trusted_proxys_header_is_used),
		TEST(the_last_untrusted_address_of_a_chain_is_used),
		TEST(an_invalid_address_ends_the_chain_at_the_proxy_that_wrote_it),
		TEST(a_port_is_removed),
		TEST(ipv4_mapped_into_ipv6_is_ipv4),
		TEST(a_block_contains_exactly_the_addresses_of_its_prefix),
		TEST(the_network_of_an_ipv6_address_is_its_64),
		TEST(a_client_without_an_ip_address_has_an_empty_one),
		TEST(an_endless_chain_is_cut),
		TEST(a_list_of_proxies_is_checked_word_by_word),
		TEST(a_prefix_is_believed_of_a_trusted_proxy_only),
		TEST(a_prefix_is_a_plain_path),
		TEST(without_the_header_the_path_of_public_url_is_the_prefix),
		TEST(a_proxy_is_recognized_by_what_it_adds),
	};

	return RUN(tests);
}
