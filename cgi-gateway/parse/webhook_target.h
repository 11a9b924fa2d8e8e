/* webhook_target.h - EVENT_URLS: the addresses of the services that get the
 * events of files, separated by blanks.
 *
 * An address is http:// or https://, a host, an optional port and an optional
 * path. The database, logs and reports show it as it is written, so a user name
 * or password in it is refused: requests are signed instead (webhook.h).
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
	size_t count; /* 0: no event is written */
	char url[WEBHOOK_TARGETS_MAX][WEBHOOK_TARGET_URL_MAX + 1];
};

/* An empty list is valid. ERR_CONFIG: `why` has the number of the address and
 * what is wrong with it. */
enum err webhook_targets_read(struct span list, struct webhook_targets *out,
			      struct errmsg *why) MUST_CHECK;

/* Whether `url` is one of them, byte for byte. */
bool webhook_targets_has(const struct webhook_targets *r, const char *url);

#endif
