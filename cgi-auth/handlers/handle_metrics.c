/* GET /metrics: the counters of this program */
#include "cgi-auth/app/auth.h"
#include "common/server/health.h"

enum err handle_metrics(void *app, struct request *rq, struct response *rs)
{
	struct auth *a = app;

	(void)rq;
	return health_metrics(a->service->metrics, rs);
}
