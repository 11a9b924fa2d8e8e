/* dispatch.h - one request from accept to log line. */
#ifndef DISPATCH_H
#define DISPATCH_H

#include "common/base/arena.h"
#include "common/http/transport.h"
#include "common/server/program.h"

/* Answer the request that `t` has accepted: route it, check its token, call its
 * handler, answer a failure with a problem, finish the request, write the log
 * line, reset the arena. */
void dispatch_run(const struct program *p, const struct service *s,
		  struct transport *t, struct arena *arena);

#endif
