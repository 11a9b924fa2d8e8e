/* GET /usage: the bytes and files of a user, and the limits. */
#include "cgi-gateway/app/app.h"

#include "cgi-gateway/app/request_params.h"
#include "cgi-gateway/tables/file_json.h"
#include "cgi-gateway/tables/quota_unfinished.h"

static enum err respond_usage(struct response *rs, const struct usage *u,
			      const struct amount *unfinished)
{
	struct json_object *o = json_object_new_object();
	enum err e;

	if (o == NULL)
		return ERR_MEMORY;
	json_set_int(o, "bytes", u->bytes);
	json_set_int(o, "files", u->files);
	json_set_int(o, "unfinished_bytes", unfinished->bytes);
	json_set_int(o, "unfinished_files", unfinished->files);
	file_json_set_limit(o, "quota_bytes", u->limits.bytes);
	file_json_set_limit(o, "quota_files", u->limits.files);
	e = response_json(rs, 200, o);
	json_object_put(o);
	return e;
}

enum err handle_usage(void *app_, struct request *rq, struct response *rs)
{
	struct app *app = app_;
	struct amount unfinished;
	struct usage u;
	uint64_t owner;
	enum err e = request_owner(app, rq, rs, &owner);

	if (e == ERR_OK)
		e = quota_usage_and_unfinished(app->db, rq->session, owner,
					       &app->quota, &u, &unfinished,
					       &rs->why);
	return e == ERR_OK ? respond_usage(rs, &u, &unfinished) : e;
}
