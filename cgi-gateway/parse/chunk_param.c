#include "cgi-gateway/parse/chunk_param.h"

const char *const chunk_param_headers[] = {
	"Content-Range",	 "X-Content-Range",
	"Upload-Offset",	 "OC-Chunked",
	"OC-Chunk-Offset",	 "X-Chunk-Index",
	"X-Chunk-Number",	 "X-Chunk-Offset",
	"Uploader-Chunk-Number", NULL,
};

static bool contains(struct span text, struct span word)
{
	for (size_t i = 0; i + word.len <= text.len; i++)
		if (span_has_prefix_nocase(span_from(text, i), word))
			return true;
	return false;
}

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

	if (contains(name, SPAN("chunk")))
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
	return contains(value, SPAN("\"chunkIndex\":"));
}

/* resumableTotalChunks, dztotalchunkcount, total-chunk, chunks, qqtotalparts */
static bool is_count(struct span name)
{
	return span_eq_nocase(name, SPAN("chunks")) ||
	       (contains(name, SPAN("total")) &&
		(contains(name, SPAN("chunk")) ||
		 contains(name, SPAN("parts")) ||
		 contains(name, SPAN("slices")) ||
		 contains(name, SPAN("segments")))) ||
	       (contains(name, SPAN("chunk")) && contains(name, SPAN("count")));
}

/* resumableTotalSize, dztotalfilesize, _totalSize */
static bool is_size_of_all(struct span name)
{
	return contains(name, SPAN("total")) && contains(name, SPAN("size"));
}

/* Whether JSON has a count of parts, and it is one: Kendo UI's totalChunks,
 * DevExtreme's TotalCount */
static bool json_says_single(struct span value)
{
	static const char *const ones[] = { "\"totalChunks\":1",
					    "\"TotalCount\":1", NULL };

	for (const char *const *one = ones; *one != NULL; one++)
		if (value.len > 0 && (contains(value, span_of(*one)))) {
			size_t at = 0, n = span_of(*one).len;

			while (!span_has_prefix_nocase(span_from(value, at),
						       span_of(*one)))
				at++;
			at += n;
			return at < value.len &&
			       (value.p[at] == ',' || value.p[at] == '}');
		}
	return false;
}

static void add_count(struct chunk_claim *c, bool one)
{
	c->single = c->single || one;
	c->several = c->several || !one;
}

static void add_size(struct chunk_claim *c, struct span value)
{
	int64_t size;

	if (!span_to_int(value, &size) || (c->sized && c->size != size))
		c->several = true;
	c->sized = true;
	if (!c->several)
		c->size = size;
}

void chunk_claim_add(struct chunk_claim *c, struct span name, struct span value)
{
	bool json = span_has_prefix(value, SPAN("{"));
	bool part = chunk_param_is(name) ||
		    (json && span_eq(name, SPAN("metadata")) &&
		     chunk_param_in_json(value));

	c->bits |= chunk_param_bit(name);
	if (c->bits == CHUNK_PARAM_BOTH)
		part = c->several = true;
	if (part && c->by[0] == '\0')
		(void)span_to_cstr(name, c->by, sizeof(c->by));
	if (part && c->by[0] == '\0')
		(void)span_to_cstr(SPAN("chunk"), c->by, sizeof(c->by));
	if (part && json)
		add_count(c, json_says_single(value));
	else if (is_count(name))
		add_count(c, span_eq(span_trim(value), SPAN("1")));
	else if (is_size_of_all(name))
		add_size(c, span_trim(value));
}

bool chunk_claim_is_part(const struct chunk_claim *c, size_t files,
			 int64_t bytes)
{
	if (c->by[0] == '\0')
		return false;
	if (c->several || (!c->single && !c->sized))
		return true;
	return files != 1 || (c->sized && c->size != bytes);
}

int64_t chunk_param_whole_range(struct span value)
{
	struct span unit = span_trim(value), range, size, last;
	int64_t n, end;

	if (!span_cut(&unit, ' ', &range) ||
	    !span_eq_nocase(unit, SPAN("bytes")))
		return -1;
	range = span_trim(range);
	if (!span_cut(&range, '/', &size) || !span_cut(&range, '-', &last))
		return -1;
	if (!span_eq(range, SPAN("0")) || !span_to_int(last, &end) ||
	    !span_to_int(size, &n) || end < 0 || n - 1 != end)
		return -1;
	return n;
}

bool chunk_param_is_incomplete(struct span upload_complete,
			       struct span upload_incomplete)
{
	return span_eq(upload_complete, SPAN("?0")) ||
	       span_eq(upload_incomplete, SPAN("?1"));
}
