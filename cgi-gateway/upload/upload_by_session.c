#include "cgi-gateway/upload/upload_by_session.h"

#include "cgi-gateway/app/public_url.h"
#include "cgi-gateway/app/request_params.h"

struct by_session {
	uint64_t owner; /* 0: the session's user */
};

/* No checks: MAX_UPLOAD and MAX_FILES apply to every origin, and a session has
 * no further limits */
static enum err check_limits(const struct upload *u, int64_t files,
			     int64_t bytes)
{
	(void)u;
	(void)files;
	(void)bytes;
	return ERR_OK;
}

static uint64_t owner(const struct upload *u)
{
	const struct by_session *s = u->origin_data;

	return s->owner != 0 ? s->owner : u->rq->claims.user_id;
}

/* Check the session without the room if that costs no round trip: the
 * transaction decides about the room, and the bytes are few. ERR_NOT_FOUND if
 * it does cost one, or if the last upload of this owner found no room: to
 * receive and flush many that do not fit either would cost more. */
static enum err check_remembered(struct upload *u)
{
	if (!u->checked || owner(u) == 0 ||
	    refused_owners_has(&u->app->refused, owner(u)))
		return ERR_NOT_FOUND;
	return session_check_remembered(u->app->db, u->rq->session,
					&u->rs->why);
}

static enum err check_room(struct upload *u, struct amount more)
{
	struct by_session *s = u->origin_data;
	struct usage usage;
	enum err e = check_remembered(u);

	if (e != ERR_NOT_FOUND)
		return e;
	e = quota_usage(u->app->db, u->rq->session, s->owner, &u->app->quota,
			&usage, &u->rs->why);
	return e == ERR_OK ? usage_check_room(&usage, more) : e;
}

static enum err insert_rows(struct upload *u)
{
	const struct by_session *s = u->origin_data;
	const uint64_t user = u->rq->session->user_id;
	const uint64_t row = s->owner != 0 ? s->owner : user;
	enum err e;

	if (u->count == 1 && user != 0 && u->checked) {
		e = files_batch_add(u->app->batch, row, &u->files[0],
				    &u->rs->why);
		refused_owners_note(&u->app->refused, row, e);
		return e;
	}
	return files_add(u->app->db, u->rq->session, s->owner, &u->app->quota,
			 u->files, u->count, &u->app->webhook_targets,
			 &u->rs->why);
}

static struct json_object *file_json(const struct upload *u,
				     const struct file *f)
{
	return public_url_file_json(u->app, u->rq, f);
}

static void set_location(struct upload *u, const struct file *f)
{
	char path[sizeof("/files/") + UUID_LEN];
	struct buf url;

	buf_init(&url, REQUEST_PATH_MAX);
	(void)snprintf(path, sizeof(path), "/files/%s", f->id);
	public_url_add_reference(u->app, u->rq, path, &url);
	response_header(u->rs, "Location", buf_span(&url));
	buf_release(&url);
}

static enum err respond(struct upload *u)
{
	if (u->count == 1)
		set_location(u, &u->files[0]);
	return upload_respond(u, file_json);
}

static enum err set_expiry(struct upload *u, struct span text)
{
	int64_t seconds, at;
	enum err e;

	if (u->file_defaults.expires_at != FILES_NEVER)
		return response_explain(u->rs, ERR_INVALID,
					"expires_in occurs twice, in the query "
					"and in the form.");
	if (!span_to_int(text, &seconds))
		seconds = 0; /* not allowed: request_expiry() explains it */
	e = request_expiry(u->rq, u->rs, seconds, &at);
	if (e != ERR_OK)
		return e;
	u->file_defaults.expires_at = at;
	for (size_t i = 0; i < u->count; i++)
		u->files[i].expires_at = at;
	return ERR_OK;
}

static const struct upload_origin by_session = {
	.check_limits = check_limits,
	.check_room = check_room,
	.insert_rows = insert_rows,
	.owner = owner,
	.set_expiry = set_expiry,
	.respond = respond,
};

static enum err read_expiry(struct upload *u)
{
	struct span text;
	enum err e = request_query(u->rq, "expires_in", &text);

	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	return e == ERR_OK ? set_expiry(u, text) : e;
}

enum err upload_by_session_begin(struct upload *u, struct app *app,
				 struct request *rq, struct response *rs)
{
	struct by_session *s;
	enum err e = upload_init(u, app, rq, rs, &by_session, sizeof(*s));

	if (e != ERR_OK)
		return e;
	s = u->origin_data;
	e = request_owner(app, rq, rs, &s->owner);
	return e == ERR_OK ? read_expiry(u) : e;
}
