/* A thread is the server in front: it sends one request over a socket. */
#include "common/http/fcgi_input.h"
#include "tests/unit/unit.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	BEGIN = 1,
	PARAMS = 4,
	STDIN = 5,
	RECORD = 65528,
	BODY = 5 * RECORD + 4321,
	STREAM_MAX = 2 * BODY,
};

static char body[BODY];		/* of the request */
static char stream[STREAM_MAX]; /* the whole request, as it is sent */
static size_t stream_len;
static size_t piece; /* bytes of a send(2) at most */

/* While this is in use, no byte has arrived yet */
static bool nothing_arrived;

int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout);
int __real_poll(struct pollfd *fds, nfds_t n, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout)
{
	return nothing_arrived ? 0 : __real_poll(fds, n, timeout);
}

/* --- the server ----------------------------------------------------------- */

static void add_record(int type, struct span content, size_t padding)
{
	const unsigned char head[8] = { 1,
					(unsigned char)type,
					0,
					1,
					(unsigned char)(content.len >> 8),
					(unsigned char)content.len,
					(unsigned char)padding,
					0 };

	assert_true(stream_len + 8 + content.len + padding <= STREAM_MAX);
	memcpy(stream + stream_len, head, 8);
	stream_len += 8;
	if (content.len > 0)
		memcpy(stream + stream_len, content.p, content.len);
	stream_len += content.len;
	memset(stream + stream_len, '-', padding);
	stream_len += padding;
}

/* Make the request, with its body in records of `record` bytes at most */
static void make_request(size_t record, size_t padding)
{
	struct span rest = { body, BODY };

	stream_len = 0;
	add_record(BEGIN, (struct span) { "\0\1\0\0\0\0\0\0", 8 }, 0);
	add_record(PARAMS, (struct span) { "\1\1AB", 4 }, 0);
	add_record(PARAMS, SPAN(""), 0);
	while (rest.len > 0) {
		size_t n = rest.len < record ? rest.len : record;

		add_record(STDIN, (struct span) { rest.p, n }, padding);
		rest = span_from(rest, n);
	}
	add_record(STDIN, SPAN(""), 0);
}

/* Make the request with a body that came in the same read as its head, after
 * padding of the record before */
static void make_small_request(struct span bytes)
{
	stream_len = 0;
	add_record(BEGIN, (struct span) { "\0\1\0\0\0\0\0\0", 8 }, 0);
	add_record(PARAMS, (struct span) { "\1\1AB", 4 }, 4);
	add_record(PARAMS, SPAN(""), 0);
	add_record(STDIN, bytes, 3);
}

static void *send_request(void *to)
{
	int fd = *(int *)to;

	for (size_t at = 0; at < stream_len;) {
		size_t n = stream_len - at < piece ? stream_len - at : piece;
		ssize_t sent = send(fd, stream + at, n, MSG_NOSIGNAL);

		if (sent <= 0)
			break;
		at += (size_t)sent;
	}
	return NULL;
}

/* --- the program ---------------------------------------------------------- */

static char folder[] = "/tmp/fcgi-input-XXXXXX";
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static int listener = -1, front = -1;
static pthread_t server;
static FCGX_Request request;
static struct fcgi_input input;

static int set_up(void **state)
{
	(void)state;
	(void)alarm(60); /* a test that does not end has failed */
	for (size_t i = 0; i < BODY; i++)
		body[i] = (char)(i * 31 + i / 4099);
	if (mkdtemp(folder) == NULL || FCGX_Init() != 0)
		return -1;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket",
		       folder);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	return bind(listener, (struct sockaddr *)&address, sizeof(address)) ==
				       0 &&
			       listen(listener, 5) == 0
		       ? 0
		       : -1;
}

static int tear_down(void **state)
{
	(void)state;
	(void)close(listener);
	(void)unlink(address.sun_path);
	(void)rmdir(folder);
	return 0;
}

static void begin(size_t bytes_of_a_send)
{
	piece = bytes_of_a_send;
	nothing_arrived = false;
	front = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(
		connect(front, (struct sockaddr *)&address, sizeof(address)),
		0);
	assert_int_equal(pthread_create(&server, NULL, send_request, &front),
			 0);
	assert_int_equal(FCGX_InitRequest(&request, listener, 0), 0);
	assert_int_equal(FCGX_Accept_r(&request), 0);
	fcgi_input_begin(&input, &request);
}

static void end(void)
{
	(void)shutdown(front, SHUT_WR);
	assert_int_equal(pthread_join(server, NULL), 0);
	fcgi_input_end(&input);
	assert_null(input.lent);
	/* Or libfcgi waits until the server has closed the connection */
	(void)close(front);
	FCGX_Finish_r(&request);
	FCGX_Free(&request, 1);
}

/* Take the next bytes; their number, 0 at the end of the body */
static size_t fill(const char **bytes)
{
	FCGX_Stream *in = request.in;
	size_t n;

	assert_ptr_equal(in->rdNext, in->stop);
	if (in->isClosed)
		return 0;
	fcgi_input_fill(&input);
	assert_int_equal(FCGX_GetError(in), 0);
	*bytes = (const char *)in->rdNext;
	n = (size_t)(in->stop - in->rdNext);
	in->rdNext = in->stop;
	return n;
}

/* Read and compare the body; the number of fills */
static int read_body(void)
{
	const char *bytes = NULL;
	size_t at = 0, n;
	int fills = 0;

	while ((n = fill(&bytes)) > 0) {
		assert_true(n <= BODY - at);
		assert_memory_equal(bytes, body + at, n);
		at += n;
		fills++;
	}
	assert_int_equal(at, BODY);
	assert_true(request.in->isClosed);
	return fills;
}

/* --- tests ---------------------------------------------------------------- */

/* With another libfcgi this fails first: reads are of 8 KiB again */
static void the_buffer_of_this_libfcgi_is_found(void **state)
{
	(void)state;
	make_request(RECORD, 0);
	begin(STREAM_MAX);
	assert_non_null(input.own);
	assert_int_equal(input.own_size, 8192);
	(void)read_body();
	end();
}

static void bytes_that_have_arrived_are_read_in_large_pieces(void **state)
{
	const char *bytes = NULL;
	static char peeked[RECORD];

	(void)state;
	make_request(RECORD, 0);
	begin(STREAM_MAX);
	/* Wait until the server has sent that much */
	assert_int_equal(
		recv(request.ipcFd, peeked, RECORD, MSG_PEEK | MSG_WAITALL),
		RECORD);
	/* What libfcgi read together with the parameters */
	assert_true(fill(&bytes) <= 8192);
	assert_true(fill(&bytes) > 32 * 1024);
	end();
}

static void bodies_are_the_same_however_they_are_cut(void **state)
{
	static const struct {
		size_t record, padding, piece;
	} cases[] = {
		{ RECORD, 0, STREAM_MAX }, { 65535, 1, STREAM_MAX },
		{ RECORD, 0, 8191 },	   { 1000, 7, 333 },
		{ 8184, 255, 8192 },	   { 40000, 200, 131072 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		make_request(cases[i].record, cases[i].padding);
		begin(cases[i].piece);
		(void)read_body();
		end();
	}
}

static void the_larger_buffer_is_returned_before_a_wait(void **state)
{
	const char *bytes = NULL;

	(void)state;
	make_request(RECORD, 0);
	begin(STREAM_MAX);
	while (input.lent == NULL)
		assert_true(fill(&bytes) > 0);
	/* Now the server is slow, so each fill may wait */
	while (input.lent != NULL) {
		nothing_arrived = request.in->stop == request.in->rdNext;
		assert_true(fill(&bytes) > 0);
	}
	assert_true(fill(&bytes) <= 8192);
	nothing_arrived = false;
	while (fill(&bytes) > 0)
		;
	end();
}

static void it_is_ready_at_the_end_of_the_body(void **state)
{
	(void)state;
	make_request(RECORD, 0);
	begin(STREAM_MAX);
	(void)read_body();
	nothing_arrived = true;
	assert_true(fcgi_input_ready(&input));
	end();
}

static void it_is_ready_if_a_small_body_was_read_with_the_head(void **state)
{
	(void)state;
	make_small_request(SPAN("hello"));
	begin(STREAM_MAX);
	nothing_arrived = true;
	assert_true(fcgi_input_ready(&input));
	nothing_arrived = false;
	end();
}

/* Padding, and a header with nothing behind it, are no bytes */
static void it_is_not_ready_with_a_header_alone(void **state)
{
	(void)state;
	make_small_request(SPAN("hello"));
	stream_len -= 5 + 3;
	begin(STREAM_MAX);
	nothing_arrived = true;
	assert_false(fcgi_input_ready(&input));
	nothing_arrived = false;
	end();
}

static void it_is_not_ready_before_bytes_arrive(void **state)
{
	const char *bytes = NULL;

	(void)state;
	make_request(100, 0);
	begin(STREAM_MAX);
	/* Some records have arrived, and lie in the buffer of libfcgi */
	while (fill(&bytes) > 0 && fcgi_input_ready(&input))
		nothing_arrived = true;
	assert_false(fcgi_input_ready(&input));
	nothing_arrived = false;
	assert_true(fcgi_input_ready(&input));
	while (fill(&bytes) > 0)
		;
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_buffer_of_this_libfcgi_is_found),
		cmocka_unit_test(
			bytes_that_have_arrived_are_read_in_large_pieces),
		cmocka_unit_test(bodies_are_the_same_however_they_are_cut),
		cmocka_unit_test(the_larger_buffer_is_returned_before_a_wait),
		cmocka_unit_test(it_is_ready_at_the_end_of_the_body),
		cmocka_unit_test(
			it_is_ready_if_a_small_body_was_read_with_the_head),
		cmocka_unit_test(it_is_not_ready_with_a_header_alone),
		cmocka_unit_test(it_is_not_ready_before_bytes_arrive),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
