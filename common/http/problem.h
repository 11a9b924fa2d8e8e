/* problem.h - errors as the client sees them: application/problem+json (RFC
 * 9457), or a page with the same sentences for a browser that opens an address
 * (problem_page.h). Only this module maps an error to a status. */
#ifndef PROBLEM_H
#define PROBLEM_H

#include "common/base/err.h"
#include "common/http/request.h"
#include "common/http/response.h"
#include "common/http/server_error.h"

/* Answer `rq` with the problem for `e`. The detail is the sentence that
 * response_explain() left in `rs`, else the default one. Replaces a response
 * that is not sent yet, except for headers marked by response_keep(); does
 * nothing once the first byte is sent. */
enum err problem_answer(const struct request *rq, struct response *rs,
			enum err e) MUST_CHECK;

/* Answer `rq`, which server_error_read() has recognized, in the server's place.
 * Its 500 becomes a 503, because another attempt may succeed; or 507 if the body
 * is larger than the free space of the folder in GATEHOUSE_SPOOL. Any of its 5xx
 * to the HEAD of a resumable upload becomes a 423: clients of tus take another
 * status for the loss of their upload. */
enum err problem_answer_server(const struct request *rq, struct response *rs,
			       const struct server_error *e) MUST_CHECK;

#endif
