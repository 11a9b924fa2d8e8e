/* webhook_target.h - who is told what happens to files: EVENT_URLS, the
 * addresses of internal services, separated by blanks.
 *
 * An address is http:// or https://, a host, a port or none, a path or none. It
 * stands in the database, in logs and in reports as it is written, so a name
 * and password in it are refused: the signature says who we are (webhook.h).
 */
#ifndef WEBHOOK_TARGET_H
#define WEBHOOK_TARGET_H

#include "common/base/err.h"
#include "common/base/span.h"

enum {
	WEBHOOK_TARGETS_MAX = 8,      /* addresses */
	WEBHOOK_TARGET_URL_MAX = 255, /* bytes of each; as wide as its column */
};

struct webhook_targets {
	size_t count; /* 0: nobody is told, and no event is written */
	char url[WEBHOOK_TARGETS_MAX][WEBHOOK_TARGET_URL_MAX + 1];
};

/* An empty list is one of nobody. ERR_CONFIG: `why` names the address and what
 * is wrong with it. */
enum err webhook_targets_read(struct span list, struct webhook_targets *out,
			      struct errmsg *why) MUST_CHECK;

/* Whether `url` is among them, letter by letter. */
bool webhook_targets_has(const struct webhook_targets *r, const char *url);

#endif
