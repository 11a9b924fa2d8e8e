/* cors.h - allows pages of other origins to call this server (the CORS protocol
 * of the Fetch standard): none, unless CORS_ORIGINS names them. */
#ifndef CORS_H
#define CORS_H

#include "common/http/request.h"
#include "common/http/response.h"
#include "common/http/router.h"

/* Set the headers for the request's Origin if it is one of `origins` (separated
 * by spaces; "*" for all); problem responses keep them. Returns whether another
 * origin's page may read the response. */
bool cors_allow(const char *origins, const struct request *rq,
		struct response *rs);

/* Answer an OPTIONS request: 204, or rq->options_status, with Allow; the preflight of an allowed origin
 * also gets the methods and headers that it may send. ERR_NOT_FOUND for an
 * unknown path. */
enum err cors_options(const char *origins, const struct router *r,
		      const struct request *rq, struct response *rs) MUST_CHECK;

#endif
