/* cors.h - which pages of other origins may call us (the Fetch standard's CORS
 * protocol). None, unless CORS_ORIGINS names them. */
#ifndef CORS_H
#define CORS_H

#include "common/http/request.h"
#include "common/http/response.h"
#include "common/http/router.h"

/* Put the headers for the request's Origin, if it is one of `origins` (space
 * separated; "*" for all), and keep them through problems. True if the request
 * may be answered across origins. */
bool cors_allow(const char *origins, const struct request *rq,
		struct response *rs);

/* Answer an OPTIONS request: 204 with Allow, and for an allowed origin's
 * preflight with what it may send. ERR_NOT_FOUND for an unknown path. */
enum err cors_options(const char *origins, const struct router *r,
		      const struct request *rq, struct response *rs) MUST_CHECK;

#endif
