/* POST /upload and PUT /upload/{name}: upload files as a user. The response
 * describes them as JSON. */
#include "cgi-gateway/upload/upload_body.h"
#include "cgi-gateway/upload/upload_by_session.h"

enum err handle_upload(void *app, struct request *rq, struct response *rs)
{
	struct upload u;
	enum err e = upload_by_session_begin(&u, app, rq, rs);

	return e == ERR_OK ? upload_body_post(&u) : e;
}

enum err handle_upload_unnamed(void *app, struct request *rq,
			       struct response *rs)
{
	struct app *a = app;
	/* Asked first, no token has been looked up yet */
	enum err e = session_check_identify(a->db, rq->session, &rs->why);

	if (e != ERR_OK)
		return e;
	return response_explain(rs, ERR_FORMAT,
				"The name of the file is missing: PUT "
				"/upload/NAME.");
}

enum err handle_upload_named(void *app, struct request *rq, struct response *rs)
{
	struct upload u;
	enum err e = upload_by_session_begin(&u, app, rq, rs);

	return e == ERR_OK ? upload_body_put(&u, rq->param) : e;
}
