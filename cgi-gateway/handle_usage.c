/* GET /usage: what one has, and may have. */
#include "app.h"

#include "record.h"

static enum err answer(struct response *rs, const struct usage *u)
{
	struct json_object *o = json_object_new_object();
	enum err e;

	if (o == NULL)
		return ERR_MEMORY;
	json_set_int(o, "bytes", u->bytes);
	json_set_int(o, "files", u->files);
	record_set_limit(o, "quota_bytes", u->limits.bytes);
	record_set_limit(o, "quota_files", u->limits.files);
	e = response_json(rs, 200, o);
	json_object_put(o);
	return e;
}

enum err handle_usage(void *app_, struct request *rq, struct response *rs)
{
	struct app *app = app_;
	struct caller who;
	struct usage u;
	uint64_t owner;
	enum err e = record_caller(app, rq, rs, "files:read", &who, &owner);

	if (e != ERR_OK)
		return e;
	e = quota_usage(app->db, &who, owner, &app->quota, &u, &rs->why);
	caller_known(app->db, &who, rq);
	if (e == ERR_OK)
		return answer(rs, &u);
	return caller_refused(app->db, rq, "files:read", e, &rs->why);
}
