#include "fcgi-probe/address.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

static void a_path_is_a_unix_socket(void **state)
{
	struct address a = { .len = 0 };
	struct sockaddr_un un;
	struct errmsg why;

	(void)state;
	assert_ok(address_parse("/run/x.sock", &a, &why));
	memcpy(&un, &a.at, sizeof(un));
	assert_int_equal(un.sun_family, AF_UNIX);
	assert_string_equal(un.sun_path, "/run/x.sock");
	assert_int_equal(a.len, sizeof(un));
}

static void a_path_of_107_bytes_is_the_longest(void **state)
{
	char path[110];
	struct address a;
	struct errmsg why;

	(void)state;
	memset(path, '/', sizeof(path));
	path[107] = '\0';
	assert_ok(address_parse(path, &a, &why));
	path[107] = '/';
	path[108] = '\0';
	assert_err(address_parse(path, &a, &why), ERR_INVALID);
	assert_contains(why.text, "107 bytes");
}

static void a_number_and_a_port_are_tcp(void **state)
{
	struct address a;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct errmsg why;

	(void)state;
	assert_ok(address_parse("127.0.0.1:9000", &a, &why));
	memcpy(&v4, &a.at, sizeof(v4));
	assert_int_equal(v4.sin_family, AF_INET);
	assert_int_equal(ntohs(v4.sin_port), 9000);
	assert_int_equal(ntohl(v4.sin_addr.s_addr), INADDR_LOOPBACK);

	assert_ok(address_parse("[::1]:65535", &a, &why));
	memcpy(&v6, &a.at, sizeof(v6));
	assert_int_equal(v6.sin6_family, AF_INET6);
	assert_int_equal(ntohs(v6.sin6_port), 65535);
	assert_memory_equal(&v6.sin6_addr, &in6addr_loopback, 16);
}

static void anything_else_is_refused_and_told_what_is_right(void **state)
{
	static const char *const wrong[] = {
		"",
		"cgi-auth:9000",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:0",
		"127.0.0.1:65536",
		"::1:9000",
		"[::1]",
		"[127.0.0.1]:1",
		"[:9000",
		"]:9000",
		"[]:9000",
		"127.1:9000",
		"127.0.0.1:90x",
		"relative/path",
		"1.2.3.4.5:1",
		"[::1]]:1",
		"[fe80::1%lo]:1",
		":9000",
		"127.0.0.1:-9000",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct address a = { .len = 99 };
		struct errmsg why = { "" };

		if (address_parse(wrong[i], &a, &why) != ERR_INVALID)
			fail_msg("\"%s\" was taken", wrong[i]);
		assert_int_equal(a.len, 99);
		assert_contains(why.text, "127.0.0.1:9000");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_path_is_a_unix_socket),
		TEST(a_path_of_107_bytes_is_the_longest),
		TEST(a_number_and_a_port_are_tcp),
		TEST(anything_else_is_refused_and_told_what_is_right),
	};

	return RUN(tests);
}
