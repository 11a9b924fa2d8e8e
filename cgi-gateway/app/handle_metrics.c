/* GET /metrics: the counters of this program. */
#include "cgi-gateway/app/app.h"

#include "common/server/health.h"

enum err handle_metrics(void *app_, struct request *rq, struct response *rs)
{
	struct app *app = app_;

	(void)rq;
	return health_metrics(app->metrics, rs);
}
