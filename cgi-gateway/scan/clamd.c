#include "cgi-gateway/scan/clamd.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
	BUSY_MS = 20, /* until a full queue of a Unix socket is tried again */
};

static int64_t clock_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What of `events` has come (or an error) by `deadline`; 0: nothing */
static int wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left;
	int n;

	while ((left = deadline - clock_ms()) > 0) {
		n = poll(&p, 1, left < INT32_MAX ? (int)left : INT32_MAX);
		if (n > 0)
			return p.revents;
		if (n < 0 && errno != EINTR)
			break;
	}
	return 0;
}

static enum err timed_out(const char *doing, struct errmsg *why)
{
	return err_set(why, ERR_UNAVAILABLE, "clamd: timed out while %s",
		       doing);
}

static enum err failed(const char *doing, struct errmsg *why)
{
	return err_set(why, ERR_UNAVAILABLE, "clamd: %s: %s", doing,
		       strerror(errno));
}

/* --- connecting ---------------------------------------------------------- */

/* 0, or errno */
static int join(int fd, const struct sockaddr *to, socklen_t len,
		int64_t deadline)
{
	socklen_t size = sizeof(int);
	int error = 0;

	while (connect(fd, to, len) != 0) {
		if (errno == EAGAIN && clock_ms() < deadline)
			(void)poll(NULL, 0, BUSY_MS);
		else if (errno == EINPROGRESS || errno == EINTR)
			break;
		else
			return errno == EAGAIN ? ETIMEDOUT : errno;
	}
	if (wait_for(fd, POLLOUT, deadline) == 0)
		return ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error
									: errno;
}

/* A connected socket, or -1 and errno */
static int dial(int family, const struct sockaddr *to, socklen_t len)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error;

	if (fd < 0)
		return -1;
	error = join(fd, to, len, clock_ms() + CLAMD_CONNECT * 1000);
	if (error == 0)
		return fd;
	(void)close(fd);
	errno = error;
	return -1;
}

static int dial_path(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	return dial(AF_UNIX, (const struct sockaddr *)&a, sizeof(a));
}

/* Looked up each time: what is behind a name may move */
static enum err dial_host(const struct clamd_address *a, int *out,
			  struct errmsg *why)
{
	const struct addrinfo want = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int fd = -1, e = getaddrinfo(a->host, a->port, &want, &found);

	if (e != 0)
		return err_set(why, ERR_UNAVAILABLE, "clamd: %s: %s", a->host,
			       gai_strerror(e));
	for (struct addrinfo *i = found; i != NULL && fd < 0; i = i->ai_next)
		fd = dial(i->ai_family, i->ai_addr, i->ai_addrlen);
	freeaddrinfo(found);
	if (fd < 0)
		return failed("connect", why);
	*out = fd;
	return ERR_OK;
}

static enum err stream_open(const struct clamd *d, int64_t seconds,
			    struct clamd_stream *s, struct errmsg *why)
{
	*s = (struct clamd_stream) {
		.fd = -1,
		.deadline = clock_ms() + seconds * 1000,
	};
	if (d->address.path[0] == '\0')
		return dial_host(&d->address, &s->fd, why);
	s->fd = dial_path(d->address.path);
	return s->fd < 0 ? failed("connect", why) : ERR_OK;
}

void clamd_close(struct clamd_stream *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
}

/* --- speaking ------------------------------------------------------------ */

/* ERR_CLOSED as soon as it speaks or goes away, for it speaks last */
static enum err say(struct clamd_stream *s, struct span bytes, int flags,
		    struct errmsg *why)
{
	while (bytes.len > 0) {
		int came = wait_for(s->fd, POLLIN | POLLOUT, s->deadline);
		ssize_t n;

		if (came == 0)
			return timed_out("sending", why);
		if ((came & ~POLLOUT) != 0)
			return ERR_CLOSED;
		n = send(s->fd, bytes.p, bytes.len, flags | MSG_NOSIGNAL);
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return ERR_CLOSED;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return failed("send", why);
		if (n > 0)
			bytes = span_from(bytes, (size_t)n);
	}
	return ERR_OK;
}

/* All up to the NUL, which must come */
static enum err hear(struct clamd_stream *s,
		     char space[static CLAMD_ANSWER_MAX], struct span *out,
		     struct errmsg *why)
{
	struct span all = { space, 0 };
	size_t end = 0;

	while (all.len < CLAMD_ANSWER_MAX) {
		ssize_t n;

		if (wait_for(s->fd, POLLIN, s->deadline) == 0)
			return timed_out("waiting for its answer", why);
		n = recv(s->fd, space + all.len, CLAMD_ANSWER_MAX - all.len, 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0)
			return failed("receive", why);
		if (n == 0)
			break;
		all.len += (size_t)n;
		end = span_find(all, '\0');
		if (end < all.len) {
			*out = (struct span) { space, end };
			return ERR_OK;
		}
	}
	return err_set(why, ERR_UNAVAILABLE, "clamd: ended without an answer");
}

enum err clamd_ping(const struct clamd *d, struct errmsg *why)
{
	char space[CLAMD_ANSWER_MAX];
	struct clamd_stream s;
	struct span answer = { NULL, 0 };
	enum err e = stream_open(d, CLAMD_CONNECT, &s, why);

	if (e == ERR_OK)
		e = say(&s, SPAN("zPING\0"), 0, why);
	if (e == ERR_OK || e == ERR_CLOSED)
		e = hear(&s, space, &answer, why);
	if (e == ERR_OK && !span_eq(answer, SPAN("PONG")))
		e = err_set(why, ERR_UNAVAILABLE, "clamd: %.*s is no PONG",
			    SPAN_ARG(answer));
	clamd_close(&s);
	return e;
}

enum err clamd_begin(const struct clamd *d, struct clamd_stream *s,
		     struct errmsg *why)
{
	enum err e = stream_open(d, d->timeout, s, why);

	if (e == ERR_OK)
		e = say(s, SPAN("zINSTREAM\0"), 0, why);
	if (e == ERR_CLOSED)
		e = err_set(why, ERR_UNAVAILABLE, "clamd: hung up at once");
	return e;
}

enum err clamd_send(struct clamd_stream *s, struct span piece,
		    struct errmsg *why)
{
	char length[CLAMD_LENGTH];
	enum err e;

	clamd_length((uint32_t)piece.len, length);
	e = say(s, (struct span) { length, sizeof(length) }, MSG_MORE, why);
	if (e == ERR_OK)
		e = say(s, piece, 0, why);
	s->cut = e == ERR_CLOSED;
	return e;
}

enum err clamd_end(struct clamd_stream *s,
		   char signature[static CLAMD_SIGNATURE_MAX + 1],
		   struct errmsg *why)
{
	char space[CLAMD_ANSWER_MAX], last[CLAMD_LENGTH];
	struct span answer = { NULL, 0 };
	enum err e = ERR_OK;

	clamd_length(0, last);
	if (!s->cut)
		e = say(s, (struct span) { last, sizeof(last) }, 0, why);
	if (e == ERR_OK || e == ERR_CLOSED)
		e = hear(s, space, &answer, why);
	if (e != ERR_OK)
		return e;
	e = clamd_answer_parse(answer, signature);
	if (e == ERR_INFECTED || (e == ERR_OK && !s->cut))
		return e;
	if (e == ERR_TOO_LARGE)
		return err_set(why, e,
			       "clamd: its StreamMaxLength is less than "
			       "CLAMD_MAX");
	return err_set(why, ERR_UNAVAILABLE, "clamd: it said \"%.*s\"",
		       SPAN_ARG(answer));
}
