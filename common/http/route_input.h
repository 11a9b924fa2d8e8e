/* route_input.h - refuses what a client sent and no handler would read.
 *
 * A misspelled parameter that is ignored does something else than the client
 * asked for: ?max_downloads=1 would make a link without a limit. So a request
 * that changes something is refused for a query parameter that its route does
 * not name, and for a body if the route takes none (router.h).
 */
#ifndef ROUTE_INPUT_H
#define ROUTE_INPUT_H

#include "common/http/router.h"

/* Check the query and the body of `rq` before its handler runs. dispatch.c
 * calls this for every request.
 *
 *   ERR_INVALID     a query parameter is unknown, or occurs twice; a JSON body
 *                   has members although the route takes none
 *   ERR_MEDIA_TYPE  another body, although the route takes none
 *
 * Also the errors of body_unused(). GET and HEAD always pass. */
enum err route_input_check(const struct route *route, struct request *rq,
			   struct response *rs) MUST_CHECK;

#endif
