/* transport.h - one request in, one answer out, whichever way it came.
 *
 * Implementations: transport_fcgi (libfcgi, under lighttpd, spawn-fcgi),
 * transport_cgi (a process per request), and one in tests/unit that needs no
 * server. The order of calls is
 *
 *	accept, { variable | read }*, write*, finish, accept, ...
 *
 * A transport belongs to one thread.
 */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include "common/base/err.h"
#include "common/base/span.h"

struct transport;

struct transport_ops {
	/* Wait for a request. ERR_GONE: there will be no more. ERR_CLOSED: none
	 * came, look whether to stop. ERR_IO: this one could not be read; the
	 * next may be fine. */
	enum err (*accept)(struct transport *t);

	/* A CGI variable (RFC 3875 4.1), or NULL; valid until finish. */
	const char *(*variable)(struct transport *t, const char *name);

	/* How often the variable stands there. CGI writes several spellings of
	 * a header as one name ("X-A", "X_A", "X.A"), and a server may pass on
	 * each of them: then nobody knows which one a proxy vouches for. */
	size_t (*count)(struct transport *t, const char *name);

	/* The next bytes of the body, where they lie: valid until the next
	 * read. chunk->len is 0 at the end of the body, announced or not. */
	enum err (*read)(struct transport *t, struct span *chunk);

	/* Whether read() would answer without waiting for the client. */
	bool (*ready)(struct transport *t);

	/* Bytes of the answer, CGI header lines first (RFC 3875 6).
	 * ERR_CLOSED when nobody takes them any more. */
	enum err (*write)(struct transport *t, struct span bytes);

	/* Send what is buffered and end the exchange. */
	enum err (*finish)(struct transport *t);

	void (*free)(struct transport *t);
};

/* What implementations embed as their first member. */
struct transport {
	const struct transport_ops *ops;
};

/* How many of the "NAME=value" strings of a NULL-terminated list have `name`.
 */
size_t transport_count(char *const *list, const char *name);

#endif
