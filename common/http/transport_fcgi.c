#include "common/http/transport_fcgi.h"

#include "common/base/worker_stack.h"
#include "common/base/worker_wait.h"
#include "common/http/fcgi_input.h"

#include <errno.h>
#include <fastcgi.h>
#include <fcgiapp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

enum {
	FCGI_NO_SOCKET = -1,
	/* Bytes that a socket takes which was ready to be written: a Unix socket
	 * has a buffer of 208 KiB, and is ready while a quarter is used; a TCP
	 * socket gets a buffer, and is ready while two thirds are used */
	FCGI_AHEAD = 64 * 1024,
	FCGI_TCP_BUFFER = 208 * 1024,
	/* An answer that has begun waits so long for a server without a place */
	FCGI_ROOM_MS = 2000,
};

struct fcgi {
	struct transport base;
	FCGX_Request request;
	struct fcgi_input input;
	size_t sent;	 /* since the socket was last known to have room */
	bool has_waited; /* for the client, so the socket has a limit */
	int64_t left;	 /* bytes of the announced body that were not read */
};

static struct fcgi *of(struct transport *t)
{
	return (struct fcgi *)t;
}

static void ignore_wake(int sig)
{
	(void)sig; /* all it does is interrupt accept */
}

/* systemd's socket outlives this process, which must not shut it down */
static bool is_ours(void)
{
	return getenv("LISTEN_FDS") == NULL;
}

/* Without SA_RESTART, so that accept(2) returns */
static bool make_accept_interruptible(void)
{
	struct sigaction wake = { .sa_handler = ignore_wake };

	(void)sigemptyset(&wake.sa_mask);
	return sigaction(TRANSPORT_FCGI_WAKE, &wake, NULL) == 0;
}

bool transport_fcgi_ready(void)
{
	int listening = 0;
	socklen_t size = sizeof(listening);

	/* FCGX_IsCGI() relies on getpeername(), which a stray socket on
	 * descriptor 0 can deceive */
	if (getsockopt(0, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 ||
	    !listening)
		return false;
	/* libfcgi sets its own signal handlers, so ours are set afterwards */
	return FCGX_Init() == 0 && make_accept_interruptible();
}

bool transport_fcgi_refuse(void)
{
	/* After SHUT_RD, a Unix socket keeps its queue of connections; TCP
	 * resets them */
	return is_ours() && shutdown(0, SHUT_RD) == 0;
}

enum err transport_fcgi_wait(struct transport *t)
{
	FCGX_Request *rq = &of(t)->request;
	const int now = 1, size = FCGI_TCP_BUFFER;

	rq->ipcFd = accept(0, NULL, NULL);
	if (rq->ipcFd >= 0) {
		/* The first fails for a Unix socket, which needs neither. The
		 * system doubles the size, for what it needs itself. */
		if (setsockopt(rq->ipcFd, IPPROTO_TCP, TCP_NODELAY, &now,
			       sizeof(now)) == 0)
			(void)setsockopt(rq->ipcFd, SOL_SOCKET, SO_SNDBUF,
					 &size, sizeof(size));
		return ERR_OK;
	}
	switch (errno) {
	case EINTR:
	case ECONNABORTED:
		return ERR_CLOSED;
	case EINVAL:
		return ERR_GONE;
	default:
		return err_of_errno(errno) == ERR_OVERLOADED ? ERR_OVERLOADED
							     : ERR_IO;
	}
}

/* libfcgi's accept takes the connection that it finds in the request, if that
 * is one to keep, and then reads the variables. It closes one that breaks, and
 * fails to accept another, for it has no listening socket. So it is known which
 * threads wait for a connection, and nothing but that waits inside accept. */
static enum err fcgi_accept(struct transport *t)
{
	struct fcgi *f = of(t);

	f->sent = 0;
	f->has_waited = false;
	f->request.keepConnection = 1;
	f->left = 0;
	if (FCGX_Accept_r(&f->request) != 0)
		return ERR_CLOSED;
	(void)span_to_int(
		span_of(FCGX_GetParam("CONTENT_LENGTH", f->request.envp)),
		&f->left);
	fcgi_input_begin(&f->input, &f->request);
	return ERR_OK;
}

static const char *fcgi_variable(struct transport *t, const char *name)
{
	return FCGX_GetParam(name, of(t)->request.envp);
}

static size_t fcgi_count(struct transport *t, const char *name)
{
	return transport_count(of(t)->request.envp, name);
}

/* Whether the socket can be read or written without waiting */
static bool is_ready(const struct fcgi *f, short events)
{
	struct pollfd socket = { .fd = f->request.ipcFd, .events = events };

	return poll(&socket, 1, 0) != 0;
}

/* Let a read fail with EAGAIN after that time; 0: never */
static void limit_silence(struct fcgi *f, int64_t ms)
{
	const struct timeval limit = { .tv_sec = ms / 1000,
				       .tv_usec = ms % 1000 * 1000 };

	(void)setsockopt(f->request.ipcFd, SOL_SOCKET, SO_RCVTIMEO, &limit,
			 sizeof(limit));
}

/* ERR_SLOW if the limit of silence is over */
static enum err read_record(struct fcgi *f)
{
	FCGX_Stream *in = f->request.in;

	fcgi_input_fill(&f->input);
	if (FCGX_GetError(in) == 0)
		return ERR_OK;
	return FCGX_GetError(in) == EAGAIN ? ERR_SLOW : ERR_CLOSED;
}

/* There is no place to wait for the client: use bytes that are there. If none
 * are, return `refusal`. */
static enum err read_at_once(struct fcgi *f, enum err refusal)
{
	enum err e;

	limit_silence(f, WORKER_PACE_MS);
	worker_wait_begin();
	e = read_record(f);
	worker_wait_end();
	limit_silence(f, f->has_waited ? f->base.silence_ms : 0);
	return e == ERR_SLOW ? refusal : e;
}

/* Read the next record. libfcgi may have it already, which cannot be seen from
 * outside: so the wait begins before each read, and costs little if it is none.
 * While others wait for a slot, bytes that are there are read first. */
static enum err fill(struct fcgi *f)
{
	bool prepares =
		(f->base.silence_ms > 0 || f->left > 0) && !f->has_waited;
	bool stays = (prepares || worker_is_awaited()) &&
		     fcgi_input_ready(&f->input);
	enum err e = stays ? ERR_OK : worker_client_wait_begin();

	if (e != ERR_OK)
		return read_at_once(f, e);
	if (prepares && !stays) {
		f->has_waited = true;
		if (f->base.silence_ms > 0)
			limit_silence(f, f->base.silence_ms);
		worker_stack_trim();
	}
	e = read_record(f);
	if (!stays)
		worker_client_wait_end();
	return e;
}

static enum err fcgi_read(struct transport *t, struct span *chunk)
{
	FCGX_Stream *in = of(t)->request.in;
	enum err e = ERR_OK;

	/* FCGX_GetStr would copy. The stream's buffer is public, so the bytes
	 * are used in place */
	if (in->rdNext == in->stop && !in->isClosed)
		e = fill(of(t));
	else if (FCGX_GetError(in) != 0)
		e = ERR_CLOSED;
	if (e != ERR_OK)
		return e;
	*chunk = (struct span) { (const char *)in->rdNext,
				 (size_t)(in->stop - in->rdNext) };
	of(t)->left -= in->stop - in->rdNext;
	in->rdNext = in->stop;
	return ERR_OK;
}

static bool fcgi_ready(struct transport *t, int ms)
{
	struct pollfd socket = { .fd = of(t)->request.ipcFd, .events = POLLIN };

	return fcgi_input_ready(&of(t)->input) ||
	       (ms > 0 && poll(&socket, 1, ms) != 0);
}

static enum err wait_without_place(struct pollfd *socket, enum err refusal)
{
	bool has_room;

	worker_wait_begin();
	has_room = poll(socket, 1, FCGI_ROOM_MS) != 0;
	worker_wait_end();
	return has_room ? ERR_OK : refusal;
}

/* Before more is written than the socket surely takes, wait until the server has
 * read some */
static enum err wait_for_room(struct fcgi *f, size_t more)
{
	struct pollfd socket = { .fd = f->request.ipcFd, .events = POLLOUT };
	enum err e;

	f->sent += more;
	if (f->sent <= FCGI_AHEAD)
		return ERR_OK;
	f->sent = more;
	if (is_ready(f, POLLOUT))
		return ERR_OK;
	e = worker_client_wait_begin();
	if (e != ERR_OK)
		return wait_without_place(&socket, e);
	(void)poll(&socket, 1, -1);
	worker_client_wait_end();
	return ERR_OK;
}

static enum err fcgi_write(struct transport *t, struct span bytes)
{
	FCGX_Stream *out = of(t)->request.out;

	while (bytes.len > 0) {
		size_t n = bytes.len < FCGI_AHEAD ? bytes.len : FCGI_AHEAD;
		enum err e = wait_for_room(of(t), n);

		if (e != ERR_OK)
			return e;
		if (FCGX_PutStr(bytes.p, (int)n, out) != (int)n)
			return ERR_CLOSED;
		bytes = span_from(bytes, n);
	}
	return ERR_OK;
}

/* Whether nothing is left to read. The end of the body is a record, which may
 * be unread after the last byte. An authorizer gets no body, and maybe no end. */
static bool is_read(struct fcgi *f)
{
	FCGX_Stream *in = f->request.in;

	if (f->request.role != FCGI_RESPONDER)
		return !is_ready(f, POLLIN);
	while (f->left <= 0 && !in->isClosed) {
		in->rdNext = in->stop;
		fcgi_input_fill(&f->input);
	}
	/* An error closes the stream, too; then more may arrive */
	return in->isClosed != 0 && FCGX_GetError(in) == 0;
}

/* libfcgi waits until the server has closed its side, so that bytes which are
 * unread do not reset the connection. Where all are read, close at once. The
 * server may not keep the connection: it would keep a thread. */
static enum err fcgi_finish(struct transport *t)
{
	FCGX_Request *rq = &of(t)->request;
	int failed;

	worker_wait_begin();
	/* FCGX_Finish_r() closes both streams, in this order, but ignores the
	 * results; it will find them closed */
	failed = FCGX_FClose(rq->err) | FCGX_FClose(rq->out);
	rq->keepConnection = 0;
	if (is_read(of(t)))
		(void)FCGX_Detach(rq);
	fcgi_input_end(&of(t)->input);
	FCGX_Finish_r(rq);
	worker_wait_end();
	return failed == 0 ? ERR_OK : ERR_CLOSED;
}

static void fcgi_free(struct transport *t)
{
	FCGX_Free(&of(t)->request, 1);
	free(t);
}

struct transport *transport_fcgi_new(void)
{
	static const struct transport_ops ops = {
		.accept = fcgi_accept,
		.variable = fcgi_variable,
		.count = fcgi_count,
		.read = fcgi_read,
		.ready = fcgi_ready,
		.write = fcgi_write,
		.finish = fcgi_finish,
		.free = fcgi_free,
	};
	struct fcgi *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->base.ops = &ops;
	if (FCGX_InitRequest(&f->request, FCGI_NO_SOCKET, 0) != 0) {
		free(f);
		return NULL;
	}
	return &f->base;
}
