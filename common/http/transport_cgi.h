/* transport_cgi.h - CGI/1.1 (RFC 3875): one request, from the environment and
 * standard input; the response goes to standard output. For shared hosting. */
#ifndef TRANSPORT_CGI_H
#define TRANSPORT_CGI_H

#include "common/http/transport.h"

/* Return true if the environment contains a request (GATEWAY_INTERFACE,
 * REQUEST_METHOD). */
bool transport_cgi_ready(void);

/* Return NULL when out of memory. The second accept returns ERR_CLOSED. */
struct transport *transport_cgi_new(void);

#endif
