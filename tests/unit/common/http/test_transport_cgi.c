/* The transport reads and writes this process's own descriptors 0 and 1, so
 * each test lends it others for the while. */
#include "common/http/transport_cgi.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A clock that is a second later at each look, while it is in use */
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
	(void)alarm(60); /* what waits without end has failed */
	(void)fflush(stdout);
	in = tmpfile();
	out = tmpfile();
	saved_in = dup(STDIN_FILENO);
	saved_out = dup(STDOUT_FILENO);
	if (in == NULL || out == NULL || saved_in < 0 || saved_out < 0)
		return -1;
	return unsetenv("CONTENT_LENGTH");
}

/* Give the descriptors back, so that what cmocka says is seen */
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

static void a_request_is_ready_when_the_server_says_so(void **state)
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

static void one_process_takes_one_request(void **state)
{
	struct transport *t = accepted(SPAN(""), NULL);

	(void)state;
	assert_ok(t->ops->finish(t));
	assert_err(t->ops->accept(t), ERR_CLOSED);
	t->ops->free(t);
}

static void variables_are_those_of_the_environment(void **state)
{
	struct transport *t = accepted(SPAN(""), NULL);

	(void)state;
	assert_int_equal(setenv("HTTP_X_TEST", "value", 1), 0);
	assert_string_equal(t->ops->variable(t, "HTTP_X_TEST"), "value");
	assert_null(t->ops->variable(t, "HTTP_X_NONE"));
	t->ops->free(t);
}

static void no_more_is_read_than_was_announced(void **state)
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

static void a_length_of_nothing_reads_nothing(void **state)
{
	struct transport *t = accepted(SPAN("not ours"), "0");

	(void)state;
	assert_reads(t, "");
	t->ops->free(t);
}

static void without_a_length_the_body_goes_to_its_end(void **state)
{
	struct transport *t = accepted(SPAN("all of it"), NULL);

	(void)state;
	assert_reads(t, "all of it");
	assert_reads(t, "");
	t->ops->free(t);
}

static void an_answer_of_any_size_comes_out_whole(void **state)
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

static void a_reader_that_is_gone_is_closed(void **state)
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

/* Apache's mod_cgid hands out one socket for both ways: what it has sent of a
 * body, of which more was announced. Gives the server's end. */
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

/* To close a Unix socket in which something lies unread resets it */
static void assert_not_reset(int server)
{
	char c;

	give_back();
	assert_int_equal(recv(server, &c, 1, 0), 0);
	(void)close(server);
}

static void a_body_that_nobody_wants_is_taken_from_a_socket(void **state)
{
	static char big[50 * 1000];

	(void)state;
	assert_not_reset(
		refused_with((struct span) { big, sizeof(big) }, "50000"));
}

static void one_whose_sender_has_fallen_silent_is_not_waited_for(void **state)
{
	(void)state;
	assert_not_reset(refused_with(SPAN("half of it"), "20"));
}

/* Sends a byte whenever there is room, until the other end is closed */
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
#define LENT(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		LENT(a_request_is_ready_when_the_server_says_so),
		LENT(one_process_takes_one_request),
		LENT(variables_are_those_of_the_environment),
		LENT(no_more_is_read_than_was_announced),
		LENT(a_body_that_ends_early_ends),
		LENT(a_length_of_nothing_reads_nothing),
		LENT(without_a_length_the_body_goes_to_its_end),
		LENT(an_answer_of_any_size_comes_out_whole),
		LENT(a_reader_that_is_gone_is_closed),
		LENT(a_body_that_nobody_wants_is_taken_from_a_socket),
		LENT(one_whose_sender_has_fallen_silent_is_not_waited_for),
		LENT(a_client_that_never_stops_sending_does_not_hold_the_process),
	};

	return RUN(tests);
}
