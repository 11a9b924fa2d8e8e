#include "common/http/body.h"

#include "common/codec/encode.h"
#include "common/codec/json_fault.h"

enum {
	SHOWN_MAX = 40, /* bytes of a member's name in an error */
};

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

static bool is_json(const struct request *rq)
{
	struct span type = request_content_type(rq), params;

	(void)span_cut(&type, ';', &params);
	type = span_trim(type);
	return span_eq_nocase(type, SPAN("application/json")) ||
	       span_eq_nocase(type, SPAN("application/merge-patch+json"));
}

static bool is_member(const char *const members[], const char *key)
{
	while (*members != NULL && !span_eq(span_of(*members), span_of(key)))
		members++;
	return *members != NULL;
}

static enum err refuse_member(struct response *rs, const char *key,
			      const char *const members[])
{
	struct span shown = *key != '\0' ? utf8_clip(span_of(key), SHOWN_MAX)
					 : SPAN("\"\"");
	char known[160] = "none";
	size_t n = 0;

	for (; *members != NULL && n < sizeof(known); members++)
		n += (size_t)snprintf(known + n, sizeof(known) - n, "%s%s",
				      n > 0 ? ", " : "", *members);
	return response_explain(rs, ERR_INVALID,
				"%.*s is not a member that this request "
				"takes; it takes: %s.",
				SPAN_ARG(shown), known);
}

static enum err check_members(struct json_object *o, struct response *rs,
			      const char *const members[])
{
	json_object_object_foreach(o, key, value)
	{
		(void)value;
		if (!is_member(members, key))
			return refuse_member(rs, key, members);
	}
	return ERR_OK;
}

static enum err refuse_text(struct response *rs, struct span body)
{
	struct span key = { NULL, 0 };

	if (body.len == 0)
		return response_explain(rs, ERR_FORMAT,
					"The body is empty; send a JSON "
					"object.");
	switch (utf8_valid(body) ? json_fault_of(body, &key)
				 : JSON_FAULT_TEXT) {
	case JSON_FAULT_DEEP:
		return response_explain(rs, ERR_FORMAT,
					"The JSON is nested more than %d "
					"levels deep, the maximum.",
					JSON_FAULT_LEVELS);
	case JSON_FAULT_TWICE:
		key = utf8_clip(key, SHOWN_MAX);
		return response_explain(rs, ERR_FORMAT,
					"The member %.*s occurs twice; send it "
					"once.",
					SPAN_ARG(key));
	case JSON_FAULT_HALF:
		return response_explain(rs, ERR_FORMAT,
					"A string has half of a surrogate pair "
					"(\\uD800 to \\uDFFF), which is not a "
					"character.");
	default:
		return response_explain(rs, ERR_FORMAT,
					"The body is not a JSON object.");
	}
}

enum err body_json(struct request *rq, struct response *rs,
		   const char *const members[], struct json_object **out)
{
	struct json_object *o = NULL;
	struct span body;
	enum err e;

	if (!is_json(rq))
		return response_explain(rs, ERR_MEDIA_TYPE,
					"Send application/json.");
	e = request_read_all(rq, BODY_MAX, &body);
	if (e != ERR_OK)
		return e;
	e = json_read(body, &o);
	if (e == ERR_FORMAT)
		return refuse_text(rs, body);
	if (e == ERR_OK)
		e = check_members(o, rs, members);
	if (e == ERR_OK)
		*out = o;
	else
		json_object_put(o);
	return e;
}

enum err body_unused(struct request *rq, struct response *rs)
{
	static const char *const none[] = { NULL };
	struct json_object *o = NULL;
	enum err e;

	if (rq->content_length <= 0)
		return ERR_OK;
	if (!is_json(rq))
		return response_explain(rs, ERR_MEDIA_TYPE,
					"This request takes no body; send it "
					"without one.");
	e = body_json(rq, rs, none, &o);
	json_object_put(o);
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

enum err body_label(struct json_object *o, const char *key, char *out,
		    size_t cap, size_t max, struct response *rs)
{
	char sent[BODY_LABEL_MAX + 1], clean[BODY_LABEL_MAX + 1];
	struct text_fault fault = { "" };
	enum err e = json_get_text(o, key, sent, sizeof(sent));

	if (e == ERR_NOT_FOUND)
		return response_explain(rs, ERR_INVALID, "%s is missing.", key);
	if (e == ERR_OK && visible_text_clean(span_of(sent), clean,
					      BODY_LABEL_MAX, &fault) != ERR_OK)
		return response_explain(rs, ERR_INVALID, "%s %s.", key,
					fault.text);
	if (e != ERR_OK || utf8_count(span_of(clean)) > max ||
	    !span_to_cstr(span_of(clean), out, cap))
		return response_explain(rs, ERR_INVALID,
					"%s must be a string of at most %zu "
					"characters without control "
					"characters.",
					key, max);
	return ERR_OK;
}
