/* GET /u/{token}: the limits of an upload link. POST /u/{token} and PUT
 * /u/{token}/{name}: upload files by it. No account is needed. */
#include "cgi-gateway/app/app.h"
#include "cgi-gateway/app/public_url.h"
#include "cgi-gateway/tables/file_json.h"
#include "cgi-gateway/tables/upload_links.h"
#include "cgi-gateway/upload/upload_body.h"
#include "cgi-gateway/upload/upload_by_link.h"
#include "common/codec/field.h"

/* Send a browser to the page, even for a link that has ended: the page then
 * requests the JSON here. The token follows "#", and browsers send that part to
 * no server. */
static enum err show_page(const struct app *app, const struct request *rq,
			  struct response *rs)
{
	struct buf url;

	buf_init(&url, REQUEST_PATH_MAX);
	public_url_add_page(app, rq, "/upload-link.html#", &url);
	buf_add(&url, rq->param);
	response_header(rs, "Location", buf_span(&url));
	buf_release(&url);
	return response_empty(rs, 303);
}

static void set_left(struct json_object *o, const char *key, int64_t left)
{
	if (left == INT64_MAX)
		(void)json_object_object_add(o, key, NULL);
	else
		json_set_int(o, key, left);
}

static enum err respond_limits(const struct app *app, struct response *rs,
			       const struct upload_link *l)
{
	struct amount left = upload_link_left(l);
	struct json_object *o = json_object_new_object();
	enum err e;

	if (o == NULL)
		return ERR_MEMORY;
	json_set_str(o, "name", l->name);
	file_json_set_time(o, "expires_at", l->expires_at);
	file_json_set_limit(o, "max_files", l->limits.files);
	set_left(o, "files_left", left.files);
	file_json_set_limit(o, "max_bytes", l->limits.bytes);
	set_left(o, "bytes_left", left.bytes);
	json_set_int(o, "max_file_bytes",
		     upload_link_max_file(l, app->max_upload));
	e = response_json(rs, 200, o);
	json_object_put(o);
	return e;
}

enum err handle_upload_link_show(void *app_, struct request *rq,
				 struct response *rs)
{
	struct app *app = app_;
	struct upload_link l;
	enum err e;

	if (!link_token_has_form(rq->param))
		return ERR_NOT_FOUND;
	if (field_accept_prefers(request_header(rq, "Accept"),
				 SPAN("text/html"), SPAN("application/json")))
		return show_page(app, rq, rs);
	e = upload_links_find(app->db, rq->param, rq->now, &l, &rs->why);
	if (e == ERR_GONE)
		return response_explain(rs, e, UPLOAD_LINK_GONE);
	return e == ERR_OK ? respond_limits(app, rs, &l) : e;
}

enum err handle_upload_link_post(void *app, struct request *rq,
				 struct response *rs)
{
	struct upload u;
	enum err e = upload_by_link_begin(&u, app, rq, rs, rq->param);

	return e == ERR_OK ? upload_body_post(&u) : e;
}

enum err handle_upload_link_unnamed(void *app, struct request *rq,
				    struct response *rs)
{
	(void)app;
	(void)rq;
	return response_explain(rs, ERR_FORMAT,
				"The name of the file is missing: PUT "
				"/u/TOKEN/NAME.");
}

enum err handle_upload_link_put(void *app, struct request *rq,
				struct response *rs)
{
	struct span token = rq->param, name = { NULL, 0 };
	struct upload u;
	enum err e;

	(void)span_cut(&token, '/', &name); /* the route has the slash */
	e = upload_by_link_begin(&u, app, rq, rs, token);
	return e == ERR_OK ? upload_body_put(&u, name) : e;
}
