/* workers.h - the worker threads of a FastCGI process: start, serve, drain. */
#ifndef WORKERS_H
#define WORKERS_H

#include "common/server/program.h"

/* Serve on descriptor 0 with THREADS threads until SIGTERM or SIGINT: then
 * accept no more requests, and give those under way DRAIN_SECONDS. If processes
 * share the socket, the first that gets the signal shuts it down for all; the
 * others get theirs within a second, or end by themselves.
 *
 * Returns the exit status of the process: 0, or EX_OSERR if another process has
 * shut down the socket. It exits by itself if no thread can be started
 * (EX_OSERR), and if requests had to be cut off, because their memory is in
 * use. */
int workers_serve(const struct program *p, const struct service *s);

#endif
