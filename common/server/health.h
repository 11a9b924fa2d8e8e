/* health.h - the answers of /healthz, /readyz and /metrics, common to both
 * programs. */
#ifndef HEALTH_H
#define HEALTH_H

#include "common/db/db.h"
#include "common/http/request.h"
#include "common/http/response.h"
#include "common/metrics/metrics.h"

/* GET /healthz, a handler_fn: it shows only that the process answers. */
enum err health_alive(void *app, struct request *rq, struct response *rs);

/* GET /readyz, its last step: ready if the database answers. A program that
 * depends on more checks that first, and returns ERR_UNAVAILABLE. */
enum err health_ready(struct db *db, struct response *rs) MUST_CHECK;

/* GET /metrics: everything counted, in Prometheus' text format. */
enum err health_metrics(const struct metrics *m,
			struct response *rs) MUST_CHECK;

#endif
