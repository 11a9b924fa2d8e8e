/* origin.h - whether a request was made by a page of this site (RFC 6454).
 *
 * A browser writes the origin of the page into the header Origin, at least of
 * every request that is not GET or HEAD, and a page cannot change it. So a
 * request with a cookie is that of another site's page if its Origin is neither
 * ours nor one that the operator has listed.
 */
#ifndef ORIGIN_H
#define ORIGIN_H

#include "common/http/request.h"

struct origin_rules {
	const char *public_url; /* PUBLIC_URL, or "" */
	const char *listed;	/* CORS_ORIGINS; "*" lists no origin here */
	const char *trusted_proxies; /* TRUSTED_PROXIES */
};

/* True without an Origin, or if it is that of
 *
 *   - the host that the request names (Host), or that a trusted proxy names
 *     (X-Forwarded-Host), or of PUBLIC_URL
 *   - CORS_ORIGINS
 *
 * The scheme is not compared: a proxy may have terminated TLS. */
bool origin_is_ours(const struct request *rq, const struct origin_rules *rules);

/* Pure: whether `origin` ("https://host:port") is of `authority` ("host" or
 * "host:port", as in Host). Case does not count; nor does the port, if it is
 * the one of the scheme. */
bool origin_is_of(struct span origin, struct span authority);

#endif
