/* problem.h - errors as the client sees them: application/problem+json (RFC
 * 9457). The only place that knows which status an error is. */
#ifndef PROBLEM_H
#define PROBLEM_H

#include "common/base/err.h"
#include "common/http/request.h"
#include "common/http/response.h"

/* Answer `rq` with the problem for `e`. The detail is what response_explain()
 * left in `rs`, else a sentence of our own. Replaces a half-made answer, but
 * for headers marked by response_keep(); does nothing once it has started. */
enum err problem_answer(const struct request *rq, struct response *rs,
			enum err e) MUST_CHECK;

#endif
