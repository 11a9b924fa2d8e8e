#include "cgi-gateway/parse/type_class.h"
#include "tests/unit/unit.h"

static void every_javascript_type_is_active(void **state)
{
	/* WHATWG MIME Sniffing 4.6 */
	static const char *const types[] = {
		"application/ecmascript",
		"application/javascript",
		"application/x-ecmascript",
		"application/x-javascript",
		"text/ecmascript",
		"text/javascript",
		"text/javascript1.0",
		"text/javascript1.1",
		"text/javascript1.2",
		"text/javascript1.3",
		"text/javascript1.4",
		"text/javascript1.5",
		"text/jscript",
		"text/livescript",
		"text/x-ecmascript",
		"text/x-javascript",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++)
		assert_true(type_is_active(span_of(types[i])));
}

static void data_is_not_active(void **state)
{
	static const char *const types[] = {
		"application/octet-stream",
		"application/postscript",
		"application/json",
		"application/geo+json",
		"application/gpx+xml",
		"application/zip",
		"application/epub+zip",
		"application/msword",
		"application/x-data",
		"application/vnd.openxmlformats-officedocument."
		"spreadsheetml.sheet",
		"application/vnd.openxmlformats-officedocument."
		"presentationml.slideshow",
		"application/vnd.ms-excel",
		"application/vnd.ms-access",
		"application/x-sqlite3",
		"application/gzip",
		"application/x-tar",
		"image/png",
		"image/x-canon-cr3",
		"image/vnd.adobe.photoshop",
		"video/quicktime",
		"audio/x-aiff",
		"font/woff2",
		"model/stl",
		"chemical/x-pdb",
		"message/rfc822",
		"text/plain",
		"text/csv",
		"text/x-python",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++)
		if (type_is_active(span_of(types[i])))
			fail_msg("%s is active", types[i]);
}

static void what_is_no_type_is_active(void **state)
{
	(void)state;
	assert_true(type_is_active(SPAN("")));
	assert_true(type_is_active(SPAN("text")));
	assert_true(type_is_active(SPAN("x/y")));
}

static void a_document_is_not_inert(void **state)
{
	static const char *const types[] = { "text/html", "image/svg+xml",
					     "application/pdf", "text/xml" };

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		assert_true(type_is_document(span_of(types[i])));
		assert_false(type_is_inert(span_of(types[i])));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_javascript_type_is_active),
		TEST(data_is_not_active),
		TEST(what_is_no_type_is_active),
		TEST(a_document_is_not_inert),
	};

	return RUN(tests);
}
