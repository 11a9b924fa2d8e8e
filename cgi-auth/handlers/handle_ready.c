/* GET /readyz: ready to serve, for which the database must answer */
#include "cgi-auth/app/auth.h"
#include "common/server/health.h"

enum err handle_ready(void *app, struct request *rq, struct response *rs)
{
	struct auth *a = app;

	(void)rq;
	return health_ready(a->service->db, rs);
}
