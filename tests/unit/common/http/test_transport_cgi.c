/* The transport reads and writes this process's own descriptors 0 and 1, so
 * each test replaces them. */
#include "common/http/transport_cgi.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* While this is in use, the clock is a second later at each call */
static bool clock_runs_fast;
static time_t fast_seconds;

int __wrap_clock_gettime(clockid_t which, struct timespec *out);
int __real_clock_gettime(clockid_t which, struct timespec *out);
int __wrap_clock_gettime(clockid_t which, struct timespec *out)
{
	if (!clock_runs_fast)
		return __real_clock_gettime(which, out);
	*out = (struct timespec) { .tv_sec = fast_seconds++ };
	return 0;
}

static int saved_in = -1, saved_out = -1;
static FILE *in, *out;

static int set_up(void **state)
{
	(void)state;
	(void)alarm(60); /* a test that does not end has failed */
	(void)fflush(stdout);
	in = tmpfile();
	out = tmpfile();
	saved_in = dup(STDIN_FILENO);
	saved_out = dup(STDOUT_FILENO);
	if (in == NULL || out == NULL || saved_in < 0 || saved_out < 0)
		return -1;
	return unsetenv("CONTENT_LENGTH");
}

/* Restore the descriptors, so that the output of cmocka is seen */
static void give_back(void)
{
	(void)dup2(saved_in, STDIN_FILENO);
	(void)dup2(saved_out, STDOUT_FILENO);
}

static int tear_down(void **state)
{
	(void)state;
	(void)alarm(0);
	give_back();
	(void)close(saved_in);
	(void)close(saved_out);
	(void)fclose(in);
	(void)fclose(out);
	return 0;
}

static struct transport *accepted(struct span body, const char *length)
{
	struct transport *t = transport_cgi_new();

	assert_non_null(t);
	assert_int_equal(fwrite(body.p, 1, body.len, in), body.len);
	assert_int_equal(fflush(in), 0);
	rewind(in);
	if (length != NULL)
		assert_int_equal(setenv("CONTENT_LENGTH", length, 1), 0);
	(void)dup2(fileno(in), STDIN_FILENO);
	(void)dup2(fileno(out), STDOUT_FILENO);
	assert_ok(t->ops->accept(t));
	return t;
}

static void assert_reads(struct transport *t, const char *want)
{
	struct span chunk;

	assert_ok(t->ops->read(t, &chunk));
	assert_span_str(chunk, want);
}

static void cgi_is_recognized_by_two_variables(void **state)
{
	(void)state;
	assert_int_equal(unsetenv("GATEWAY_INTERFACE"), 0);
	assert_int_equal(setenv("REQUEST_METHOD", "GET", 1), 0);
	assert_false(transport_cgi_ready());
	assert_int_equal(setenv("GATEWAY_INTERFACE", "CGI/1.1", 1), 0);
	assert_true(transport_cgi_ready());
	assert_int_equal(unsetenv("REQUEST_METHOD"), 0);
	assert_false(transport_cgi_ready());
}

static void one_process_accepts_one_request(void **state)
{
	struct transport *t = accepted(SPAN(""), NULL);

	(void)state;
	assert_ok(t->ops->finish(t));
	assert_err(t->ops->accept(t), ERR_CLOSED);
	t->ops->free(t);
}

static void variables_are_read_from_the_environment(void **state)
{
	struct transport *t = accepted(SPAN(""), NULL);

	(void)state;
	assert_int_equal(setenv("HTTP_X_TEST", "value", 1), 0);
	assert_string_equal(t->ops->variable(t, "HTTP_X_TEST"), "value");
	assert_null(t->ops->variable(t, "HTTP_X_NONE"));
	t->ops->free(t);
}

static void a_body_is_read_up_to_its_announced_length(void **state)
{
	struct transport *t = accepted(SPAN("bodyand what follows"), "4");

	(void)state;
	assert_reads(t, "body");
	assert_reads(t, "");
	assert_reads(t, "");
	t->ops->free(t);
}

static void a_body_that_ends_early_ends(void **state)
{
	struct transport *t = accepted(SPAN("short"), "100");

	(void)state;
	assert_reads(t, "short");
	assert_reads(t, "");
	t->ops->free(t);
}

static void a_length_of_zero_reads_nothing(void **state)
{
	struct transport *t = accepted(SPAN("not ours"), "0");

	(void)state;
	assert_reads(t, "");
	t->ops->free(t);
}

static void a_body_without_a_length_is_read_to_its_end(void **state)
{
	struct transport *t = accepted(SPAN("all of it"), NULL);

	(void)state;
	assert_reads(t, "all of it");
	assert_reads(t, "");
	t->ops->free(t);
}

static void an_answer_of_any_size_is_written_whole(void **state)
{
	static char big[200 * 1000], back[sizeof(big) * 2];
	struct transport *t = accepted(SPAN(""), NULL);
	size_t n = 0, sent = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)('a' + i % 23);
	for (size_t piece = 1; sent + piece < sizeof(big); piece *= 3) {
		assert_ok(
			t->ops->write(t, (struct span) { big + sent, piece }));
		sent += piece;
	}
	assert_ok(t->ops->write(t, (struct span) { NULL, 0 }));
	assert_ok(t->ops->write(t, (struct span) { big, sizeof(big) }));
	assert_ok(t->ops->finish(t));
	t->ops->free(t);
	give_back();
	rewind(out);
	n = fread(back, 1, sizeof(back), out);
	assert_int_equal(n, sent + sizeof(big));
	assert_memory_equal(back, big, sent);
	assert_memory_equal(back + sent, big, sizeof(big));
}

static void a_reader_that_has_closed_is_reported(void **state)
{
	static char big[200 * 1000];
	struct transport *t = accepted(SPAN(""), NULL);
	enum err e;

	(void)state;
	(void)close(STDOUT_FILENO);
	e = t->ops->write(t, (struct span) { big, sizeof(big) });
	give_back();
	assert_err(e, ERR_CLOSED);
	t->ops->free(t);
}

/* Like Apache's mod_cgid, which uses one socket for both directions: it has
 * sent a part of the announced body. Returns the server's end. */
static int refused_with(struct span sent, const char *announced)
{
	struct transport *t = accepted(SPAN(""), announced);
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	(void)dup2(ends[1], STDIN_FILENO);
	(void)close(ends[1]);
	assert_int_equal(send(ends[0], sent.p, sent.len, 0), sent.len);
	assert_ok(t->ops->finish(t));
	t->ops->free(t);
	return ends[0];
}

/* Closing a Unix socket with unread bytes resets the connection */
static void assert_not_reset(int server)
{
	char c;

	give_back();
	assert_int_equal(recv(server, &c, 1, 0), 0);
	(void)close(server);
}

static void an_unread_body_is_discarded_from_a_socket(void **state)
{
	static char big[50 * 1000];

	(void)state;
	assert_not_reset(
		refused_with((struct span) { big, sizeof(big) }, "50000"));
}

static void a_silent_sender_of_an_unread_body_is_not_waited_for(void **state)
{
	(void)state;
	assert_not_reset(refused_with(SPAN("half of it"), "20"));
}

/* Send a byte whenever there is room, until the other end is closed */
static void *send_for_ever(void *arg)
{
	while (send(*(int *)arg, "x", 1, MSG_NOSIGNAL) == 1)
		continue;
	return NULL;
}

static void a_client_that_never_stops_sending_does_not_hold_the_process(
	void **state)
{
	struct transport *t = accepted(SPAN(""), NULL);
	pthread_t client;
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	(void)dup2(ends[0], STDIN_FILENO);
	(void)close(ends[0]);
	assert_int_equal(pthread_create(&client, NULL, send_for_ever, &ends[1]),
			 0);
	clock_runs_fast = true;
	assert_ok(t->ops->finish(t)); /* else the alarm ends the test */
	clock_runs_fast = false;
	(void)dup2(saved_in, STDIN_FILENO); /* the last copy of the socket */
	assert_int_equal(pthread_join(client, NULL), 0);
	(void)close(ends[1]);
	t->ops->free(t);
}

int main(void)
{
#define FIXTURE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(cgi_is_recognized_by_two_variables),
		FIXTURE_TEST(one_process_accepts_one_request),
		FIXTURE_TEST(variables_are_read_from_the_environment),
		FIXTURE_TEST(a_body_is_read_up_to_its_announced_length),
		FIXTURE_TEST(a_body_that_ends_early_ends),
		FIXTURE_TEST(a_length_of_zero_reads_nothing),
		FIXTURE_TEST(a_body_without_a_length_is_read_to_its_end),
		FIXTURE_TEST(an_answer_of_any_size_is_written_whole),
		FIXTURE_TEST(a_reader_that_has_closed_is_reported),
		FIXTURE_TEST(an_unread_body_is_discarded_from_a_socket),
		FIXTURE_TEST(
			a_silent_sender_of_an_unread_body_is_not_waited_for),
		FIXTURE_TEST(
			a_client_that_never_stops_sending_does_not_hold_the_process),
	};

	return RUN(tests);
}
