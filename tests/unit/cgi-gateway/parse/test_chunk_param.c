#include "cgi-gateway/parse/chunk_param.h"
#include "tests/unit/unit.h"

static void the_parameters_of_known_uploaders_are_recognised(void **state)
{
	static const char *const names[] = {
		/* Dropzone */
		"dzchunkindex",
		"dztotalchunkcount",
		"dzchunksize",
		"dzchunkbyteoffset",
		/* Fine Uploader */
		"qqpartindex",
		"qqtotalparts",
		"qqpartbyteoffset",
		"qqchunksize",
		/* flow.js, resumable.js, simple-uploader.js */
		"flowChunkNumber",
		"flowTotalChunks",
		"resumableChunkNumber",
		"resumableTotalChunks",
		"chunkNumber",
		"totalChunks",
		/* Plupload, WebUploader */
		"chunk",
		"chunks",
		/* ng-file-upload, Syncfusion, DevExtreme, Element */
		"_chunkNumber",
		"_chunkSize",
		"chunk-index",
		"total-chunk",
		"chunkMetadata",
		"chunk_index",
		"CHUNK",
		/* S3 */
		"partNumber",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		if (!chunk_param_is(span_of(names[i])))
			fail_msg("%s is not recognised", names[i]);
}

static void other_fields_are_not_parameters_of_chunks(void **state)
{
	static const char *const names[] = {
		"",	      "file",	     "name",	       "comment",
		"part",	      "department",  "total",	       "offset",
		"index",      "chun",	     "size",	       "qquuid",
		"qqfilename", "description", "partner number",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		assert_false(chunk_param_is(span_of(names[i])));
	assert_false(chunk_param_is((struct span) { NULL, 0 }));
}

static void offset_and_total_count_together(void **state)
{
	(void)state;
	assert_int_equal(chunk_param_bit(SPAN("offset")) |
				 chunk_param_bit(SPAN("total")),
			 CHUNK_PARAM_BOTH);
	assert_int_equal(chunk_param_bit(SPAN("total")), CHUNK_PARAM_TOTAL);
	assert_int_equal(chunk_param_bit(SPAN("Total")), 0);
	assert_int_equal(chunk_param_bit(SPAN("")), 0);
}

static void a_description_in_json_is_recognised(void **state)
{
	(void)state;
	assert_true(chunk_param_in_json(
		SPAN("{\"chunkIndex\":0,\"totalChunks\":2}")));
	assert_false(chunk_param_in_json(SPAN("{\"title\":\"chunkIndex\"")));
	assert_false(chunk_param_in_json(SPAN("")));
}

static void an_upload_is_incomplete_if_it_says_so(void **state)
{
	(void)state;
	assert_true(chunk_param_is_incomplete(SPAN("?0"), SPAN("")));
	assert_true(chunk_param_is_incomplete(SPAN(""), SPAN("?1")));
	assert_false(chunk_param_is_incomplete(SPAN("?1"), SPAN("")));
	assert_false(chunk_param_is_incomplete(SPAN(""), SPAN("?0")));
	assert_false(chunk_param_is_incomplete(SPAN(""), SPAN("")));
}

/* Whether a form with these fields and one file of 5 bytes has a part of it */
static bool is_part(const char *const fields[])
{
	struct chunk_claim c = { 0 };

	for (size_t i = 0; fields[i] != NULL; i += 2)
		chunk_claim_add(&c, span_of(fields[i]), span_of(fields[i + 1]));
	return chunk_claim_is_part(&c, 1, 5);
}

#define IS_PART(...) is_part((const char *const[]) { __VA_ARGS__, NULL })

static void the_only_part_is_the_file(void **state)
{
	(void)state;
	assert_false(IS_PART("chunk", "0", "chunks", "1"));
	assert_false(IS_PART("chunks", " 1 ", "chunk", "0"));
	assert_false(IS_PART("_chunkNumber", "0", "_totalSize", "5"));
	assert_false(IS_PART("dzchunkindex", "0", "dztotalchunkcount", "1",
			     "dztotalfilesize", "5"));
	assert_false(
		IS_PART("chunkMetadata", "{\"Index\":0,\"TotalCount\":1}"));
	assert_false(IS_PART("metadata", "{\"chunkIndex\":0,\"totalChunks\":1,"
					 "\"totalFileSize\":5}"));
	assert_false(IS_PART("title", "x", "totalSize", "9"));
}

static void one_of_several_parts_is_not_the_file(void **state)
{
	struct chunk_claim c = { 0 };

	(void)state;
	assert_true(IS_PART("chunk", "0"));
	assert_true(IS_PART("chunk", "0", "chunks", "2"));
	assert_true(IS_PART("chunk", "0", "chunks", ""));
	assert_true(IS_PART("chunk", "0", "chunks", "1", "totalChunks", "2"));
	assert_true(IS_PART("chunk", "0", "chunks", "1", "totalSize", "6"));
	assert_true(IS_PART("chunk", "0", "totalSize", "x"));
	assert_true(IS_PART("chunk", "0", "totalSize", "5", "TotalSize", "6"));
	assert_true(IS_PART("chunkMetadata", "{\"TotalCount\":10}"));
	assert_true(IS_PART("chunkMetadata", "{\"TotalCount\":1"));
	assert_true(IS_PART("metadata", "{\"chunkIndex\":0}"));
	assert_true(IS_PART("offset", "0", "total", "5"));
	chunk_claim_add(&c, SPAN("chunks"), SPAN("1"));
	assert_false(chunk_claim_is_part(&c, 1, 5));
	assert_true(chunk_claim_is_part(&c, 2, 5));
}

static void a_range_is_whole_from_the_first_byte_to_the_last(void **state)
{
	static const char *const parts[] = {
		"",
		"bytes",
		"bytes 0-4",
		"bytes 0-4/*",
		"bytes */5",
		"bytes 0-3/5",
		"bytes 1-4/5",
		"bytes 0-5/5",
		"items 0-4/5",
		"bytes 0-4/5, 6",
		"bytes 0--1/0",
		"bytes -4/5",
		"bytes 00-4/5",
		"bytes 0-4/5/5",
		"bytes 0-+4/5",
		"bytes 0-9223372036854775807/9223372036854775808",
	};

	(void)state;
	assert_int_equal(chunk_param_whole_range(SPAN("bytes 0-4/5")), 5);
	assert_int_equal(chunk_param_whole_range(SPAN(" Bytes  0-0/1 ")), 1);
	for (size_t i = 0; i < COUNT(parts); i++)
		assert_int_equal(chunk_param_whole_range(span_of(parts[i])),
				 -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_parameters_of_known_uploaders_are_recognised),
		TEST(other_fields_are_not_parameters_of_chunks),
		TEST(offset_and_total_count_together),
		TEST(a_description_in_json_is_recognised),
		TEST(an_upload_is_incomplete_if_it_says_so),
		TEST(the_only_part_is_the_file),
		TEST(one_of_several_parts_is_not_the_file),
		TEST(a_range_is_whole_from_the_first_byte_to_the_last),
	};

	return RUN(tests);
}
