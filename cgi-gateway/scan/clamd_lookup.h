/* clamd_lookup.h - looks up the addresses of clamd's host, with a deadline.
 *
 * getaddrinfo(3) has no deadline: a name server that does not respond can delay
 * it for a minute. So a name is looked up in its own thread. If that misses the
 * deadline, the caller abandons the look-up; its thread ends when getaddrinfo()
 * returns, and discards the result. No more than CLAMD_LOOKUPS_MAX look-ups run
 * at a time. A numeric address needs no thread.
 *
 * Nothing is cached: the address behind a name may change.
 */
#ifndef CLAMD_LOOKUP_H
#define CLAMD_LOOKUP_H

#include "cgi-gateway/parse/clamd_protocol.h"

#include <netdb.h>

enum {
	CLAMD_LOOKUPS_MAX = 8, /* including abandoned ones */
};

/* Look up the addresses of a->host and a->port for a stream socket, at least
 * one. `deadline` is in milliseconds of CLOCK_MONOTONIC. *out is owned:
 * freeaddrinfo(3).
 *
 *   ERR_UNAVAILABLE  the name has no address, the deadline has passed, or
 *                    CLAMD_LOOKUPS_MAX look-ups are running
 *   ERR_MEMORY */
enum err clamd_lookup(const struct clamd_address *a, int64_t deadline,
		      struct addrinfo **out, struct errmsg *why) MUST_CHECK;

#endif
