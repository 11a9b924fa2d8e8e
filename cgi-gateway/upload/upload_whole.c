#include "cgi-gateway/upload/upload_whole.h"

#include "cgi-gateway/parse/chunk_param.h"
#include "common/codec/visible_text.h"

enum err upload_whole_refuse(const struct upload *u, struct span what)
{
	if (!visible_text_can_be_quoted(what))
		what = SPAN("chunk");
	return response_explain(u->rs, ERR_FORMAT,
				"By \"%.*s\" this is a part of a file. This "
				"address takes whole files only; nothing was "
				"stored. Turn chunks off, or send the parts "
				"to /tus/ (the tus protocol).",
				SPAN_ARG(what));
}

enum err upload_whole_check(const struct upload *u)
{
	for (const char *const *name = chunk_param_headers; *name != NULL;
	     name++)
		if (request_header(u->rq, *name).len > 0)
			return upload_whole_refuse(u, span_of(*name));
	if (chunk_param_is_incomplete(
		    request_header(u->rq, "Upload-Complete"),
		    request_header(u->rq, "Upload-Incomplete")))
		return upload_whole_refuse(u, SPAN("Upload-Complete: ?0"));
	return ERR_OK;
}
