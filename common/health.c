#include "health.h"

static enum err answer(struct response *rs, const char *status)
{
	struct json_object *o = json_object_new_object();
	enum err e;

	if (o == NULL)
		return ERR_MEMORY;
	json_set_str(o, "status", status);
	e = response_json(rs, 200, o);
	json_object_put(o);
	return e;
}

enum err health_alive(void *app, struct request *rq, struct response *rs)
{
	(void)app;
	(void)rq;
	return answer(rs, "ok");
}

enum err health_ready(struct db *db, struct response *rs)
{
	enum err e = db_ping(db, &rs->why);

	return e == ERR_OK ? answer(rs, "ready") : ERR_UNAVAILABLE;
}
