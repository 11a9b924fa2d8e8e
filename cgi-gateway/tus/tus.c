#include "cgi-gateway/tus/tus.h"

#include "cgi-gateway/app/request_params.h"
#include "cgi-gateway/parse/checksum.h"
#include "common/codec/http_date.h"

#define VERSION "1.0.0"

static bool is_upload(struct span path)
{
	return span_eq(path, SPAN("/tus")) ||
	       span_has_prefix(path, SPAN("/tus/"));
}

/* For networks that let only GET and POST through. To them a HEAD is a GET. */
static void override_method(struct request *rq)
{
	struct span wanted = request_header(rq, "X-HTTP-Method-Override");

	if (!span_eq(rq->method, SPAN("POST")))
		return;
	if (span_eq(wanted, SPAN("PATCH")))
		rq->method = SPAN("PATCH");
	else if (span_eq(wanted, SPAN("DELETE")))
		rq->method = SPAN("DELETE");
	else if (span_eq(wanted, SPAN("HEAD")) || span_eq(wanted, SPAN("GET")))
		rq->method = SPAN("GET");
}

void tus_arrive(void *app_, struct request *rq, struct response *rs)
{
	const struct app *app = app_;

	if (!is_upload(rq->path))
		return;
	override_method(rq);
	response_header_str(rs, "Tus-Resumable", VERSION);
	if (span_eq(rq->method, SPAN("OPTIONS"))) {
		response_header_str(rs, "Tus-Version", VERSION);
		response_header_str(rs, "Tus-Extension", TUS_EXTENSIONS);
		response_header_int(rs, "Tus-Max-Size", app->max_upload);
		response_header_str(rs, "Tus-Checksum-Algorithm",
				    CHECKSUM_ALGORITHMS);
	}
	response_keep(rs);
}

enum err tus_begin(struct tus *t, struct app *app, struct request *rq,
		   struct response *rs)
{
	struct span version = request_header(rq, "Tus-Resumable");
	/* People ask by hand how far it is */
	bool asks = rq->head || span_eq(rq->method, SPAN("GET"));

	if (!span_eq(version, SPAN(VERSION)) && !(asks && version.len == 0)) {
		response_header_str(rs, "Tus-Version", VERSION);
		response_keep(rs);
		return ERR_TUS_VERSION;
	}
	t->app = app;
	t->rq = rq;
	t->rs = rs;
	t->told = TUS_LENGTH_UNKNOWN;
	return request_owner(app, rq, rs, "files:write", &t->who, &t->owner);
}

enum err tus_find(struct tus *t)
{
	enum err e = tus_uploads_find(t->app->db, &t->who, t->owner,
				      t->rq->param, &t->u, &t->rs->why);

	session_check_used(t->app->db, &t->who, t->rq);
	if (e == ERR_BAD_TOKEN)
		return session_check_refused(t->app->db, t->rq, "files:write",
					     e, &t->rs->why);
	return e;
}

enum err tus_number(struct tus *t, const char *field, int64_t absent,
		    int64_t *out)
{
	struct span text = request_header(t->rq, field);
	int64_t n = absent;

	if (text.len > 0 && !span_to_int(text, &n))
		return response_explain(t->rs, ERR_FORMAT,
					"%s is a number of bytes.", field);
	*out = n;
	return ERR_OK;
}

bool tus_has_bytes(const struct request *rq)
{
	struct span type = request_content_type(rq), params;

	(void)span_cut(&type, ';', &params);
	return span_eq_nocase(span_trim(type),
			      SPAN("application/offset+octet-stream"));
}

void tus_expires(struct tus *t, int64_t written_at)
{
	char text[HTTP_DATE_LEN + 1];

	http_date_format(written_at + t->app->upload_life, text);
	response_header_str(t->rs, "Upload-Expires", text);
}
