/* PATCH /tus/{id}: append bytes to an upload. */
#include "cgi-gateway/tus/tus_complete.h"
#include "cgi-gateway/tus/tus_problem.h"
#include "cgi-gateway/tus/tus_progress.h"
#include "cgi-gateway/tus/tus_receive.h"

/* Answer for an upload that no longer accepts bytes. A client that missed the
 * last response may repeat the request with the right offset and an empty body.
 */
static enum err confirm_complete(const struct app *app, struct request *rq,
				 struct response *rs, struct tus_caller *caller,
				 struct tus_upload *u, int64_t offset)
{
	struct tus_progress p = { 0, 0 };
	enum err e = tus_progress(app, rq, rs, caller, u, &p);

	if (e != ERR_OK)
		return e;
	if (u->concat == TUS_FINAL)
		return tus_problem_joined(rs);
	if (p.offset != offset)
		return tus_problem_offset(rs, p.offset);
	if (rq->content_length > 0)
		return tus_problem_complete(rs, p.offset);
	return ERR_OK;
}

static enum err append_body(struct app *app, struct request *rq,
			    struct response *rs, struct tus_caller *caller,
			    struct tus_upload *u, const struct tus_body *body,
			    int64_t *offset)
{
	enum err e = tus_length_check(body, u, app->max_upload, rs);

	if (e == ERR_OK)
		e = tus_receive(app, rq, rs, caller->session, u, body, offset);
	if (e == ERR_OK && *offset == u->length && u->concat == TUS_WHOLE)
		e = tus_complete(app, rq, rs, caller->session, u);
	return e;
}

static enum err append_or_confirm(struct app *app, struct request *rq,
				  struct response *rs,
				  struct tus_caller *caller,
				  struct tus_upload *u,
				  const struct tus_body *body, int64_t *offset)
{
	enum err e;

	if (u->finished_at != TUS_UNFINISHED)
		return confirm_complete(app, rq, rs, caller, u, body->offset);
	e = append_body(app, rq, rs, caller, u, body, offset);
	if (e != ERR_NOT_FOUND)
		return e;
	/* Another request has completed or removed it since its row was read */
	e = tus_find(app, rq, caller, u, &rs->why);
	return e == ERR_OK
		       ? confirm_complete(app, rq, rs, caller, u, body->offset)
		       : e;
}

enum err handle_tus_bytes(void *app_, struct request *rq, struct response *rs)
{
	struct app *app = app_;
	struct tus_caller caller;
	struct tus_upload *u = arena_alloc(rq->arena, sizeof(*u));
	struct tus_body body = { 0, TUS_LENGTH_UNKNOWN };
	int64_t offset = 0;
	enum err e = u != NULL ? ERR_OK : ERR_MEMORY;

	if (e == ERR_OK)
		e = tus_begin(app, rq, rs, &caller);
	if (e == ERR_OK)
		e = tus_patch_read(rq, rs, &body);
	if (e == ERR_OK)
		e = tus_find(app, rq, &caller, u, &rs->why);
	if (e != ERR_OK)
		return e;
	offset = body.offset;
	e = append_or_confirm(app, rq, rs, &caller, u, &body, &offset);
	if (e != ERR_OK)
		return e;
	response_header_int(rs, "Upload-Offset", offset);
	tus_expires(app, rs, request_time(rq));
	return response_empty(rs, 204);
}
