/* workers.h - the threads of a process that serve FastCGI, and how they end. */
#ifndef WORKERS_H
#define WORKERS_H

#include "common/server/program.h"

/* Serve on descriptor 0, with as many threads as THREADS says, until SIGTERM or
 * SIGINT: then let nobody new in, and give what is under way DRAIN_SECONDS.
 * Where the socket is shared, the first process that is told to end shuts it
 * for all; the others are told within a second, or end by themselves.
 *
 * Returns what the process has to exit with: 0, or EX_OSERR when somebody else
 * has shut the socket. Exits itself where no thread can be started (EX_OSERR),
 * and where requests had to be cut off, for their memory is in use. */
int workers_serve(const struct program *p, const struct service *s);

#endif
