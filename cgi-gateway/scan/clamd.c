#include "cgi-gateway/scan/clamd.h"

#include "cgi-gateway/scan/clamd_lookup.h"
#include "common/base/clock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	/* before connecting again to a Unix socket whose queue is full */
	BUSY_MS = 20,
};

/* Wait until `deadline`; return the ready ones of `events` (or an error), 0 if
 * none */
static int wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left;
	int n;

	while ((left = deadline - clock_monotonic_ms()) > 0) {
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
	int number = errno;

	return err_set(why, ERR_UNAVAILABLE, "clamd: %s: %s%s", doing,
		       strerror(number), err_hint_of_errno(number));
}

/* --- connecting ----------------------------------------------------------- */

/* 0, or an errno value */
static int connect_by(int fd, const struct sockaddr *to, socklen_t len,
		      int64_t deadline)
{
	socklen_t size = sizeof(int);
	int error = 0;

	while (connect(fd, to, len) != 0) {
		if (errno == EAGAIN && clock_monotonic_ms() < deadline)
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

/* Return a connected socket, or -1 and errno */
static int socket_connect(int family, const struct sockaddr *to, socklen_t len,
			  int64_t deadline)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error;

	if (fd < 0)
		return -1;
	error = connect_by(fd, to, len, deadline);
	if (error == 0)
		return fd;
	(void)close(fd);
	errno = error;
	return -1;
}

static int connect_path(const char *path, int64_t deadline)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	return socket_connect(AF_UNIX, (const struct sockaddr *)&a, sizeof(a),
			      deadline);
}

/* Connect to the first address that accepts. Each gets an equal share of the
 * remaining time, so that one that does not respond leaves time for the next.
 */
static int connect_any(const struct addrinfo *list, int64_t deadline)
{
	int64_t left = 0;
	int fd = -1;

	for (const struct addrinfo *i = list; i != NULL; i = i->ai_next)
		left++;
	for (const struct addrinfo *i = list; i != NULL && fd < 0;
	     i = i->ai_next, left--) {
		int64_t now = clock_monotonic_ms();

		fd = socket_connect(i->ai_family, i->ai_addr, i->ai_addrlen,
				    now + (deadline - now) / left);
	}
	return fd;
}

static enum err connect_address(const struct clamd_address *a, int64_t deadline,
				int *out, struct errmsg *why)
{
	struct addrinfo *found = NULL;
	enum err e = ERR_OK;
	int fd;

	if (a->path[0] != '\0') {
		fd = connect_path(a->path, deadline);
	} else {
		e = clamd_lookup(a, deadline, &found, why);
		if (e != ERR_OK)
			return e;
		fd = connect_any(found, deadline);
	}
	if (fd < 0)
		e = failed("connect", why);
	else
		*out = fd;
	if (found != NULL)
		freeaddrinfo(found);
	return e;
}

static enum err stream_open(const struct clamd *d, int64_t seconds,
			    struct clamd_stream *s, struct errmsg *why)
{
	int64_t connected_by =
		seconds < CLAMD_CONNECT ? seconds : CLAMD_CONNECT;
	int64_t now = clock_monotonic_ms();

	*s = (struct clamd_stream) {
		.fd = -1,
		.deadline = now + seconds * 1000,
	};
	return connect_address(&d->address, now + connected_by * 1000, &s->fd,
			       why);
}

void clamd_close(struct clamd_stream *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
}

/* --- commands ------------------------------------------------------------- */

/* Send bytes. ERR_CLOSED as soon as clamd replies or closes the connection: it
 * replies only when it stops reading */
static enum err stream_send(struct clamd_stream *s, struct span bytes,
			    int flags, struct errmsg *why)
{
	while (bytes.len > 0) {
		int ready = wait_for(s->fd, POLLIN | POLLOUT, s->deadline);
		ssize_t n;

		if (ready == 0)
			return timed_out("sending", why);
		if ((ready & ~POLLOUT) != 0)
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

/* Receive a reply up to its NUL. Without a NUL it is not a reply. */
static enum err stream_receive(struct clamd_stream *s,
			       char space[static CLAMD_REPLY_MAX],
			       struct span *out, struct errmsg *why)
{
	struct span all = { space, 0 };
	size_t end = 0;

	while (all.len < CLAMD_REPLY_MAX) {
		ssize_t n;

		if (wait_for(s->fd, POLLIN, s->deadline) == 0)
			return timed_out("waiting for the reply", why);
		n = recv(s->fd, space + all.len, CLAMD_REPLY_MAX - all.len, 0);
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
	return err_set(why, ERR_UNAVAILABLE,
		       "clamd: closed the connection without a reply");
}

enum err clamd_ping(const struct clamd *d, struct errmsg *why)
{
	char space[CLAMD_REPLY_MAX];
	struct clamd_stream s;
	struct span reply = { NULL, 0 };
	enum err e = stream_open(d, CLAMD_CONNECT, &s, why);

	if (e == ERR_OK)
		e = stream_send(&s, SPAN("zPING\0"), 0, why);
	if (e == ERR_OK || e == ERR_CLOSED)
		e = stream_receive(&s, space, &reply, why);
	if (e == ERR_OK && !span_eq(reply, SPAN("PONG")))
		e = err_set(why, ERR_UNAVAILABLE,
			    "clamd: unexpected reply \"%.*s\" to PING",
			    SPAN_ARG(reply));
	clamd_close(&s);
	return e;
}

enum err clamd_begin(const struct clamd *d, struct clamd_stream *s,
		     struct errmsg *why)
{
	enum err e = stream_open(d, d->timeout, s, why);

	if (e == ERR_OK)
		e = stream_send(s, SPAN("zINSTREAM\0"), 0, why);
	if (e == ERR_CLOSED)
		e = err_set(why, ERR_UNAVAILABLE,
			    "clamd: closed the connection immediately");
	return e;
}

enum err clamd_send(struct clamd_stream *s, struct span piece,
		    struct errmsg *why)
{
	char length[CLAMD_LENGTH];
	enum err e;

	clamd_length((uint32_t)piece.len, length);
	e = stream_send(s, (struct span) { length, sizeof(length) }, MSG_MORE,
			why);
	if (e == ERR_OK)
		e = stream_send(s, piece, 0, why);
	s->cut_short = e == ERR_CLOSED;
	return e;
}

enum err clamd_end(struct clamd_stream *s,
		   char signature[static CLAMD_SIGNATURE_MAX + 1],
		   struct errmsg *why)
{
	char space[CLAMD_REPLY_MAX], last[CLAMD_LENGTH];
	struct span reply = { NULL, 0 };
	enum err e = ERR_OK;

	clamd_length(0, last);
	if (!s->cut_short)
		e = stream_send(s, (struct span) { last, sizeof(last) }, 0,
				why);
	if (e == ERR_OK || e == ERR_CLOSED)
		e = stream_receive(s, space, &reply, why);
	if (e != ERR_OK)
		return e;
	e = clamd_reply_parse(reply, signature);
	if (e == ERR_INFECTED || (e == ERR_OK && !s->cut_short))
		return e;
	if (e == ERR_TOO_LARGE)
		return err_set(why, e,
			       "clamd: its StreamMaxLength is less than "
			       "CLAMD_MAX");
	return err_set(why, ERR_UNAVAILABLE, "clamd: replied \"%.*s\"",
		       SPAN_ARG(reply));
}
