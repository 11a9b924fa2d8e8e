#include "cgi-gateway/scan/clamd_lookup.h"
#include "tests/unit/cgi-gateway/scanner.h"

#include <netdb.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

/* --- a resolver in place of getaddrinfo(3) -------------------------------- */

int __real_getaddrinfo(const char *node, const char *service,
		       const struct addrinfo *hints, struct addrinfo **res);
int __wrap_getaddrinfo(const char *node, const char *service,
		       const struct addrinfo *hints, struct addrinfo **res);

enum { ADDRESSES_MAX = 4, STEP_MS = 10 };

/* What "clamd.test" resolves to, in this order, and after how long */
static const char *ports[ADDRESSES_MAX];
static atomic_int delay_ms;

int __wrap_getaddrinfo(const char *node, const char *service,
		       const struct addrinfo *hints, struct addrinfo **res)
{
	struct addrinfo **end = res;
	int e = EAI_NONAME;

	if (strcmp(node, "no-clamd.test") == 0)
		return EAI_NONAME; /* always at once */
	if (strcmp(node, "clamd.test") != 0)
		return __real_getaddrinfo(node, service, hints, res);
	if ((hints->ai_flags & AI_NUMERICHOST) != 0)
		return EAI_NONAME;
	for (int ms = 0; ms < delay_ms; ms += STEP_MS)
		(void)poll(NULL, 0, STEP_MS);
	for (size_t i = 0; i < ADDRESSES_MAX && ports[i] != NULL; i++) {
		e = __real_getaddrinfo("127.0.0.1", ports[i], hints, end);
		if (e != 0)
			break;
		end = &(*end)->ai_next;
	}
	return e;
}

/* --- an address that does not respond ------------------------------------- */

enum { WAITING = 4 };

/* A listener whose queue is full: the kernel drops what else would connect */
static struct {
	int listener, waiting[WAITING];
	char port[8];
} dead;

static void dead_open(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(a);

	dead.listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(dead.listener >= 0);
	assert_int_equal(
		bind(dead.listener, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(dead.listener, 0), 0);
	assert_int_equal(
		getsockname(dead.listener, (struct sockaddr *)&a, &len), 0);
	(void)snprintf(dead.port, sizeof(dead.port), "%u", ntohs(a.sin_port));
	for (size_t i = 0; i < WAITING; i++) {
		dead.waiting[i] =
			socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		assert_true(dead.waiting[i] >= 0);
		(void)connect(dead.waiting[i], (const struct sockaddr *)&a,
			      sizeof(a));
	}
}

static void dead_close(void)
{
	for (size_t i = 0; i < WAITING; i++)
		(void)close(dead.waiting[i]);
	(void)close(dead.listener);
}

/* --- the tests ------------------------------------------------------------ */

static struct scanner scanner;
static struct clamd named; /* clamd at clamd.test */
static struct errmsg why;
static unsigned long threads_before;

/* A folder has a link for itself, one in its parent, and one for each folder in
 * it: here, for each thread. */
static unsigned long threads(void)
{
	struct stat st;

	assert_int_equal(stat("/proc/self/task", &st), 0);
	return (unsigned long)st.st_nlink - 2;
}

static int set_up(void **state)
{
	(void)state;
	threads_before = threads();
	scanner_open_tcp(&scanner);
	dead_open();
	named = (struct clamd) { .timeout = 60 };
	assert_ok(clamd_address_parse(SPAN("clamd.test:3310"), &named.address));
	memset(ports, 0, sizeof(ports));
	delay_ms = 0;
	why.text[0] = '\0';
	return 0;
}

/* The threads of look-ups are detached: one may start, or hold its place, after
 * its look-up has been given up. */
static int tear_down(void **state)
{
	(void)state;
	delay_ms = 0;
	dead_close();
	scanner_close(&scanner);
	while (threads() > threads_before)
		(void)poll(NULL, 0, STEP_MS);
	return 0;
}

static const char *live_port(void)
{
	return strchr(scanner.where, ':') + 1;
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A ping answers `want` in at most `ms` milliseconds */
static void assert_ping(enum err want, int64_t ms)
{
	int64_t began = now_ms();

	assert_err(clamd_ping(&named, &why), want);
	assert_in_range(now_ms() - began, 0, ms);
}

static void a_name_is_looked_up_and_connected_to(void **state)
{
	(void)state;
	ports[0] = live_port();
	delay_ms = 200;
	scanner_will(&scanner, SCANNER_ALL, SPAN("PONG\0"));
	assert_ping(ERR_OK, CLAMD_CONNECT * 1000);
}

static void a_lookup_that_hangs_ends_at_the_deadline(void **state)
{
	(void)state;
	ports[0] = live_port();
	delay_ms = 12000;
	assert_ping(ERR_UNAVAILABLE, CLAMD_CONNECT * 1000 + 1500);
	assert_contains(why.text, "clamd.test");
}

static void several_dead_addresses_share_one_deadline(void **state)
{
	(void)state;
	ports[0] = ports[1] = ports[2] = dead.port;
	assert_ping(ERR_UNAVAILABLE, CLAMD_CONNECT * 1000 + 1500);
	assert_contains(why.text, "connect");
}

static void a_dead_address_leaves_time_for_the_next_one(void **state)
{
	(void)state;
	ports[0] = dead.port;
	ports[1] = live_port();
	scanner_will(&scanner, SCANNER_ALL, SPAN("PONG\0"));
	assert_ping(ERR_OK, CLAMD_CONNECT * 1000);
}

static void a_timeout_shorter_than_the_limit_holds_for_the_connection(
	void **state)
{
	struct clamd_stream s;
	int64_t began = now_ms();

	(void)state;
	named.timeout = 1;
	ports[0] = ports[1] = dead.port;
	assert_err(clamd_begin(&named, &s, &why), ERR_UNAVAILABLE);
	clamd_close(&s);
	assert_in_range(now_ms() - began, 0, 2500);
}

static void a_name_without_addresses_is_unavailable(void **state)
{
	(void)state;
	assert_ping(ERR_UNAVAILABLE, 1000);
	assert_contains(why.text, "clamd.test");
}

static void lookups_that_hang_are_limited_in_number(void **state)
{
	struct addrinfo *found = NULL;

	(void)state;
	ports[0] = live_port();
	delay_ms = 60000;
	for (int i = 0; i < CLAMD_LOOKUPS_MAX; i++) {
		assert_err(clamd_lookup(&named.address, now_ms(), &found, &why),
			   ERR_UNAVAILABLE);
		assert_contains(why.text, "timed out");
	}
	assert_err(clamd_lookup(&named.address, now_ms() + 60000, &found, &why),
		   ERR_UNAVAILABLE);
	assert_contains(why.text, "too many");
	assert_null(found);
}

static void a_lookup_that_has_ended_holds_no_place(void **state)
{
	struct clamd none = { .timeout = 60 };
	struct addrinfo *found = NULL;

	(void)state;
	assert_ok(
		clamd_address_parse(SPAN("no-clamd.test:3310"), &none.address));
	delay_ms = 60000;
	for (int i = 0; i < CLAMD_LOOKUPS_MAX - 1; i++)
		assert_err(clamd_lookup(&named.address, now_ms(), &found, &why),
			   ERR_UNAVAILABLE);
	for (int i = 0; i < 1000; i++) {
		assert_err(clamd_lookup(&none.address, now_ms() + 60000, &found,
					&why),
			   ERR_UNAVAILABLE);
		assert_contains(why.text, "clamd: no-clamd.test: ");
	}
}

static void a_number_is_an_address_while_lookups_hang(void **state)
{
	const struct clamd d = scanner_address(&scanner);
	struct addrinfo *found = NULL;

	(void)state;
	delay_ms = 60000;
	for (int i = 0; i < CLAMD_LOOKUPS_MAX; i++)
		assert_err(clamd_lookup(&named.address, now_ms(), &found, &why),
			   ERR_UNAVAILABLE);
	scanner_will(&scanner, SCANNER_ALL, SPAN("PONG\0"));
	assert_ok(clamd_ping(&d, &why));
}

#define LOOKUP_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOOKUP_TEST(a_name_is_looked_up_and_connected_to),
		LOOKUP_TEST(a_lookup_that_hangs_ends_at_the_deadline),
		LOOKUP_TEST(several_dead_addresses_share_one_deadline),
		LOOKUP_TEST(a_dead_address_leaves_time_for_the_next_one),
		LOOKUP_TEST(
			a_timeout_shorter_than_the_limit_holds_for_the_connection),
		LOOKUP_TEST(a_name_without_addresses_is_unavailable),
		LOOKUP_TEST(lookups_that_hang_are_limited_in_number),
		LOOKUP_TEST(a_lookup_that_has_ended_holds_no_place),
		LOOKUP_TEST(a_number_is_an_address_while_lookups_hang),
	};

	return RUN(tests);
}
