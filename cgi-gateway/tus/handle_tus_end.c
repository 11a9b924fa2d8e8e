/* DELETE /tus/{id}: remove an upload, or the file that it has become. */
#include "cgi-gateway/tus/tus.h"
#include "cgi-gateway/tus/tus_complete.h"

static enum err remove_file(const struct app *app, struct response *rs,
			    const struct tus_caller *caller,
			    const struct tus_upload *u)
{
	enum err e =
		files_remove(app->db, caller->session, caller->owner,
			     span_of(u->id), &app->webhook_targets, &rs->why);

	if (e == ERR_OK)
		(void)!store_remove(app->store, u->id, &rs->why);
	return e;
}

static enum err remove_either(const struct app *app, struct response *rs,
			      const struct tus_caller *caller,
			      const struct tus_upload *u)
{
	return u->finished_at == TUS_UNFINISHED
		       ? tus_remove(app, u, &rs->why)
		       : remove_file(app, rs, caller, u);
}

enum err handle_tus_end(void *app_, struct request *rq, struct response *rs)
{
	const struct app *app = app_;
	struct tus_caller caller;
	struct tus_upload *u = arena_alloc(rq->arena, sizeof(*u));
	enum err e = u != NULL ? ERR_OK : ERR_MEMORY;

	if (e == ERR_OK)
		e = tus_begin(app, rq, rs, &caller);
	if (e == ERR_OK)
		e = tus_find(app, rq, &caller, u, &rs->why);
	if (e != ERR_OK)
		return e;
	e = remove_either(app, rs, &caller, u);
	/* It was completed, or got a length, since its row was read: retry once
	 */
	if (e == ERR_NOT_FOUND &&
	    tus_find(app, rq, &caller, u, &rs->why) == ERR_OK)
		e = remove_either(app, rs, &caller, u);
	return e == ERR_OK ? response_empty(rs, 204) : e;
}
