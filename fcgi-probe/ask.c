#include "fcgi-probe/ask.h"

#include "fcgi-probe/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum {
	REQUEST_MAX = 4096, /* bytes of our request with its parameters */
	READ_SIZE = 4096,
};

struct line {
	int fd;
	int64_t deadline; /* milliseconds of the monotonic clock */
};

static int64_t now_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until the socket is ready for `events`, or the time is up */
static enum err wait_for(const struct line *l, short events, struct errmsg *why)
{
	struct pollfd p = { .fd = l->fd, .events = events };

	for (;;) {
		int64_t left = l->deadline - now_ms();
		int n = poll(&p, 1, left > 0 ? (int)left : 0);

		if (n > 0)
			return ERR_OK;
		if (n == 0)
			return err_set(why, ERR_UNAVAILABLE,
				       "no answer within the time");
		if (errno != EINTR)
			return err_set(why, ERR_UNAVAILABLE, "poll: %s",
				       strerror(errno));
	}
}

static enum err dial(struct line *l, const struct address *where,
		     struct errmsg *why)
{
	socklen_t size = sizeof(int);
	int failure = 0;
	enum err e;

	l->fd = socket(where->at.ss_family, SOCK_STREAM, 0);
	if (l->fd < 0 || fcntl(l->fd, F_SETFL, O_NONBLOCK) != 0)
		return err_set(why, ERR_UNAVAILABLE, "socket: %s",
			       strerror(errno));
	if (connect(l->fd, (const struct sockaddr *)&where->at, where->len) ==
	    0)
		return ERR_OK;
	/* A Unix socket whose queue is full says EAGAIN, and poll() would not
	 * tell when there is room */
	if (errno != EINPROGRESS)
		return err_set(why, ERR_UNAVAILABLE, "connect: %s",
			       strerror(errno));
	e = wait_for(l, POLLOUT, why);
	if (e != ERR_OK)
		return e;
	(void)getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &failure, &size);
	if (failure != 0)
		return err_set(why, ERR_UNAVAILABLE, "connect: %s",
			       strerror(failure));
	return ERR_OK;
}

static enum err say(const struct line *l, struct span bytes, struct errmsg *why)
{
	while (bytes.len > 0) {
		ssize_t n = send(l->fd, bytes.p, bytes.len, MSG_NOSIGNAL);
		enum err e;

		if (n >= 0) {
			bytes = span_from(bytes, (size_t)n);
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return err_set(why, ERR_CLOSED, "send: %s",
				       strerror(errno));
		e = wait_for(l, POLLOUT, why);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

/* The next bytes, into `room` */
static enum err hear(const struct line *l, char room[static READ_SIZE],
		     struct span *piece, struct errmsg *why)
{
	for (;;) {
		enum err e = wait_for(l, POLLIN, why);
		ssize_t n;

		if (e != ERR_OK)
			return e;
		n = recv(l->fd, room, READ_SIZE, 0);
		if (n > 0) {
			*piece = (struct span) { room, (size_t)n };
			return ERR_OK;
		}
		if (n == 0)
			return err_set(why, ERR_CLOSED,
				       "the program hung up before its answer "
				       "was complete");
		if (errno != EAGAIN && errno != EINTR)
			return err_set(why, ERR_CLOSED, "recv: %s",
				       strerror(errno));
	}
}

/* As much of the answer as is looked at */
static void keep(struct buf *text, struct span data)
{
	size_t room = ANSWER_MAX - text->len;

	if (data.len > room)
		data.len = room;
	buf_add(text, data);
}

static enum err listen_to_end(const struct line *l, struct buf *text,
			      struct errmsg *why)
{
	struct wire_reader r;
	struct wire_event ev;
	char room[READ_SIZE];
	struct span piece;
	enum err e;

	wire_reader_init(&r);
	while ((e = hear(l, room, &piece, why)) == ERR_OK) {
		do {
			if (wire_next(&r, &piece, &ev) != ERR_OK)
				return err_set(why, ERR_FORMAT,
					       "what listens there does not "
					       "speak FastCGI");
			if (ev.kind == WIRE_OUTPUT)
				keep(text, ev.data);
			if (ev.kind == WIRE_END && ev.refusal != 0)
				return err_set(why, ERR_LIMITED,
					       "the program takes no request "
					       "(FastCGI status %d)",
					       ev.refusal);
			if (ev.kind == WIRE_END)
				return buf_error(text);
		} while (ev.kind != WIRE_HUNGRY);
	}
	return e;
}

static enum err make_request(struct span path, struct buf *request)
{
	const struct wire_param params[] = {
		{ SPAN("GATEWAY_INTERFACE"), SPAN("CGI/1.1") },
		{ SPAN("SERVER_PROTOCOL"), SPAN("HTTP/1.1") },
		{ SPAN("REQUEST_METHOD"), SPAN("GET") },
		{ SPAN("SCRIPT_NAME"), path },
		{ SPAN("REQUEST_URI"), path },
		{ SPAN("QUERY_STRING"), SPAN("") },
		{ SPAN("CONTENT_LENGTH"), SPAN("0") },
	};

	if (path.len > ASK_PATH_MAX)
		return ERR_TOO_LARGE;
	return wire_request(params, sizeof(params) / sizeof(*params), request);
}

enum err ask(const struct address *where, struct span path, int64_t timeout_ms,
	     struct buf *text, struct answer *out, struct errmsg *why)
{
	struct line l = { .fd = -1, .deadline = now_ms() + timeout_ms };
	struct buf request;
	enum err e;

	buf_init(&request, REQUEST_MAX);
	e = make_request(path, &request);
	if (e != ERR_OK) {
		e = err_set(why, e, "the path is too long");
		goto out;
	}
	e = dial(&l, where, why);
	if (e != ERR_OK)
		goto out;
	e = say(&l, buf_span(&request), why);
	if (e != ERR_OK)
		goto out;
	e = listen_to_end(&l, text, why);
	if (e != ERR_OK)
		goto out;
	e = answer_read(buf_span(text), out);
	if (e != ERR_OK)
		e = err_set(why, e, "the answer has no header fields");
out:
	if (l.fd >= 0)
		(void)close(l.fd);
	buf_release(&request);
	return e;
}
