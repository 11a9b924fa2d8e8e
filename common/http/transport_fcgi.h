/* transport_fcgi.h - FastCGI 1.0 by libfcgi, on the listening socket that the
 * server or spawn-fcgi left as descriptor 0. */
#ifndef TRANSPORT_FCGI_H
#define TRANSPORT_FCGI_H

#include "common/http/transport.h"

#include <signal.h>

/* The signal that ends a wait in accept and nothing else: it is blocked in all
 * other calls, so a request under way never sees it. */
#define TRANSPORT_FCGI_WAKE SIGUSR1

/* True if descriptor 0 is a listening socket, so that transport_fcgi_new()
 * makes sense. Sets libfcgi up, and blocks TRANSPORT_FCGI_WAKE for this thread
 * and those that it makes; call once, before any thread starts. */
bool transport_fcgi_ready(void);

/* Take no new connections, for the program is about to end: whoever tries is
 * refused at once and can turn elsewhere, while those that wait already are
 * still handed out by accept, and then it answers ERR_GONE. False where the
 * socket is not ours to shut, for it outlives us (socket activation by
 * systemd): there, what waits is left to our successor. */
bool transport_fcgi_refuse(void);

/* One for each thread; all accept on the same socket. NULL when memory is
 * out. accept answers ERR_CLOSED when TRANSPORT_FCGI_WAKE interrupts it,
 * ERR_GONE when the socket is shut, by us or by another process that has it,
 * and ERR_IO for what may pass (no free descriptor). */
struct transport *transport_fcgi_new(void);

#endif
