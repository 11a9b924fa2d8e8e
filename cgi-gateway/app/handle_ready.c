/* GET /readyz: able to serve, that is, to store and to find. Only the internal
 * listener has it, so the answer may say what is away. */
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
					"answer, so no file can be uploaded.");
	return health_ready(app->db, rs);
}
