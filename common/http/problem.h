/* problem.h - errors as the client sees them: application/problem+json (RFC
 * 9457). Only this module maps an error to a status. */
#ifndef PROBLEM_H
#define PROBLEM_H

#include "common/base/err.h"
#include "common/http/request.h"
#include "common/http/response.h"

/* Answer `rq` with the problem for `e`. The detail is the sentence that
 * response_explain() left in `rs`, else the default one. Replaces a response
 * that is not sent yet, except for headers marked by response_keep(); does
 * nothing once the first byte is sent. */
enum err problem_answer(const struct request *rq, struct response *rs,
			enum err e) MUST_CHECK;

#endif
