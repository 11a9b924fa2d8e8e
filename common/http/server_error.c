#include "common/http/server_error.h"

#include "common/codec/encode.h"

static bool find_place(struct span path, enum server_error_place *out)
{
	static const char *const places[] = {
		[AT_REQUEST] = "/.error/request",
		[AT_INTERNAL] = "/.error/internal",
		[AT_PROGRAM] = "/.error/program",
		[AT_PROGRAM_HEAD] = "/.error/program/head",
		[AT_PROGRAM_BODY] = "/.error/program/body",
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (span_eq(path, span_of(places[i]))) {
			*out = (enum server_error_place)i;
			return true;
		}
	return false;
}

/* The path of the client's request, decoded; empty if it is not valid */
static struct span decoded(const struct request *rq, struct span raw)
{
	struct span path = { NULL, 0 };
	char *text;
	size_t len;

	if (raw.len == 0 || raw.len > REQUEST_PATH_MAX || raw.p[0] != '/')
		return path;
	text = arena_alloc(rq->arena, raw.len);
	if (text == NULL || percent_decode(raw, false, text, &len) != ERR_OK)
		return path;
	path = (struct span) { text, len };
	if (span_has_control(path))
		path.len = 0;
	return path;
}

/* In a request to a program, 411 is the answer to a chunked body */
static bool is_post_without_length(const struct server_error *e)
{
	return e->status == 411 &&
	       (e->place == AT_REQUEST || e->place == AT_INTERNAL);
}

bool server_error_is_empty_post(const struct server_error *e)
{
	return is_post_without_length(e) && !(e->http2 && e->typed);
}

bool server_error_read(struct request *rq, struct server_error *out)
{
	struct span status = request_variable(rq, "REDIRECT_STATUS");
	struct span url = request_variable(rq, "REQUEST_URI"), query;
	struct server_error e = { .authorizer = rq->authorizer };
	int64_t n;

	if (!span_to_int(status, &n) || n < 400 || n > 599 ||
	    !find_place(rq->authorizer ? request_variable(rq, "REDIRECT_URI")
				       : rq->path,
			&e.place))
		return false;
	e.status = (int)n;
	if (!span_cut(&url, '?', &query))
		query = (struct span) { NULL, 0 };
	rq->path = decoded(rq, url);
	rq->prefix = (struct span) { NULL, 0 };
	rq->query = query;
	rq->authorizer = false;
	rq->content_length = 0;
	rq->head = e.place == AT_PROGRAM_HEAD;
	if (rq->head)
		rq->method = SPAN("HEAD");
	e.http2 = span_eq(request_variable(rq, "SERVER_PROTOCOL"),
			  SPAN("HTTP/2.0"));
	e.typed = request_content_type(rq).len > 0;
	if (is_post_without_length(&e))
		rq->method = SPAN("POST");
	*out = e;
	return true;
}
