/* ask.h - one GET to a FastCGI program, over a connection of its own, within a
 * time. */
#ifndef ASK_H
#define ASK_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "fcgi-probe/address.h"
#include "fcgi-probe/answer.h"

enum {
	ASK_PATH_MAX = 1024, /* bytes of the path that is asked for */
};

/* Ask for `path`, and wait for the end of the answer `timeout_ms` milliseconds
 * in all. `text` takes the answer's first ANSWER_MAX bytes, which *out points
 * into.
 *
 *   ERR_TOO_LARGE    the path is over ASK_PATH_MAX
 *   ERR_UNAVAILABLE  nobody listens, or the time is up
 *   ERR_CLOSED       the program hung up before its answer was complete
 *   ERR_FORMAT       what listens there does not speak FastCGI
 *   ERR_LIMITED      it speaks it, and takes no request now
 *
 * `why` says which in words. */
enum err ask(const struct address *where, struct span path, int64_t timeout_ms,
	     struct buf *text, struct answer *out,
	     struct errmsg *why) MUST_CHECK;

#endif
