/* GET /readyz: store, virus scanner and database are available. Only the
 * internal listener has this route, so the response may name what is
 * unavailable. */
#include "cgi-gateway/app/app.h"

#include "common/server/health.h"

enum err handle_ready(void *app_, struct request *rq, struct response *rs)
{
	struct app *app = app_;

	(void)rq;
	if (store_ready(app->store, &rs->why) != ERR_OK)
		return ERR_UNAVAILABLE;
	if (content_scanner_ready(&app->content_scanner, &rs->why) != ERR_OK)
		return response_explain(rs, ERR_UNAVAILABLE,
					"The virus scanner (CLAMD) does not "
					"respond, so no file can be uploaded. "
					"Check that clamd is running.");
	return health_ready(app->db, rs);
}
