/* routes.h - the routes of cgi-gateway: which handler, which scope, and when
 * the session of the token is checked (router.h).
 */
#ifndef ROUTES_H
#define ROUTES_H

#include "common/http/router.h"

enum { GATEWAY_ROUTES = 29 };

extern const struct route gateway_routes[GATEWAY_ROUTES];

#endif
