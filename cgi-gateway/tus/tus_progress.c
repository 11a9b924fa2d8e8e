#include "cgi-gateway/tus/tus_progress.h"

#include "cgi-gateway/store/resumable.h"
#include "cgi-gateway/tus/tus_complete.h"

/* Read the offset from the store; if the upload is not there any more, read the
 * row again. Leaves *out unchanged for an upload that has finished. */
static enum err read_offset(const struct app *app, struct request *rq,
			    struct tus_caller *caller, struct tus_upload *u,
			    struct tus_progress *out, struct errmsg *why)
{
	enum err e;

	if (u->finished_at != TUS_UNFINISHED)
		return ERR_OK;
	e = resumable_offset(app->store, u->id, &out->offset, &out->written_at,
			     why);
	if (e != ERR_NOT_FOUND)
		return e;
	e = tus_find(app, rq, caller, u, why);
	if (e == ERR_OK && u->finished_at == TUS_UNFINISHED)
		return ERR_NOT_FOUND;
	return e;
}

/* Report a finished upload. ERR_NOT_FOUND if its file was deleted */
static enum err finished_progress(const struct app *app,
				  struct tus_caller *caller,
				  const struct tus_upload *u,
				  struct tus_progress *out, struct errmsg *why)
{
	struct file f;

	*out = (struct tus_progress) { u->length, u->finished_at };
	return files_find(app->db, caller->session, caller->owner,
			  span_of(u->id), &f, why);
}

enum err tus_progress(const struct app *app, struct request *rq,
		      struct response *rs, struct tus_caller *caller,
		      struct tus_upload *u, struct tus_progress *out)
{
	struct tus_progress p = { 0, 0 };
	enum err e = read_offset(app, rq, caller, u, &p, &rs->why);

	if (e == ERR_OK && u->finished_at != TUS_UNFINISHED) {
		e = finished_progress(app, caller, u, &p, &rs->why);
	} else if (e == ERR_OK && u->concat == TUS_WHOLE &&
		   p.offset == u->length) {
		p.written_at = request_time(rq);
		e = tus_complete(app, rq, rs, caller->session, u);
	}
	if (e == ERR_OK)
		*out = p;
	return e;
}
