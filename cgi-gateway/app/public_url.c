#include "cgi-gateway/app/public_url.h"

#include "cgi-gateway/tables/file_json.h"
#include "common/http/client.h"

static void add_url(const struct app *app, const struct request *rq,
		    struct span prefix, const char *tail, struct buf *out)
{
	struct span base = span_of(app->public_url);

	/* PUBLIC_URL may end with a slash */
	if (span_has_suffix(base, SPAN("/")))
		base.len--;
	buf_add(out, base.len > 0 ? base : rq->outer_prefix);
	buf_add(out, prefix);
	buf_add_str(out, tail);
}

void public_url_add(const struct app *app, const struct request *rq,
		    const char *tail, struct buf *out)
{
	add_url(app, rq, rq->prefix, tail, out);
}

/* Append `tail`, a path from the root, as a reference relative to the URL of
 * the request */
static void add_relative(const struct request *rq, const char *tail,
			 struct buf *out)
{
	struct span path = request_variable(rq, "REQUEST_URI"), query, segment;

	if (!span_has_prefix(path, SPAN("/")))
		path = rq->path;
	(void)span_cut(&path, '?', &query);
	path = span_from(path, 1);
	while (span_cut(&path, '/', &segment)) {
		buf_add(out, SPAN("../"));
		path = segment;
	}
	buf_add_str(out, tail + 1);
}

static bool is_below_unknown_path(const struct app *app,
				  const struct request *rq)
{
	return app->public_url[0] == '\0' && rq->outer_prefix.len == 0 &&
	       rq->prefix.len == 0 && client_uses_proxy(rq);
}

void public_url_add_reference(const struct app *app, const struct request *rq,
			      const char *tail, struct buf *out)
{
	if (is_below_unknown_path(app, rq))
		add_relative(rq, tail, out);
	else
		add_url(app, rq, rq->prefix, tail, out);
}

void public_url_add_page(const struct app *app, const struct request *rq,
			 const char *tail, struct buf *out)
{
	if (is_below_unknown_path(app, rq))
		add_relative(rq, tail, out);
	else
		add_url(app, rq, SPAN(""), tail, out);
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
