#include "cgi-gateway/tus/tus.h"

#include "cgi-gateway/app/request_params.h"
#include "cgi-gateway/parse/checksum.h"
#include "common/codec/http_date.h"

#define VERSION "1.0.0"

static bool is_tus_path(struct span path)
{
	return span_eq(path, SPAN("/tus")) ||
	       span_has_prefix(path, SPAN("/tus/"));
}

/* Apply X-HTTP-Method-Override, for networks that pass only GET and POST. A
 * HEAD is answered like a GET. */
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

	if (!is_tus_path(rq->path))
		return;
	override_method(rq);
	response_header_str(rs, "Tus-Resumable", VERSION);
	if (span_eq(rq->method, SPAN("OPTIONS"))) {
		/* 204 would be correct too, but not all clients and proxies
		 * know that; tusd sends 200 */
		rq->options_status = 200;
		response_header_str(rs, "Tus-Version", VERSION);
		response_header_str(rs, "Tus-Extension", TUS_EXTENSIONS);
		response_header_int(rs, "Tus-Max-Size", app->max_upload);
		response_header_str(rs, "Tus-Checksum-Algorithm",
				    CHECKSUM_ALGORITHMS);
	}
	response_keep(rs);
}

enum err tus_begin(const struct app *app, struct request *rq,
		   struct response *rs, struct tus_caller *caller)
{
	struct span version = request_header(rq, "Tus-Resumable");
	/* A person requests the progress without the header */
	bool optional = rq->head || span_eq(rq->method, SPAN("GET"));

	if (!span_eq(version, SPAN(VERSION)) &&
	    !(optional && version.len == 0)) {
		response_header_str(rs, "Tus-Version", VERSION);
		response_keep(rs);
		return ERR_TUS_VERSION;
	}
	caller->session = rq->session;
	return request_owner(app, rq, rs, &caller->owner);
}

enum err tus_find(const struct app *app, struct request *rq,
		  struct tus_caller *caller, struct tus_upload *out,
		  struct errmsg *why)
{
	return tus_uploads_find(app->db, caller->session, caller->owner,
				rq->param, out, why);
}

void tus_expires(const struct app *app, struct response *rs, int64_t written_at)
{
	char text[HTTP_DATE_LEN + 1];

	http_date_format(written_at + app->upload_life, text);
	response_header_str(rs, "Upload-Expires", text);
}
