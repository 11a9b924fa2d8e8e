#include "common/http/body.h"

/* Whether the request can have a body. An unknown length may be one of 0, but
 * a server in front passes on only the length of a body that it has read. */
static bool may_have_body(const struct request *rq)
{
	return rq->content_length != 0 && !rq->head &&
	       !span_eq(rq->method, SPAN("GET"));
}

enum err body_check_coding(const struct request *rq, struct response *rs)
{
	struct span list = request_header(rq, "Content-Encoding"), coding;

	if (!may_have_body(rq))
		return ERR_OK;
	while (span_next(&list, ',', &coding)) {
		if (coding.len == 0 || span_eq_nocase(coding, SPAN("identity")))
			continue;
		/* RFC 9110 15.5.16 */
		response_header_str(rs, "Accept-Encoding", "identity");
		response_keep(rs);
		return response_explain(rs, ERR_MEDIA_TYPE,
					"A body with a Content-Encoding is not "
					"supported. Send the bytes themselves, "
					"without Content-Encoding.");
	}
	return ERR_OK;
}

enum err body_json(struct request *rq, struct response *rs,
		   struct json_object **out)
{
	struct span type = request_content_type(rq), params, body;
	enum err e;

	(void)span_cut(&type, ';', &params);
	type = span_trim(type);
	if (!span_eq_nocase(type, SPAN("application/json")) &&
	    !span_eq_nocase(type, SPAN("application/merge-patch+json")))
		return response_explain(rs, ERR_MEDIA_TYPE,
					"Send application/json.");
	e = request_read_all(rq, BODY_MAX, &body);
	if (e == ERR_OK)
		e = json_read(body, out);
	if (e == ERR_FORMAT)
		return response_explain(rs, e,
					"The body is not a JSON object.");
	return e;
}

enum err body_text(struct json_object *o, const char *key, char *out,
		   size_t cap, struct response *rs)
{
	enum err e = json_get_text(o, key, out, cap);

	if (e == ERR_NOT_FOUND)
		return response_explain(rs, ERR_INVALID, "%s is missing.", key);
	if (e == ERR_FORMAT)
		return response_explain(rs, ERR_INVALID,
					"%s must be a string of at most %zu "
					"bytes without control characters.",
					key, cap - 1);
	return e;
}
