/* exchange.h - one request from accept to log line. */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "arena.h"
#include "serve.h"
#include "transport.h"

/* Answer the request that `t` has accepted: route it, check its token, call its
 * handler, turn a failure into a problem, end the exchange, write the log line,
 * reset the arena. */
void exchange_run(const struct program *p, const struct service *s,
		  struct transport *t, struct arena *arena);

#endif
