/* POST /tus: create a resumable upload (tus, "Creation"). */
#include "cgi-gateway/app/public_url.h"
#include "cgi-gateway/store/resumable.h"
#include "cgi-gateway/tus/tus_complete.h"
#include "cgi-gateway/tus/tus_join.h"
#include "cgi-gateway/tus/tus_problem.h"
#include "cgi-gateway/tus/tus_receive.h"

static void identify(const struct app *app, const struct request *rq,
		     uint64_t owner, struct tus_upload *u)
{
	ident_uuid7(rq->now_ms, u->id);
	u->owner = owner != 0 ? owner : rq->claims.user_id;
	u->created_at = rq->now;
	u->expires_at = rq->now + app->upload_life;
}

/* Create the file for the bytes first: an upload with a row must accept bytes
 */
static enum err add_upload(const struct app *app, struct response *rs,
			   const struct tus_caller *caller,
			   struct tus_upload *u)
{
	enum err e = resumable_create(app->store, u->id, &rs->why);

	if (e != ERR_OK)
		return e;
	e = tus_uploads_add(app->db, caller->session, caller->owner,
			    &app->quota, app->max_unfinished, u, &rs->why);
	/* After ERR_UNAVAILABLE there may be a row: leave it to gc */
	if (e != ERR_OK && e != ERR_UNAVAILABLE)
		(void)!resumable_remove(app->store, u->id, NULL);
	store_unlock(app->store, u->id);
	return e == ERR_TOO_MANY_UPLOADS
		       ? tus_problem_unfinished(rs, app->max_unfinished)
		       : e;
}

/* Receive the first bytes, if the request has any ("Creation With Upload"); an
 * upload of 0 bytes is complete without. If anything fails, the response has no
 * Location from which the client could resume, so the upload is removed. */
static enum err receive_first(struct app *app, struct request *rq,
			      struct response *rs, struct tus_caller *caller,
			      struct tus_upload *u)
{
	const struct tus_body body = { 0, u->length };
	int64_t offset = 0;
	enum err e = ERR_OK;

	if (tus_has_bytes(rq) && rq->content_length != 0)
		e = tus_receive(app, rq, rs, caller->session, u, &body,
				&offset);
	if (e == ERR_OK && offset == u->length && u->concat == TUS_WHOLE)
		e = tus_complete(app, rq, rs, caller->session, u);
	if (e != ERR_OK) {
		(void)!tus_remove(app, u, NULL);
		return tus_problem_not_created(rs, e);
	}
	if (tus_has_bytes(rq))
		response_header_int(rs, "Upload-Offset", offset);
	return ERR_OK;
}

static enum err answer_created(const struct app *app, const struct request *rq,
			       struct response *rs, uint64_t owner,
			       const struct tus_upload *u)
{
	char path[sizeof("/tus/?owner=") + UUID_LEN + 20];
	struct buf url;

	if (owner == 0)
		(void)snprintf(path, sizeof(path), "/tus/%s", u->id);
	else
		(void)snprintf(path, sizeof(path), "/tus/%s?owner=%llu", u->id,
			       (unsigned long long)owner);
	buf_init(&url, REQUEST_PATH_MAX);
	public_url_add_reference(app, rq, path, &url);
	response_header(rs, "Location", buf_span(&url));
	buf_release(&url);
	if (u->concat != TUS_FINAL)
		tus_expires(app, rs, request_time(rq));
	response_header_int(rs, "Content-Length", 0);
	return response_empty(rs, 201);
}

enum err handle_tus_new(void *app_, struct request *rq, struct response *rs)
{
	struct app *app = app_;
	struct tus_caller caller;
	struct tus_upload *u = arena_alloc(rq->arena, sizeof(*u));
	struct span parts = { NULL, 0 };
	enum err e;

	if (u == NULL)
		return ERR_MEMORY;
	*u = (struct tus_upload) { .id = "" };
	e = tus_begin(app, rq, rs, &caller);
	if (e == ERR_OK)
		e = tus_creation_read(rq, rs, app->max_upload, u, &parts);
	if (e != ERR_OK)
		return e;
	identify(app, rq, caller.owner, u);
	if (u->concat == TUS_FINAL) {
		e = tus_join(app, rq, rs, &caller, u, parts);
	} else {
		e = add_upload(app, rs, &caller, u);
		if (e == ERR_OK)
			e = receive_first(app, rq, rs, &caller, u);
	}
	return e == ERR_OK ? answer_created(app, rq, rs, caller.owner, u) : e;
}
