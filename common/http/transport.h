/* transport.h - one request in, one response out, over FastCGI or CGI.
 *
 * Implementations: transport_fcgi (libfcgi, under lighttpd or spawn-fcgi),
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

#include <stdint.h>

struct transport;

struct transport_ops {
	/* Wait for a request. ERR_GONE: there will be no further requests.
	 * ERR_CLOSED: the wait was interrupted. ERR_IO: this request could not
	 * be read; the next may succeed. */
	enum err (*accept)(struct transport *t);

	/* Return a CGI variable (RFC 3875 4.1), or NULL; valid until finish. */
	const char *(*variable)(struct transport *t, const char *name);

	/* Return how many times the variable occurs. CGI maps several spellings
	 * of a header to one name ("X-A", "X_A", "X.A"), and a server may pass
	 * all of them: then it is unknown which one a trusted proxy has set. */
	size_t (*count)(struct transport *t, const char *name);

	/* Return the next bytes of the body, not copied, valid until the next
	 * read. chunk->len is 0 at the end of the body, announced or not.
	 * ERR_SLOW: none came for silence_ms. Errors of worker_pace(). */
	enum err (*read)(struct transport *t, struct span *chunk);

	/* Whether read() would return without waiting for the client, now or
	 * within `ms` milliseconds: this waits until then. */
	bool (*ready)(struct transport *t, int ms);

	/* Send bytes of the response, CGI header lines first (RFC 3875 6).
	 * ERR_CLOSED if the server has closed the connection. Errors of
	 * worker_pace(), if the server does not read it. */
	enum err (*write)(struct transport *t, struct span bytes);

	/* Flush the response and end the request. ERR_CLOSED if the rest could
	 * not be sent. */
	enum err (*finish)(struct transport *t);

	void (*free)(struct transport *t);
};

/* Implementations embed this as their first member. */
struct transport {
	const struct transport_ops *ops;
	/* How long read() waits for a byte; 0: as long as the server. Set it
	 * after accept. */
	int64_t silence_ms;
};

/* Count the "NAME=value" strings of a NULL-terminated list whose name is
 * `name`. */
size_t transport_count(char *const *list, const char *name);

#endif
