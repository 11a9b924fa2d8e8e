/* clamd_lookup.h - the addresses of clamd's host, by a deadline.
 *
 * getaddrinfo(3) has no deadline: a name server that does not respond can delay
 * it for a minute. So a name is looked up in a thread of its own. If that is
 * late, the caller returns and abandons the look-up; its thread ends when
 * getaddrinfo() returns, and discards the result. There are never more than
 * CLAMD_LOOKUPS_MAX of these threads. A numeric address needs no thread.
 *
 * Nothing is cached: the address behind a name may change.
 */
#ifndef CLAMD_LOOKUP_H
#define CLAMD_LOOKUP_H

#include "cgi-gateway/parse/clamd_protocol.h"

#include <netdb.h>

enum {
	CLAMD_LOOKUPS_MAX = 8, /* threads, those of abandoned look-ups too */
};

/* The addresses of a->host and a->port for a stream socket, at least one.
 * `deadline` is in milliseconds of CLOCK_MONOTONIC. *out is owned:
 * freeaddrinfo(3).
 *
 *   ERR_UNAVAILABLE  the name has no address, the deadline has passed, or
 *                    CLAMD_LOOKUPS_MAX look-ups are running
 *   ERR_MEMORY
 */
enum err clamd_lookup(const struct clamd_address *a, int64_t deadline,
		      struct addrinfo **out, struct errmsg *why) MUST_CHECK;

#endif
