/* transport_fcgi.h - FastCGI 1.0 by libfcgi, on the listening socket that the
 * server or spawn-fcgi passed as descriptor 0. */
#ifndef TRANSPORT_FCGI_H
#define TRANSPORT_FCGI_H

#include "common/http/transport.h"

#include <signal.h>

/* The signal that interrupts transport_fcgi_wait(). Send it to a thread only
 * while that waits there: it would interrupt the calls of a request, too. */
#define TRANSPORT_FCGI_WAKE SIGUSR1

/* Whether descriptor 0 is a listening socket, as transport_fcgi_new() needs it.
 * Initialises libfcgi. Call once, before any thread starts. */
bool transport_fcgi_ready(void);

/* Refuse new connections before the program ends, so that clients can try
 * another server at once. transport_fcgi_wait() still returns the connections in
 * the queue, then ERR_GONE. Returns false if the socket outlives the program
 * (socket activation by systemd): the queue is then left to the next process. */
bool transport_fcgi_refuse(void);

/* Make the transport of one thread; all use the same socket. NULL when out of
 * memory. */
struct transport *transport_fcgi_new(void);

/* Wait for a connection, whose request is then read by accept.
 *
 *   ERR_CLOSED      TRANSPORT_FCGI_WAKE interrupted the wait, or the connection
 *                   broke before it was accepted
 *   ERR_GONE        this process or another one that shares the socket has shut
 *                   it down
 *   ERR_OVERLOADED  no descriptor or memory is left at this moment
 *   ERR_IO          another failure */
enum err transport_fcgi_wait(struct transport *t) MUST_CHECK;

#endif
