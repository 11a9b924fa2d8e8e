/* transport_fcgi.h - FastCGI 1.0 by libfcgi, on the listening socket that the
 * server or spawn-fcgi passed as descriptor 0. */
#ifndef TRANSPORT_FCGI_H
#define TRANSPORT_FCGI_H

#include "common/http/transport.h"

#include <signal.h>

/* The signal that interrupts a wait in accept. It is blocked in all other
 * calls, so it never interrupts a request. */
#define TRANSPORT_FCGI_WAKE SIGUSR1

/* Whether descriptor 0 is a listening socket, as transport_fcgi_new() needs it.
 * Initialises libfcgi, and blocks TRANSPORT_FCGI_WAKE in this thread and those
 * that it starts. Call once, before any thread starts. */
bool transport_fcgi_ready(void);

/* Refuse new connections before the program ends, so that clients can try
 * another server at once. accept still returns the connections in the queue,
 * then ERR_GONE. Returns false if the socket outlives the program (socket
 * activation by systemd): the queue is then left to the next process. */
bool transport_fcgi_refuse(void);

/* Make the transport of one thread; all accept on the same socket. NULL when
 * out of memory. accept returns ERR_CLOSED if TRANSPORT_FCGI_WAKE interrupts
 * it, ERR_GONE if this process or another one that shares the socket has shut
 * it down, and ERR_IO for a temporary failure (no free descriptor). */
struct transport *transport_fcgi_new(void);

#endif
