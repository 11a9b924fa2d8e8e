/* request_params.h - the query parameters that several routes share. */
#ifndef REQUEST_PARAMS_H
#define REQUEST_PARAMS_H

#include "cgi-gateway/app/app.h"
#include "common/access/session_check.h"
#include "common/http/request.h"
#include "common/http/response.h"

/* Prepare *who for the session of the request, and read ?owner=: *owner is the
 * user whose files the request is about, 0 for the session's own user. Another
 * user's needs the scope "admin". `scope` is the route's. ERR_SCOPE; ERR_INVALID
 * if it is not the id of a user. After an error *owner is 0. */
enum err request_owner(const struct app *app, struct request *rq,
		       struct response *rs, const char *scope,
		       struct session_check *who, uint64_t *owner) MUST_CHECK;

/* The time `seconds` from now. ERR_INVALID, explained, unless that is from 1
 * second to 10 years. */
enum err request_expiry(const struct request *rq, struct response *rs,
			int64_t seconds, int64_t *out) MUST_CHECK;

#endif
