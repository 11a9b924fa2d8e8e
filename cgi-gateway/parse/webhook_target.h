/* webhook_target.h - the targets of events: EVENT_URLS, the addresses of
 * internal services, separated by blanks.
 *
 * An address is http:// or https://, a host, an optional port and an optional
 * path. It appears in the database, in logs and in reports as written, so a
 * user or password in it is refused: the signature shows who we are
 * (webhook.h).
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
	size_t count; /* 0: no targets, and no event is written */
	char url[WEBHOOK_TARGETS_MAX][WEBHOOK_TARGET_URL_MAX + 1];
};

/* Parse EVENT_URLS; an empty list is valid and has no targets. ERR_CONFIG:
 * `why` has the number of the address and what is wrong with it. */
enum err webhook_targets_read(struct span list, struct webhook_targets *out,
			      struct errmsg *why) MUST_CHECK;

/* Whether `url` is among them, as exactly the same text. */
bool webhook_targets_has(const struct webhook_targets *r, const char *url);

#endif
