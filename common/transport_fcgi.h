/* transport_fcgi.h - FastCGI 1.0 by libfcgi, on the listening socket that the
 * server or spawn-fcgi left as descriptor 0. */
#ifndef TRANSPORT_FCGI_H
#define TRANSPORT_FCGI_H

#include "transport.h"

/* True if descriptor 0 is a listening socket, so that transport_fcgi_new()
 * makes sense. Sets libfcgi up; call once, before any thread starts. */
bool transport_fcgi_ready(void);

/* One for each thread; all accept on the same socket. NULL when memory is
 * out. accept answers ERR_CLOSED when a signal interrupts it, and ERR_IO for
 * what may pass (no free descriptor). */
struct transport *transport_fcgi_new(void);

#endif
