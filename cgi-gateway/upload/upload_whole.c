#include "cgi-gateway/upload/upload_whole.h"

#include "cgi-gateway/parse/chunk_param.h"
#include "common/codec/visible_text.h"

#define TAKES_WHOLE_FILES                                           \
	"This address takes whole files only; nothing was stored. " \
	"Turn chunks off, or send the parts to /tus/ (the tus protocol)."

enum err upload_whole_refuse(const struct upload *u, struct span what)
{
	if (!visible_text_can_be_quoted(what))
		what = SPAN("chunk");
	return response_explain(
		u->rs, ERR_FORMAT,
		"By \"%.*s\" this is a part of a file. " TAKES_WHOLE_FILES,
		SPAN_ARG(what));
}

bool upload_whole_range(struct upload *u, struct span value)
{
	int64_t size = chunk_param_whole_range(value);

	if (size < 0 || (u->whole_size != 0 && u->whole_size != size))
		return false;
	u->whole_size = size;
	return true;
}

static bool is_range(const char *name)
{
	return span_has_suffix(span_of(name), SPAN("Content-Range"));
}

enum err upload_whole_check(struct upload *u)
{
	for (const char *const *name = chunk_param_headers; *name != NULL;
	     name++) {
		struct span value = request_header(u->rq, *name);

		if (value.len > 0 &&
		    !(is_range(*name) && upload_whole_range(u, value)))
			return upload_whole_refuse(u, span_of(*name));
	}
	if (chunk_param_is_incomplete(
		    request_header(u->rq, "Upload-Complete"),
		    request_header(u->rq, "Upload-Incomplete")))
		return upload_whole_refuse(u, SPAN("Upload-Complete: ?0"));
	return ERR_OK;
}

enum err upload_whole_check_size(const struct upload *u)
{
	if (u->whole_size == 0 ||
	    (u->count == 1 && u->files[0].size == u->whole_size))
		return ERR_OK;
	return upload_whole_refuse(u, SPAN("Content-Range"));
}

enum err upload_whole_check_query(const struct request *rq, struct response *rs)
{
	struct span query = rq->query, name, value;
	unsigned bits = 0;

	while (span_next(&query, '&', &name)) {
		(void)span_cut(&name, '=', &value);
		bits |= chunk_param_bit(name);
		if (!chunk_param_is(name) && bits != CHUNK_PARAM_BOTH)
			continue;
		if (!chunk_param_is(name))
			name = SPAN("offset");
		if (!visible_text_can_be_quoted(name))
			name = SPAN("chunk");
		return response_explain(rs, ERR_INVALID,
					"?%.*s= is not a query parameter that "
					"this request takes: it is of a part "
					"of a file. " TAKES_WHOLE_FILES,
					SPAN_ARG(name));
	}
	return ERR_OK;
}
