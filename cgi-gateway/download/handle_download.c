/* GET /download/{id} and GET /download?fid={id}. */
#include "cgi-gateway/app/request_params.h"
#include "cgi-gateway/download/send_file.h"

static enum err read_id(struct request *rq, struct response *rs,
			struct span *out)
{
	enum err e;

	if (rq->param.len > 0) {
		*out = rq->param;
		return ERR_OK;
	}
	e = request_query(rq, "fid", out);
	if (e == ERR_NOT_FOUND)
		return response_explain(rs, ERR_FORMAT,
					"fid is required: the id of a file, as "
					"in /download?fid=ID.");
	return e;
}

enum err handle_download(void *app_, struct request *rq, struct response *rs)
{
	struct app *app = app_;
	struct send_file s;
	struct file f;
	struct span id;
	uint64_t owner;
	enum err e = read_id(rq, rs, &id);

	if (e == ERR_OK)
		e = request_owner(app, rq, rs, &owner);
	if (e == ERR_OK)
		e = files_find(app->db, rq->session, owner, id, &f, &rs->why);
	if (e != ERR_OK)
		return e;
	send_file_plan(&s, rq, &f);
	return send_file_respond(&s, app, rq, rs);
}
