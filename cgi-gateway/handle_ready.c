/* GET /readyz: able to serve, that is, to store and to find. */
#include "app.h"

#include "health.h"

enum err handle_ready(void *app_, struct request *rq, struct response *rs)
{
	struct app *app = app_;

	(void)rq;
	if (store_ready(app->store, &rs->why) != ERR_OK)
		return ERR_UNAVAILABLE;
	return health_ready(app->db, rs);
}
