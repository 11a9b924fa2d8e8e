/* workers.h - the worker threads of a FastCGI process: start, serve, drain. */
#ifndef WORKERS_H
#define WORKERS_H

#include "common/server/program.h"

/* Serve on descriptor 0 until SIGTERM or SIGINT; then
 * refuse new connections and give requests in progress DRAIN_SECONDS. If the
 * socket is shared, the first process that is stopped shuts it down for all;
 * the others get their signal within a second, or end by themselves.
 *
 * Returns the exit status of the process: 0, or EX_OSERR if another process
 * shut down the socket. Exits itself if no thread can be started (EX_OSERR),
 * and if requests had to be cut off, because their memory is in use. */
int workers_serve(const struct program *p, struct service *s);

#endif
