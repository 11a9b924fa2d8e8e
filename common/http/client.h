/* client.h - the address that a request comes from.
 *
 * The web server passes it as REMOTE_ADDR. Behind another proxy, that is the
 * address of the proxy, and X-Forwarded-For has the client's. Any client can
 * send that header, so it is read from its end, where each proxy appends the
 * address that it saw, as long as the addresses are in TRUSTED_PROXIES. The
 * first that is not is the client's; the rest is ignored.
 *
 * Pure. Addresses are IPv4, IPv6 (RFC 4291), and IPv4 mapped into IPv6, which
 * is read as IPv4; in the header optionally with a port, as some proxies write
 * it.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include "common/base/err.h"
#include "common/base/span.h"
#include "common/http/request.h"

enum {
	CLIENT_TEXT_MAX = 45, /* characters of any address, or of a /64 */
	CLIENT_HOPS_MAX = 32, /* proxies in a row that are read */
};

struct client {
	/* As inet_ntop(3) formats it; "" if the server passes none (a Unix
	 * socket) or a malformed one. */
	char address[CLIENT_TEXT_MAX + 1];
	/* The range of one subscriber: an IPv4 address, or the /64 of an IPv6
	 * address, such as "2001:db8::/64", because a client can use any
	 * address in its /64. */
	char network[CLIENT_TEXT_MAX + 1];
};

/* `trusted`: addresses and CIDR blocks with blanks between, "10.0.0.0/8 ::1".
 */
void client_parse(struct span remote, struct span forwarded,
		  struct span trusted, struct client *out);

/* The same for REMOTE_ADDR and X-Forwarded-For of a request. */
void client_of(const struct request *rq, const char *trusted,
	       struct client *out);

/* Whether the request was passed on by one of the `trusted`, so that what it
 * says of the client can be believed. */
bool client_is_proxy(const struct request *rq, const char *trusted);

enum {
	CLIENT_PREFIX_MAX = 200, /* bytes of a prefix that is used */
};

/* Return the path under which a proxy shows this server, and which it cuts off
 * before it passes a request on: X-Forwarded-Prefix, if REMOTE_ADDR is among
 * `trusted`; else the path of `public_url`. Without a slash at its end; empty
 * for none, and for a text that is not a path. Borrowed. */
struct span client_prefix(const struct request *rq, const char *trusted,
			  const char *public_url);

/* Whether a proxy passed the request on, as a header of it or HTTP/1.0 shows.
 * Not to be trusted: a client can send these too. */
bool client_uses_proxy(const struct request *rq);

/* Check a list for `trusted`. ERR_FORMAT: *bad is the invalid word. */
enum err client_check_trusted(struct span trusted, struct span *bad) MUST_CHECK;

#endif
