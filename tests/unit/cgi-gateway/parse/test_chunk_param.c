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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_parameters_of_known_uploaders_are_recognised),
		TEST(other_fields_are_not_parameters_of_chunks),
		TEST(offset_and_total_count_together),
		TEST(a_description_in_json_is_recognised),
		TEST(an_upload_is_incomplete_if_it_says_so),
	};

	return RUN(tests);
}
