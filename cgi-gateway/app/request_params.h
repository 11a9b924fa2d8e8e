/* request_params.h - the parameters that several routes share. */
#ifndef REQUEST_PARAMS_H
#define REQUEST_PARAMS_H

#include "cgi-gateway/app/app.h"
#include "common/access/session_check.h"
#include "common/http/request.h"
#include "common/http/response.h"

/* Read ?owner=: *owner is 0 for the caller's own files, else the user whose
 * files the request is about, which the scope "admin" allows. ERR_SCOPE;
 * ERR_INVALID for an owner that is not a user's number. */
enum err request_owner(const struct app *app, struct request *rq,
		       struct response *rs, uint64_t *owner) MUST_CHECK;

/* Find the file that the path names (rq->param), of the owner in ?owner=.
 * Errors of request_owner() and files_find(). */
enum err request_file(const struct app *app, struct request *rq,
		      struct response *rs, struct file *out) MUST_CHECK;

/* Compute the time of expiry, `seconds` from now. If that is not 1 second to 10
 * years, return ERR_INVALID after response_explain(). */
enum err request_expiry(const struct request *rq, struct response *rs,
			int64_t seconds, int64_t *out) MUST_CHECK;

#endif
