/* HEAD and GET /tus/{id}: the progress of an upload. */
#include "cgi-gateway/tus/tus_progress.h"

#include "common/codec/http_date.h"

static void set_upload_headers(struct response *rs, const struct tus_upload *u,
			       int64_t offset)
{
	response_header_int(rs, "Upload-Offset", offset);
	if (u->length == TUS_LENGTH_UNKNOWN)
		response_header_str(rs, "Upload-Defer-Length", "1");
	else
		response_header_int(rs, "Upload-Length", u->length);
	if (u->metadata[0] != '\0')
		response_header_str(rs, "Upload-Metadata", u->metadata);
	if (u->concat_sent[0] != '\0')
		response_header_str(rs, "Upload-Concat", u->concat_sent);
}

/* Make the same as JSON. NULL when out of memory */
static struct json_object *progress_json(const struct app *app,
					 const struct tus_upload *u,
					 const struct tus_progress *p)
{
	struct json_object *o = json_object_new_object();
	char text[RFC3339_LEN + 1];

	if (o == NULL)
		return NULL;
	json_set_str(o, "id", u->id);
	json_set_str(o, "name", u->name);
	json_set_int(o, "offset", p->offset);
	if (u->length == TUS_LENGTH_UNKNOWN)
		(void)json_object_object_add(o, "length", NULL);
	else
		json_set_int(o, "length", u->length);
	json_set_bool(o, "finished",
		      u->concat != TUS_PARTIAL && p->offset == u->length);
	rfc3339_format(p->written_at + app->upload_life, text);
	json_set_str(o, "expires_at", text);
	return o;
}

static enum err show_progress(const struct app *app, struct request *rq,
			      struct response *rs)
{
	struct tus_caller caller;
	struct tus_upload *u = arena_alloc(rq->arena, sizeof(*u));
	struct tus_progress p = { 0, 0 };
	struct json_object *o;
	enum err e = u != NULL ? ERR_OK : ERR_MEMORY;

	if (e == ERR_OK)
		e = tus_begin(app, rq, rs, &caller);
	if (e == ERR_OK)
		e = tus_find(app, rq, &caller, u, &rs->why);
	if (e == ERR_OK)
		e = tus_progress(app, rq, rs, &caller, u, &p);
	if (e != ERR_OK)
		return e;
	set_upload_headers(rs, u, p.offset);
	tus_expires(app, rs, p.written_at);
	o = progress_json(app, u, &p);
	e = o != NULL ? response_json(rs, 200, o) : ERR_MEMORY;
	json_object_put(o);
	return e;
}

/* A tus client treats any error of a HEAD except 423 as the end of the upload,
 * and starts again at byte 0; after a 423 it retries. An unavailable database
 * or scanner must not end an upload. */
enum err handle_tus_show(void *app, struct request *rq, struct response *rs)
{
	enum err e = show_progress(app, rq, rs);

	return (e == ERR_UNAVAILABLE || e == ERR_OVERLOADED) && rq->head
		       ? ERR_BUSY
		       : e;
}
