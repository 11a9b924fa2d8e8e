/* The output and exit status of a program: its main() in a child, with its own
 * descriptors and environment. */
#include "common/http/transport_fcgi.h"
#include "common/server/program.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define SECRET "Zt9!kQ2#vL7@xN4$bR8%mW1^pS6&cF3*"

/* Calls of transport_fcgi_new() until all fail; below 0: none fails */
static int transports_left;

struct transport *__real_transport_fcgi_new(void);
struct transport *__wrap_transport_fcgi_new(void);
struct transport *__wrap_transport_fcgi_new(void)
{
	if (transports_left == 0)
		return NULL;
	if (transports_left > 0)
		transports_left--;
	return __real_transport_fcgi_new();
}

struct app {
	int64_t size;
};

static struct app app;
static const struct config_item items[] = {
	{ "T_SIZE", CONFIG_INT, offsetof(struct app, size), "7", 1, 9,
	  "a setting of this program" },
};

static enum err hello(void *arg, struct request *rq, struct response *rs)
{
	(void)rq;
	assert_ptr_equal(arg, &app);
	return response_body(rs, 200, "text/plain", SPAN("hello"));
}

static enum err open_app(void *arg, struct service *s, struct errmsg *why)
{
	(void)s;
	if (((struct app *)arg)->size == 9)
		return err_set(why, ERR_CONFIG, "T_SIZE: 9 is not accepted");
	if (((struct app *)arg)->size == 8)
		return err_set(why, ERR_MEMORY, "out of memory");
	if (((struct app *)arg)->size == 6)
		return err_set(why, ERR_UNAVAILABLE, "not today");
	return ERR_OK;
}

static const struct route routes[] = { { "GET", "/hello", hello, NO_AUTH } };
static const struct program program = {
	.name = "test-serve",
	.summary = "a program for the tests",
	.defaults = { "auth", "2" },
	.items = items,
	.item_count = COUNT(items),
	.router = { routes, COUNT(routes) },
	.app = &app,
	.open = open_app,
};

struct ending {
	int status;
	char out[16384], err[4096];
};

static void read_back(FILE *f, char *text, size_t cap)
{
	rewind(f);
	text[fread(text, 1, cap - 1, f)] = '\0';
	(void)fclose(f);
}

/* Run the program with one argument (or none) and `in` as its descriptor 0 */
static void run(struct ending *e, const char *argument, int in)
{
	char name[] = "test-serve", option[64] = "";
	char *argv[] = { name, argument != NULL ? option : NULL, NULL };
	FILE *out = tmpfile(), *err = tmpfile();
	int status;
	pid_t child;

	assert_non_null(out);
	assert_non_null(err);
	if (argument != NULL)
		(void)snprintf(option, sizeof(option), "%s", argument);
	(void)fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)alarm(60); /* a program that does not end has failed */
		(void)dup2(in, STDIN_FILENO);
		(void)dup2(fileno(out), STDOUT_FILENO);
		(void)dup2(fileno(err), STDERR_FILENO);
		status = program_main(&program, argument != NULL ? 2 : 1, argv);
		(void)fflush(NULL);
		_Exit(status);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	e->status = WEXITSTATUS(status);
	read_back(out, e->out, sizeof(e->out));
	read_back(err, e->err, sizeof(e->err));
}

static void run_plain(struct ending *e, const char *argument)
{
	int null = open("/dev/null", O_RDONLY);

	assert_true(null >= 0);
	run(e, argument, null);
	(void)close(null);
}

static int clean_environment(void **state)
{
	static const char *const names[] = {
		"GATEHOUSE_CONF", "JWT_KEYRING",    "T_SIZE",
		"LOG_LEVEL",	  "REQUEST_METHOD", "GATEWAY_INTERFACE",
		"SCRIPT_NAME",	  "PATH_INFO",	    "MYSQL_SOCKET",
	};

	(void)state;
	transports_left = -1;
	for (size_t i = 0; i < COUNT(names); i++)
		if (unsetenv(names[i]) != 0)
			return -1;
	return setenv("MYSQL_USER", "nobody", 1) |
	       setenv("MYSQL_PASSWORD", "p4ssw0rd", 1) |
	       setenv("JWT_SECRET", SECRET, 1);
}

static void help_lists_the_settings(void **state)
{
	struct ending e;

	(void)state;
	run_plain(&e, "--help");
	assert_int_equal(e.status, 0);
	assert_contains(e.out, "test-serve - a program for the tests");
	assert_contains(e.out, "a setting of this program (7)");
	assert_contains(e.out, "JWT_SECRET");
	assert_contains(e.out, "(required)");
	assert_string_equal(e.err, "");
}

static void the_version_is_one_line(void **state)
{
	struct ending e;

	(void)state;
	run_plain(&e, "--version");
	assert_int_equal(e.status, 0);
	assert_string_equal(e.out, "test-serve " GATEHOUSE_VERSION "\n");
}

static void the_exit_status_says_why_the_program_did_not_start(void **state)
{
	static const struct {
		const char *size;
		int status;
	} all[] = { { "9", EX_CONFIG },
		    { "8", EX_OSERR },
		    { "6", EX_UNAVAILABLE } };
	struct ending e;

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		assert_int_equal(setenv("T_SIZE", all[i].size, 1), 0);
		run_plain(&e, NULL);
		assert_int_equal(e.status, all[i].status);
		assert_contains(e.err, "test-serve: ");
	}
}

static void an_unknown_argument_is_wrong_usage(void **state)
{
	struct ending e;

	(void)state;
	run_plain(&e, "--frobnicate");
	assert_int_equal(e.status, 64);
	assert_contains(e.err, "--frobnicate");
	assert_contains(e.err, "--help");
	assert_string_equal(e.out, "");
}

static void a_start_by_hand_prints_how_to_start_it(void **state)
{
	struct ending e;

	(void)state;
	run_plain(&e, NULL);
	assert_int_equal(e.status, 64);
	assert_contains(e.err, "test-serve: ");
	assert_contains(e.err, "lighttpd");
}

static void check_prints_the_settings_and_no_secret(void **state)
{
	struct ending e;

	(void)state;
	run_plain(&e, "--check");
	assert_int_equal(e.status, 0);
	assert_contains(e.out, "T_SIZE=7\n");
	assert_contains(e.out, "MYSQL_USER=nobody\n");
	assert_contains(e.out, "JWT_SECRET=(set)\n");
	assert_lacks(e.out, SECRET);
	assert_lacks(e.out, "p4ssw0rd");
	assert_string_equal(e.err, "");
}

static void assert_config_error(const char *name)
{
	static const char *const ways[] = { "--check", NULL };
	struct ending e;

	for (size_t i = 0; i < COUNT(ways); i++) {
		run_plain(&e, ways[i]);
		assert_int_equal(e.status, 78);
		assert_contains(e.err, "test-serve: ");
		assert_contains(e.err, name);
		/* one line, and nothing on standard output */
		assert_ptr_equal(strchr(e.err, '\n'),
				 e.err + strlen(e.err) - 1);
		assert_string_equal(e.out, "");
	}
}

static void a_wrong_setting_ends_the_program_with_78_and_is_named(void **state)
{
	(void)state;
	assert_int_equal(setenv("T_SIZE", "10", 1), 0);
	assert_config_error("T_SIZE: ");
	/* a setting that the program itself checks */
	assert_int_equal(setenv("T_SIZE", "9", 1), 0);
	assert_config_error("T_SIZE: 9 is not accepted");
	assert_int_equal(setenv("T_SIZE", "5", 1), 0);
	assert_int_equal(setenv("JWT_SECRET", "short", 1), 0);
	assert_config_error("JWT_SECRET: ");
	assert_int_equal(unsetenv("JWT_SECRET"), 0);
	assert_config_error("JWT_SECRET: missing");
	assert_int_equal(setenv("JWT_SECRET", SECRET, 1), 0);
	assert_int_equal(unsetenv("MYSQL_USER"), 0);
	assert_config_error("MYSQL_USER: missing");
}

static void a_cgi_program_answers_one_request(void **state)
{
	struct ending e;

	(void)state;
	assert_int_equal(setenv("GATEWAY_INTERFACE", "CGI/1.1", 1), 0);
	assert_int_equal(setenv("REQUEST_METHOD", "GET", 1), 0);
	assert_int_equal(setenv("SCRIPT_NAME", "/cgi-bin/test-serve", 1), 0);
	assert_int_equal(setenv("PATH_INFO", "/hello", 1), 0);
	run_plain(&e, NULL);
	assert_int_equal(e.status, 0);
	assert_contains(e.out, "Status: 200 OK\r\n");
	assert_contains(e.out, "\r\n\r\nhello");
	assert_contains(e.err, "\"event\":\"request\"");
	assert_contains(e.err, "\"status\":200");
	assert_contains(e.err, "\"program\":\"test-serve\"");
}

/* The records of one GET of `path` (FastCGI 1.0, 3.3 and 5.1) */
static size_t fastcgi_get(unsigned char *to, const char *path)
{
	static const unsigned char begin[] = { 1, 1, 0, 1, 0, 8, 0, 0,
					       0, 1, 0, 0, 0, 0, 0, 0 };
	static const unsigned char ends[] = { 1, 4, 0, 1, 0, 0, 0, 0,
					      1, 5, 0, 1, 0, 0, 0, 0 };
	const char *const pairs[][2] = { { "REQUEST_METHOD", "GET" },
					 { "SCRIPT_NAME", path } };
	size_t n = sizeof(begin) + 8;

	memcpy(to, begin, sizeof(begin));
	for (size_t i = 0; i < COUNT(pairs); i++) {
		size_t name = strlen(pairs[i][0]), value = strlen(pairs[i][1]);

		to[n++] = (unsigned char)name;
		to[n++] = (unsigned char)value;
		memcpy(to + n, pairs[i][0], name);
		memcpy(to + n + name, pairs[i][1], value);
		n += name + value;
	}
	memcpy(to + sizeof(begin), (unsigned char[]) { 1, 4, 0, 1 }, 4);
	to[sizeof(begin) + 4] = 0;
	to[sizeof(begin) + 5] = (unsigned char)(n - sizeof(begin) - 8);
	memcpy(to + sizeof(begin) + 6, (unsigned char[]) { 0, 0 }, 2);
	memcpy(to + n, ends, sizeof(ends));
	return n + sizeof(ends);
}

static int listening(struct sockaddr_un *where)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	*where = (struct sockaddr_un) { .sun_family = AF_UNIX };
	(void)snprintf(where->sun_path, sizeof(where->sun_path),
		       "/tmp/test-serve.%d", (int)getpid());
	(void)unlink(where->sun_path);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)where, sizeof(*where)), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

/* One request to the program at `where`; false if there is no answer */
static bool answers(const struct sockaddr_un *where)
{
	unsigned char request[512];
	size_t n = fastcgi_get(request, "/hello"), got = 0;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char text[4096];
	ssize_t r;

	assert_true(fd >= 0);
	assert_int_equal(
		connect(fd, (const struct sockaddr *)where, sizeof(*where)), 0);
	assert_int_equal(write(fd, request, n), n);
	while ((r = read(fd, text + got, sizeof(text) - 1 - got)) > 0)
		got += (size_t)r;
	(void)close(fd);
	/* after the record's head, which has NUL bytes */
	text[got] = '\0';
	return got > 8 && strstr(text + 8, "hello") != NULL;
}

/* The program in a child, at a listening socket; it serves already */
static pid_t serving(int in)
{
	char text[4096];
	size_t got = 0;
	ssize_t n;
	int log[2];
	pid_t child;

	(void)fflush(NULL);
	assert_int_equal(pipe(log), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		char name[] = "test-serve";
		char *argv[] = { name, NULL };

		(void)dup2(in, STDIN_FILENO);
		(void)dup2(log[1], STDERR_FILENO);
		(void)alarm(60); /* it ends in any case */
		_Exit(program_main(&program, 1, argv));
	}
	(void)close(log[1]);
	do {
		n = read(log[0], text + got, sizeof(text) - 1 - got);
		assert_true(n > 0);
		got += (size_t)n;
		text[got] = '\0';
	} while (strstr(text, "\"ready\"") == NULL);
	(void)close(log[0]); /* SIGPIPE is ignored */
	return child;
}

static void assert_ended_well(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_fastcgi_program_serves_until_sigterm_and_ends_with_0(void **state)
{
	struct sockaddr_un where;
	int fd = listening(&where);
	pid_t child = serving(fd);

	(void)state;
	for (int i = 0; i < 20; i++)
		assert_true(answers(&where));
	assert_int_equal(kill(child, SIGTERM), 0);
	assert_ended_well(child);
	(void)close(fd);
	(void)unlink(where.sun_path);
}

/* As spawn-fcgi -F starts them. The first that gets SIGTERM shuts the socket
 * for all. */
static void processes_that_share_a_socket_all_end_with_0_after_sigterm(
	void **state)
{
	struct sockaddr_un where;
	int fd = listening(&where);
	pid_t children[4];

	(void)state;
	for (size_t i = 0; i < COUNT(children); i++)
		children[i] = serving(fd);
	for (size_t i = 0; i < COUNT(children); i++) {
		assert_int_equal(kill(children[i], SIGTERM), 0);
		(void)sched_yield();
	}
	for (size_t i = 0; i < COUNT(children); i++)
		assert_ended_well(children[i]);
	(void)close(fd);
	(void)unlink(where.sun_path);
}

/* Run the program at a socket that another process has shut, so that it ends */
static void run_at_shut_socket(struct ending *e)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	/* Linux gives an abstract name to a socket without one */
	assert_int_equal(bind(s, (struct sockaddr *)&at, sizeof(at.sun_family)),
			 0);
	assert_int_equal(listen(s, 1), 0);
	assert_int_equal(shutdown(s, SHUT_RD), 0);
	run(e, NULL, s);
	(void)close(s);
}

/* As if another process of spawn-fcgi had got SIGTERM */
static void a_socket_shut_by_another_process_ends_the_program(void **state)
{
	struct ending e;

	(void)state;
	run_at_shut_socket(&e);
	assert_int_equal(e.status, EX_OSERR);
	assert_contains(e.err,
			"another process has shut down the listening socket");
}

static void a_worker_without_memory_is_reported(void **state)
{
	struct ending e;

	(void)state;
	transports_left = 1;
	run_at_shut_socket(&e);
	assert_contains(e.err, "only 1 of 2 threads (THREADS)");
	assert_contains(e.err, "ready");
}

static void a_program_without_memory_for_any_worker_does_not_start(void **state)
{
	struct ending e;

	(void)state;
	transports_left = 0;
	run_at_shut_socket(&e);
	assert_int_equal(e.status, EX_OSERR);
	assert_contains(e.err, "no thread could be started");
	assert_lacks(e.err, "ready");
}

int main(void)
{
#define FIXTURE_TEST(name) cmocka_unit_test_setup(name, clean_environment)
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(help_lists_the_settings),
		FIXTURE_TEST(the_version_is_one_line),
		FIXTURE_TEST(
			the_exit_status_says_why_the_program_did_not_start),
		FIXTURE_TEST(an_unknown_argument_is_wrong_usage),
		FIXTURE_TEST(a_start_by_hand_prints_how_to_start_it),
		FIXTURE_TEST(check_prints_the_settings_and_no_secret),
		FIXTURE_TEST(
			a_wrong_setting_ends_the_program_with_78_and_is_named),
		FIXTURE_TEST(a_cgi_program_answers_one_request),
		FIXTURE_TEST(
			a_fastcgi_program_serves_until_sigterm_and_ends_with_0),
		FIXTURE_TEST(
			processes_that_share_a_socket_all_end_with_0_after_sigterm),
		FIXTURE_TEST(a_socket_shut_by_another_process_ends_the_program),
		FIXTURE_TEST(a_worker_without_memory_is_reported),
		FIXTURE_TEST(
			a_program_without_memory_for_any_worker_does_not_start),
	};

	return RUN(tests);
}
