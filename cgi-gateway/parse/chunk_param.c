#include "cgi-gateway/parse/chunk_param.h"

const char *const chunk_param_headers[] = {
	"Content-Range",	 "X-Content-Range",
	"Upload-Offset",	 "OC-Chunked",
	"OC-Chunk-Offset",	 "X-Chunk-Index",
	"X-Chunk-Number",	 "X-Chunk-Offset",
	"Uploader-Chunk-Number", NULL,
};

bool chunk_param_is(struct span name)
{
	static const char *const others[] = {
		/* Fine Uploader */
		"qqpartindex",
		"qqtotalparts",
		"qqpartbyteoffset",
		/* S3, and uploaders of one's own */
		"partNumber",
		"partIndex",
		"totalParts",
		"sliceIndex",
		"totalSlices",
		"segmentIndex",
		"totalSegments",
		NULL,
	};
	const struct span chunk = SPAN("chunk");

	for (size_t i = 0; i + chunk.len <= name.len; i++)
		if (span_has_prefix_nocase(span_from(name, i), chunk))
			return true;
	for (const char *const *other = others; *other != NULL; other++)
		if (span_eq_nocase(name, span_of(*other)))
			return true;
	return false;
}

unsigned chunk_param_bit(struct span name)
{
	if (span_eq(name, SPAN("offset")))
		return CHUNK_PARAM_OFFSET;
	return span_eq(name, SPAN("total")) ? CHUNK_PARAM_TOTAL : 0;
}

bool chunk_param_in_json(struct span value)
{
	for (size_t i = 0; i < value.len; i++)
		if (span_has_prefix(span_from(value, i),
				    SPAN("\"chunkIndex\":")))
			return true;
	return false;
}

bool chunk_param_is_incomplete(struct span upload_complete,
			       struct span upload_incomplete)
{
	return span_eq(upload_complete, SPAN("?0")) ||
	       span_eq(upload_incomplete, SPAN("?1"));
}
