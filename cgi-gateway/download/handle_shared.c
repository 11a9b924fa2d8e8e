/* GET /s/{token}: a file by its share link. No account is needed. A browser is
 * sent to a page; what that page and other programs get is decided in
 * link_visit.h. */
#include "cgi-gateway/app/public_url.h"
#include "cgi-gateway/download/send_counted.h"
#include "cgi-gateway/parse/link_visit.h"
#include "cgi-gateway/tables/file_json.h"

static bool asks_for_bytes(const struct request *rq, const char *parameter)
{
	struct span value;

	return request_query(rq, parameter, &value) == ERR_OK &&
	       span_eq(value, SPAN("1"));
}

static enum link_wants wants_of(const struct request *rq)
{
	const struct link_visit v = {
		.accept = request_header(rq, "Accept"),
		.user_agent = request_header(rq, "User-Agent"),
		.range = request_header(rq, "Range"),
		.fetch_dest = request_header(rq, "Sec-Fetch-Dest"),
		.purpose = request_header(rq, "Purpose"),
		.sec_purpose = request_header(rq, "Sec-Purpose"),
		.x_purpose = request_header(rq, "X-Purpose"),
		.x_moz = request_header(rq, "X-Moz"),
		.explicit_bytes = asks_for_bytes(rq, "download") ||
				  asks_for_bytes(rq, "inline"),
	};

	return link_visit_wants(&v);
}

/* As for an upload link (handle_upload_link_use.c): the page requests the
 * description, even of a link that has ended; browsers send what follows "#" to
 * no server */
static enum err show_page(const struct app *app, const struct request *rq,
			  struct response *rs)
{
	struct buf url;

	buf_init(&url, REQUEST_PATH_MAX);
	public_url_add_page(app, rq, "/share-link.html#", &url);
	buf_add(&url, rq->param);
	response_header(rs, "Location", buf_span(&url));
	buf_release(&url);
	return response_empty(rs, 303);
}

/* The earlier of two times, of which 0 is never */
static int64_t earlier(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

static enum err describe(struct response *rs, const struct link *l,
			 const struct file *f)
{
	struct json_object *o = json_object_new_object();
	enum err e;

	if (o == NULL)
		return ERR_MEMORY;
	json_set_str(o, "name", f->name);
	json_set_int(o, "size", f->size);
	json_set_str(o, "type", f->type);
	file_json_set_time(o, "expires_at",
			   earlier(l->expires_at, f->expires_at));
	file_json_set_limit(o, "max_downloads", l->max_downloads);
	if (l->max_downloads == LINK_NO_LIMIT)
		(void)json_object_object_add(o, "downloads_left", NULL);
	else
		json_set_int(o, "downloads_left",
			     l->max_downloads - l->downloads);
	e = response_json(rs, 200, o);
	json_object_put(o);
	return e;
}

static enum err respond(struct app *app, struct request *rq,
			struct response *rs, enum link_wants wants)
{
	struct send_file s;
	struct link l;
	struct file f;
	enum err e = links_find(app->db, rq->param, rq->now, &l, &f, &rs->why);

	if (e != ERR_OK)
		return e;
	if (wants == LINK_WANTS_DESCRIPTION)
		return link_has_left(&l, rq->now) ? describe(rs, &l, &f)
						  : ERR_GONE;
	send_file_plan(&s, rq, &f);
	return send_counted(&s, &l, app, rq, rs);
}

enum err handle_shared(void *app, struct request *rq, struct response *rs)
{
	enum link_wants wants = wants_of(rq);
	enum err e;

	if (!link_token_has_form(rq->param))
		return ERR_NOT_FOUND;
	response_header_str(rs, "X-Robots-Tag", "noindex, nofollow");
	response_keep(rs);
	if (wants == LINK_WANTS_PAGE)
		return show_page(app, rq, rs);
	e = respond(app, rq, rs, wants);
	if (e == ERR_GONE)
		return response_explain(rs, e,
					"This link has expired, was revoked or "
					"is used up, or its file was deleted. "
					"Ask the person who gave it to you for "
					"a new one.");
	return e;
}
