/* receivers.h - who is told what happens to files: EVENT_URLS, the addresses of
 * internal services, separated by blanks.
 *
 * An address is http:// or https://, a host, a port or none, a path or none. It
 * stands in the database, in logs and in reports as it is written, so a name
 * and password in it are refused: the signature says who we are (webhook.h).
 */
#ifndef RECEIVERS_H
#define RECEIVERS_H

#include "err.h"
#include "span.h"

enum {
	RECEIVERS_MAX = 8,	/* addresses */
	RECEIVER_URL_MAX = 255, /* bytes of each; as wide as its column */
};

struct receivers {
	size_t count; /* 0: nobody is told, and no event is written */
	char url[RECEIVERS_MAX][RECEIVER_URL_MAX + 1];
};

/* An empty list is one of nobody. ERR_CONFIG: `why` names the address and what
 * is wrong with it. */
enum err receivers_read(struct span list, struct receivers *out,
			struct errmsg *why) MUST_CHECK;

/* Whether `url` is among them, letter by letter. */
bool receivers_has(const struct receivers *r, const char *url);

#endif
