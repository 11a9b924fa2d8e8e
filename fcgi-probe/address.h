/* address.h - where a FastCGI program listens, as a person writes it. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include "common/base/err.h"

#include <sys/socket.h>

struct address {
	struct sockaddr_storage at;
	socklen_t len;
};

/* "/run/x.sock" is a Unix socket; "127.0.0.1:9000", "[::1]:9000" is TCP. An
 * address and no name: to look one up could take longer than a probe may.
 * ERR_INVALID: `why` says what would be right; *out is untouched. */
enum err address_parse(const char *text, struct address *out,
		       struct errmsg *why) MUST_CHECK;

#endif
