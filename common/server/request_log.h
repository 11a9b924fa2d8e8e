/* request_log.h - the log line and the metrics of a request. */
#ifndef REQUEST_LOG_H
#define REQUEST_LOG_H

#include "common/server/program.h"

/* Write the log line of a request that ended with `e`, after `us` microseconds.
 * It shows the path of a known route only, and no secret. */
void request_log_write(const struct program *p, const struct request *rq,
		       const struct response *rs, enum err e, int64_t us);

/* Count it. Call this before the client can have the whole response, so that a
 * request for the metrics after it includes this one. */
void request_log_count(const struct program *p, const struct service *s,
		       const struct request *rq, const struct response *rs,
		       int64_t us);

#endif
