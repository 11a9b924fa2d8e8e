#include "cgi-gateway/parse/file_type.h"
#include "cgi-gateway/parse/type_class.h"
#include "tests/unit/unit.h"

/* --- claimed types -------------------------------------------------------- */

static void check_type(const char *sent, const char *want)
{
	char got[FILE_TYPE_MAX + 1];

	file_type_clean(span_of(sent), got);
	assert_string_equal(got, want);
}

static void a_type_is_lower_case_without_parameters(void **state)
{
	(void)state;
	check_type("image/png", "image/png");
	check_type("Text/HTML; charset=utf-8", "text/html");
	check_type(" text/plain ;x=\";\"", "text/plain");
	check_type("application/vnd.oasis.opendocument.text",
		   "application/vnd.oasis.opendocument.text");
	check_type("image/svg+xml", "image/svg+xml");
}

static void a_malformed_type_is_octet_stream(void **state)
{
	static const char *const types[] = {
		NULL,
		"",
		";",
		"text",
		"text/",
		"/plain",
		"/",
		"text/a b",
		"te xt/a",
		"text/a/b",
		"text/\xc3\xa4",
		"a/b\r\nX: y",
		"\"a\"/b",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++)
		check_type(types[i], "application/octet-stream");
}

static void a_form_encoding_is_octet_stream(void **state)
{
	(void)state;
	check_type("application/x-www-form-urlencoded",
		   "application/octet-stream");
	check_type("Application/X-WWW-Form-Urlencoded; charset=utf-8",
		   "application/octet-stream");
	check_type("multipart/form-data; boundary=B",
		   "application/octet-stream");
	check_type("Multipart/mixed", "application/octet-stream");
	check_type("multiparty/x", "multiparty/x");
}

static void a_type_has_a_maximum_length(void **state)
{
	char type[FILE_TYPE_MAX + 2], got[FILE_TYPE_MAX + 1];

	(void)state;
	memset(type, 'x', sizeof(type));
	type[4] = '/';
	file_type_clean((struct span) { type, FILE_TYPE_MAX }, got);
	assert_int_equal(strlen(got), FILE_TYPE_MAX);
	assert_memory_equal(got, type, FILE_TYPE_MAX);
	file_type_clean((struct span) { type, FILE_TYPE_MAX + 1 }, got);
	assert_string_equal(got, "application/octet-stream");
}

static void a_type_that_can_hold_a_script_is_not_inert(void **state)
{
	(void)state;
	assert_true(type_is_inert(SPAN("image/png")));
	assert_true(type_is_inert(SPAN("text/plain")));
	assert_true(type_is_inert(SPAN("video/mp4")));
	assert_false(type_is_inert(SPAN("text/html")));
	assert_false(type_is_inert(SPAN("image/svg+xml")));
	assert_false(type_is_inert(SPAN("application/pdf")));
	assert_false(type_is_inert(SPAN("application/xhtml+xml")));
	assert_false(type_is_inert(SPAN("text/xml")));
	assert_false(type_is_inert(SPAN("text/javascript")));
	assert_false(type_is_inert(SPAN("application/octet-stream")));
	assert_false(type_is_inert(SPAN("image/pngx")));
	assert_false(type_is_inert(SPAN("")));
}

/* --- what is kept --------------------------------------------------------- */

static void check(const char *found, const char *claimed, const char *want)
{
	char got[FILE_TYPE_MAX + 1];

	file_type_decide(span_of(found), span_of(claimed), got);
	if (strcmp(got, want) != 0)
		print_error("%s, claimed to be %s, is %s\n", found, claimed,
			    got);
	assert_string_equal(got, want);
}

#define BYTES "application/octet-stream"
#define DOCX                                 \
	"application/vnd.openxmlformats-off" \
	"icedocument.wordprocessingml.document"

static void a_found_type_wins_over_the_claim(void **state)
{
	(void)state;
	check("image/png", "image/png", "image/png");
	check("image/png", BYTES, "image/png");
	check("image/png", "image/gif", "image/png");
	check("image/png", "text/plain", "image/png");
	check("image/png", "application/x-data", "image/png");
	check("text/html", "image/png", "text/html");
	check("text/html", "text/plain", "text/html");
	check("text/html", "text/markdown", "text/html");
	check("image/svg+xml", "image/png", "image/svg+xml");
	check("image/svg+xml", "application/gpx+xml", "image/svg+xml");
	check("application/pdf", "text/plain", "application/pdf");
	check("application/x-executable", "video/mp4",
	      "application/x-executable");
	check("application/gzip", "text/csv", "application/gzip");
}

static void a_claim_that_is_more_specific_text_is_kept(void **state)
{
	(void)state;
	check("text/plain", BYTES, "text/plain");
	check("text/plain", "", "text/plain");
	check("text/plain", "text/plain", "text/plain");
	check("text/plain", "text/csv", "text/csv");
	check("text/plain", "text/markdown", "text/markdown");
	check("text/plain", "application/yaml", "application/yaml");
	check("text/plain", "application/json", "application/json");
	check("text/plain", "application/geo+json", "application/geo+json");
	check("text/x-c", "text/markdown", "text/markdown");
	check("text/csv", "text/tab-separated-values",
	      "text/tab-separated-values");
	/* a guessed language does not prevent that a text is shown */
	check("text/x-c", "text/plain", "text/plain");
	check("text/x-c", BYTES, "text/x-c");
}

static void text_is_no_picture_and_no_archive(void **state)
{
	(void)state;
	check("text/plain", "image/png", "text/plain");
	check("text/plain", "image/x-something", "text/plain");
	check("text/plain", "video/mp4", "text/plain");
	check("text/plain", "font/woff2", "text/plain");
	check("text/plain", "application/zip", "text/plain");
	check("text/plain", DOCX, "text/plain");
}

/* Documents, scripts, and what else runs, styles or configures a page */
static const char *const active_claims[] = {
	"text/html",
	"application/xhtml+xml",
	"image/svg+xml",
	"text/xml",
	"application/xml",
	"application/pdf",
	"text/css",
	"text/javascript",
	"application/javascript",
	"text/jscript",
	"application/x-javascript",
	"text/x-ecmascript",
	"text/livescript",
	"text/javascript1.5",
	"application/gpx+xml",
	/* what else runs, styles or configures a page */
	"text/vbscript",
	"text/vbs",
	"text/x-component",
	"text/x-scriptlet",
	"text/scriptlet",
	"text/xsl",
	"text/xslt",
	"text/cache-manifest",
	"text/vnd.wap.wmlscript",
	"text/jsx",
	"text/anything",
	"application/xslt+xml",
	"application/mathml+xml",
	"application/vnd.mozilla.xul+xml",
	"application/xaml+xml",
	"application/hta",
	"application/x-vbs",
	"application/x-shockwave-flash",
	"application/vnd.adobe.flash.movie",
	"application/x-director",
	"application/java-archive",
	"application/java-vm",
	"application/x-java-applet",
	"application/x-java-jnlp-file",
	"application/wasm",
	"application/x-silverlight-app",
	"application/x-ms-xbap",
	"application/manifest+json",
	"application/importmap+json",
	"application/speculationrules+json",
	"application/x-web-app-manifest+json",
	"application/x-chrome-extension",
	"application/x-xpinstall",
	"application/x-css",
	"image/svg",
	"image/svg-xml",
	"module/javascript",
	"x-script/anything",
	"javascript/x",
};

static void a_claim_cannot_make_a_document_that_holds_scripts(void **state)
{
	static const char *const found[] = {
		"text/plain",	    BYTES, "text/x-c", "application/zip",
		"application/json", ""
	};
	char got[FILE_TYPE_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(found); i++)
		for (size_t k = 0; k < COUNT(active_claims); k++) {
			file_type_decide(span_of(found[i]),
					 span_of(active_claims[k]), got);
			assert_string_not_equal(got, active_claims[k]);
		}
}

static void a_claim_cannot_make_a_type_inert(void **state)
{
	static const char *const found[] = {
		BYTES,		 "",	     "application/ogg", "text/html",
		"image/svg+xml", "text/xml", "application/zip"
	};
	static const char *const claims[] = {
		"image/png",  "image/jpeg", "text/plain", "audio/mpeg",
		"audio/ogg",  "video/mp4",  "video/ogg",  "audio/wav",
		"image/avif", "video/webm",
	};
	char got[FILE_TYPE_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(found); i++)
		for (size_t k = 0; k < COUNT(claims); k++) {
			file_type_decide(span_of(found[i]), span_of(claims[k]),
					 got);
			assert_false(type_is_inert(span_of(got)));
		}
}

static void a_script_becomes_text_even_if_it_was_found(void **state)
{
	(void)state;
	check("application/javascript", "application/javascript", "text/plain");
	check("application/javascript", "text/javascript", "text/plain");
	check("text/javascript", BYTES, "text/plain");
	check("application/x-javascript", "image/png", "text/plain");
	check("text/css", "text/css", "text/plain");
	check("text/vbscript", BYTES, "text/plain");
	check("application/xslt+xml", BYTES, "text/plain");
	check("application/x-shockwave-flash", "image/png", BYTES);
	check("application/wasm", "application/wasm", BYTES);
	check("application/java-archive", "application/java-archive",
	      "application/zip");
	check("x-epoc/x-app", BYTES, BYTES);
	/* but other text may have the claimed type */
	check("application/javascript", "text/x-typescript",
	      "text/x-typescript");
}

static void a_claim_of_a_specific_archive_is_kept(void **state)
{
	(void)state;
	check("application/zip", DOCX, DOCX);
	check("application/zip", "application/vnd.oasis.opendocument.text",
	      "application/vnd.oasis.opendocument.text");
	check("application/zip", "application/epub+zip",
	      "application/epub+zip");
	check("application/zip", "application/vnd.google-earth.kmz",
	      "application/vnd.google-earth.kmz");
	check("application/zip",
	      "application/vnd.ms-excel.sheet.macroenabled.12",
	      "application/vnd.ms-excel.sheet.macroenabled.12");
	check("application/zip", "image/png", "application/zip");
	check("application/zip", "application/x-data", "application/zip");
	/* what libmagic distinguishes is kept */
	check("application/epub+zip", DOCX, "application/epub+zip");
	check(DOCX, "application/zip", DOCX);
}

static void a_claim_of_specific_xml_or_json_is_kept(void **state)
{
	(void)state;
	check("text/xml", "application/rss+xml", "application/rss+xml");
	check("text/xml", "application/gpx+xml", "application/gpx+xml");
	check("text/xml", "image/svg+xml", "text/xml");
	check("text/xml", "application/xhtml+xml", "text/xml");
	check("text/xml", "text/plain", "text/xml");
	check("application/json", "application/geo+json",
	      "application/geo+json");
	check("application/json", "text/csv", "application/json");
}

static void an_unknown_type_is_the_claimed_one(void **state)
{
	(void)state;
	check(BYTES, BYTES, BYTES);
	check(BYTES, "application/x-data", "application/x-data");
	check(BYTES, "application/msword", "application/msword");
	check(BYTES, "image/x-canon-cr3", "image/x-canon-cr3");
	check(BYTES, "model/stl", "model/stl");
	/* unless libmagic would have recognized it */
	check(BYTES, "text/csv", BYTES);
	check(BYTES, "application/zip", BYTES);
	check(BYTES, DOCX, BYTES);
	check(BYTES, "application/json", BYTES);
	check(BYTES, "application/rss+xml", BYTES);
}

static void an_empty_file_is_text_if_it_is_claimed(void **state)
{
	(void)state;
	check("application/x-empty", BYTES, BYTES);
	check("application/x-empty", "text/plain", "text/plain");
	check("application/x-empty", "text/csv", "text/csv");
	check("inode/x-empty", "application/x-data", "application/x-data");
	check("application/x-empty", "image/png", BYTES);
	check("application/x-empty", "text/html", "text/plain");
	check("application/x-empty", DOCX, BYTES);
}

static void a_harmless_claim_is_kept_if_the_bytes_were_not_examined(
	void **state)
{
	(void)state;
	check("", BYTES, BYTES);
	check("", "text/csv", "text/csv");
	check("", DOCX, DOCX);
	check("", "application/x-data", "application/x-data");
	check("", "image/png", BYTES);
	check("", "text/plain", BYTES);
	check("", "text/html", BYTES);
	check("", "application/rss+xml", BYTES);
}

static void a_type_has_the_name_that_browsers_use(void **state)
{
	(void)state;
	check("audio/x-wav", BYTES, "audio/wav");
	check("audio/x-m4a", "audio/mp4", "audio/mp4");
}

static void check_sent(const char *stored, const char *want)
{
	char got[FILE_TYPE_MAX + 1];

	file_type_to_send(span_of(stored), got);
	assert_string_equal(got, want);
}

static void an_active_type_of_an_old_row_is_not_sent(void **state)
{
	(void)state;
	check_sent("text/vbscript", "text/plain");
	check_sent("text/x-component", "text/plain");
	check_sent("text/xsl", "text/plain");
	check_sent("application/xslt+xml", "text/plain");
	check_sent("application/java-archive", "application/zip");
	check_sent("application/x-shockwave-flash", BYTES);
	check_sent("a/b\r\nX: y", BYTES);
	check_sent("", BYTES);
	/* all others are sent as they are */
	check_sent("text/html", "text/html");
	check_sent("image/svg+xml", "image/svg+xml");
	check_sent("text/csv", "text/csv");
	check_sent(DOCX, DOCX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_type_is_lower_case_without_parameters),
		TEST(a_malformed_type_is_octet_stream),
		TEST(a_form_encoding_is_octet_stream),
		TEST(a_type_has_a_maximum_length),
		TEST(a_type_that_can_hold_a_script_is_not_inert),
		TEST(a_found_type_wins_over_the_claim),
		TEST(a_claim_that_is_more_specific_text_is_kept),
		TEST(text_is_no_picture_and_no_archive),
		TEST(a_claim_cannot_make_a_document_that_holds_scripts),
		TEST(a_claim_cannot_make_a_type_inert),
		TEST(a_script_becomes_text_even_if_it_was_found),
		TEST(a_claim_of_a_specific_archive_is_kept),
		TEST(a_claim_of_specific_xml_or_json_is_kept),
		TEST(an_unknown_type_is_the_claimed_one),
		TEST(an_empty_file_is_text_if_it_is_claimed),
		TEST(a_harmless_claim_is_kept_if_the_bytes_were_not_examined),
		TEST(a_type_has_the_name_that_browsers_use),
		TEST(an_active_type_of_an_old_row_is_not_sent),
	};

	return RUN(tests);
}
