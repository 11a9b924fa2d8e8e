/* health.h - the answers of /healthz, /readyz and /metrics, common to both
 * programs. */
#ifndef HEALTH_H
#define HEALTH_H

#include "common/db/db.h"
#include "common/http/request.h"
#include "common/http/response.h"
#include "common/metrics/metrics.h"

/* Handle GET /healthz, a handler_fn: 200 shows that the process responds, no
 * more. */
enum err health_alive(void *app, struct request *rq, struct response *rs);

/* Do the last step of GET /readyz: ready if the database responds. A program
 * that needs more checks it first, and returns ERR_UNAVAILABLE if it fails. */
enum err health_ready(struct db *db, struct response *rs) MUST_CHECK;

/* Answer GET /metrics: all metrics in Prometheus' text format. */
enum err health_metrics(const struct metrics *m,
			struct response *rs) MUST_CHECK;

#endif
