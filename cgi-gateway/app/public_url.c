#include "cgi-gateway/app/public_url.h"

#include "cgi-gateway/tables/file_json.h"

static void add_url(const struct app *app, struct span prefix, const char *tail,
		    struct buf *out)
{
	struct span base = span_of(app->public_url);

	/* PUBLIC_URL may end with a slash */
	if (span_has_suffix(base, SPAN("/")))
		base.len--;
	buf_add(out, base);
	buf_add(out, prefix);
	buf_add_str(out, tail);
}

void public_url_add(const struct app *app, const struct request *rq,
		    const char *tail, struct buf *out)
{
	add_url(app, rq->prefix, tail, out);
}

void public_url_add_page(const struct app *app, const char *tail,
			 struct buf *out)
{
	add_url(app, SPAN(""), tail, out);
}

void public_url_set(const struct app *app, const struct request *rq,
		    struct json_object *o, const char *tail)
{
	struct buf url;

	buf_init(&url, REQUEST_PATH_MAX);
	public_url_add(app, rq, tail, &url);
	json_set_span(o, "url", buf_span(&url));
	buf_release(&url);
}

struct json_object *public_url_file_json(const struct app *app,
					 const struct request *rq,
					 const struct file *f)
{
	struct json_object *o = json_object_new_object();
	char tail[sizeof("/download/") + UUID_LEN];

	if (o == NULL)
		return NULL;
	file_json_set(o, f);
	(void)snprintf(tail, sizeof(tail), "/download/%s", f->id);
	public_url_set(app, rq, o, tail);
	return o;
}
