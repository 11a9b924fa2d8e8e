#include "common/http/transport_cgi.h"

#include "common/base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ; /* defined by POSIX, declared by no header here */

enum {
	CGI_READ = 128 * 1024, /* bytes of one read(2) */
	CGI_WRITE = 64 * 1024, /* bytes gathered before a write */
	/* Limits on reading the rest of a refused body, in milliseconds:
	 * without input, and in total */
	CGI_LINGER_SILENCE = 2000,
	CGI_LINGER = 30 * 1000,
};

struct cgi {
	struct transport base;
	bool done;
	int64_t left; /* bytes of the body not yet read; -1: unknown */
	size_t filled;
	char in[CGI_READ];
	char out[CGI_WRITE];
};

static struct cgi *of(struct transport *t)
{
	return (struct cgi *)t;
}

bool transport_cgi_ready(void)
{
	return getenv("GATEWAY_INTERFACE") != NULL &&
	       getenv("REQUEST_METHOD") != NULL;
}

static enum err cgi_accept(struct transport *t)
{
	struct cgi *c = of(t);

	if (c->done)
		return ERR_CLOSED;
	c->done = true;
	if (!span_to_int(span_of(getenv("CONTENT_LENGTH")), &c->left))
		c->left = -1;
	return ERR_OK;
}

static const char *cgi_variable(struct transport *t, const char *name)
{
	(void)t;
	return getenv(name);
}

static size_t cgi_count(struct transport *t, const char *name)
{
	(void)t;
	return transport_count(environ, name);
}

/* Whether input or end of file arrives within `within` milliseconds */
static bool comes(int within)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&in, 1, within) != 0;
}

static enum err cgi_read(struct transport *t, struct span *chunk)
{
	struct cgi *c = of(t);
	size_t want = sizeof(c->in);
	ssize_t n;

	/* RFC 3875 4.2: never read more than CONTENT_LENGTH bytes; the server
	 * need not signal end of file */
	if (c->left >= 0 && (size_t)c->left < want)
		want = (size_t)c->left;
	if (want > 0 && t->silence_ms > 0 && !comes((int)t->silence_ms))
		return ERR_SLOW;
	do
		n = want > 0 ? read(STDIN_FILENO, c->in, want) : 0;
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return ERR_CLOSED;
	if (c->left >= 0)
		c->left -= n;
	*chunk = (struct span) { c->in, (size_t)n };
	return ERR_OK;
}

static bool cgi_ready(struct transport *t, int ms)
{
	(void)t;
	return comes(ms);
}

static enum err write_all(struct span bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(STDOUT_FILENO, bytes.p, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERR_CLOSED;
		bytes = span_from(bytes, (size_t)n);
	}
	return ERR_OK;
}

static enum err flush(struct cgi *c)
{
	struct span all = { c->out, c->filled };

	c->filled = 0;
	return write_all(all);
}

static enum err cgi_write(struct transport *t, struct span bytes)
{
	struct cgi *c = of(t);

	if (bytes.len > sizeof(c->out) - c->filled) {
		enum err e = flush(c);

		if (e != ERR_OK)
			return e;
	}
	if (bytes.len >= sizeof(c->out))
		return write_all(bytes);
	if (bytes.len > 0)
		memcpy(c->out + c->filled, bytes.p, bytes.len);
	c->filled += bytes.len;
	return ERR_OK;
}

/* Read the rest of a body that was refused. Apache's mod_cgid passes a socket
 * for both directions. Closing it while bytes of the body are unread resets the
 * connection, and the client would not receive the response. With a pipe or a
 * file, nothing is lost. The limits above bound how long a silent or slow
 * client can occupy the process. */
static void discard_rest(struct transport *t)
{
	int64_t end = clock_monotonic_ms() + CGI_LINGER, left = CGI_LINGER;
	struct span chunk;
	struct stat in;

	if (fstat(STDIN_FILENO, &in) != 0 || !S_ISSOCK(in.st_mode))
		return;
	while (left > 0 &&
	       comes(left < CGI_LINGER_SILENCE ? (int)left
					       : CGI_LINGER_SILENCE) &&
	       cgi_read(t, &chunk) == ERR_OK && chunk.len > 0)
		left = end - clock_monotonic_ms();
}

static enum err cgi_finish(struct transport *t)
{
	enum err e = flush(of(t));

	discard_rest(t);
	return e;
}

static void cgi_free(struct transport *t)
{
	free(t);
}

struct transport *transport_cgi_new(void)
{
	static const struct transport_ops ops = {
		.accept = cgi_accept,
		.variable = cgi_variable,
		.count = cgi_count,
		.read = cgi_read,
		.ready = cgi_ready,
		.write = cgi_write,
		.finish = cgi_finish,
		.free = cgi_free,
	};
	struct cgi *c = malloc(sizeof(*c));

	if (c == NULL)
		return NULL;
	c->base.ops = &ops;
	c->base.silence_ms = 0;
	c->done = false;
	c->left = -1;
	c->filled = 0;
	return (struct transport *)c; /* &c->base: a leak to -fanalyzer */
}
