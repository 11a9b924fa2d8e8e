/* client.h - the address that a request comes from.
 *
 * lighttpd says it in REMOTE_ADDR. Where it stands behind another proxy, that
 * is the proxy's, and the client's stands in X-Forwarded-For, which anyone may
 * write: so that header is read from its end (each proxy appends what it saw),
 * and only as far as those who wrote it are in TRUSTED_PROXIES. The first
 * address that is not is the client's, whatever stands before it.
 *
 * Pure. Addresses are IPv4, IPv6 (RFC 4291), and IPv4 mapped into IPv6, which
 * is the IPv4 one; in the header also with a port, as some proxies write it.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include "common/base/err.h"
#include "common/base/span.h"
#include "common/http/request.h"

enum {
	CLIENT_TEXT_MAX = 45, /* characters of any address, or of a /64 */
	CLIENT_HOPS_MAX = 32, /* proxies in a row that are looked at */
};

struct client {
	/* As inet_ntop(3) writes it; "" when the server does not say (a Unix
	 * socket) or says nonsense. */
	char address[CLIENT_TEXT_MAX + 1];
	/* What one subscriber has: the address, or for IPv6 its /64, as
	 * "2001:db8::/64"; within that, one can have any address. */
	char network[CLIENT_TEXT_MAX + 1];
};

/* `trusted`: addresses and CIDR blocks with blanks between, "10.0.0.0/8 ::1".
 */
void client_parse(struct span remote, struct span forwarded,
		  struct span trusted, struct client *out);

/* The same with REMOTE_ADDR and X-Forwarded-For of a request. */
void client_of(const struct request *rq, const char *trusted,
	       struct client *out);

/* Is this a list for `trusted`? ERR_FORMAT: *bad is the word that is not. */
enum err client_check_trusted(struct span trusted, struct span *bad) MUST_CHECK;

#endif
