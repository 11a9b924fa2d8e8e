#include "cgi-gateway/parse/part_head.h"
#include "tests/unit/unit.h"

enum {
	HEAD_MAX = 4096, /* bytes of a head here */
};

struct sample {
	char head[HEAD_MAX], file[HEAD_MAX];
	struct part_head got;
	enum err e;
};

static struct sample s;

static void read_lines(const char *lines)
{
	size_t len = strlen(lines);

	assert_true(len + 2 < HEAD_MAX);
	memcpy(s.head, lines, len);
	memcpy(s.head + len, "\r\n", 2);
	s.e = part_head_read(s.head, len + 2, s.file, &s.got);
}

static void read_params(const char *params)
{
	char lines[HEAD_MAX + 64];

	(void)snprintf(lines, sizeof(lines),
		       "Content-Disposition: form-data; name=\"f\"; %s\r\n",
		       params);
	read_lines(lines);
}

/* The file has this name */
static void named(const char *params, const char *want)
{
	read_params(params);
	assert_ok(s.e);
	assert_true(s.got.is_file);
	assert_false(s.got.bad_file);
	assert_span_str(s.got.file, want);
	assert_span(s.got.name, "f");
}

/* It is a file whose name cannot be read */
static void unreadable(const char *params)
{
	read_params(params);
	assert_ok(s.e);
	assert_true(s.got.is_file);
	if (!s.got.bad_file)
		fail_msg("%s is \"%.*s\"", params, SPAN_ARG(s.got.file));
	assert_int_equal(s.got.file.len, 0);
}

/* --- filename* ------------------------------------------------------------ */

static void a_well_formed_extended_name_is_preferred(void **state)
{
	(void)state;
	named("filename*=UTF-8''z%C3%BCrich.txt", "z\u00fcrich.txt");
	named("filename=\"a.txt\"; filename*=UTF-8''b.txt", "b.txt");
	named("filename*=UTF-8''b.txt; filename=\"a.txt\"", "b.txt");
	named("FILENAME*=utf-8'de-CH'b.txt;filename=a.txt", "b.txt");
	named("filename*=\"UTF-8''b%20c.txt\"", "b c.txt");
	/* .NET sends both, the first as an encoded word */
	named("filename=\"=?utf-8?B?ZsO8ci50eHQ=?=\"; "
	      "filename*=utf-8''f%C3%BCr.txt",
	      "f\u00fcr.txt");
	/* encodeURIComponent() of JavaScript leaves these */
	named("filename*=UTF-8''it's%20(1)!*~.txt", "it's (1)!*~.txt");
	/* %22 is a quote here, as each other escape is its byte */
	named("filename*=UTF-8''%22%25%3B.txt", "\"%;.txt");
}

static void an_extended_name_may_be_latin_1(void **state)
{
	(void)state;
	named("filename*=ISO-8859-1''caf%E9%20%A3%FF.txt",
	      "caf\u00e9 \u00a3\u00ff.txt");
	named("filename*=iso-8859-1'en'%E4%E4%E4%E4%E4%E4%E4%E4",
	      "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4");
	named("filename*=US-ASCII''a%20b.txt", "a b.txt");
}

static void a_malformed_extended_name_gives_way_to_the_plain_one(void **state)
{
	static const char *const malformed[] = {
		"",
		"b.txt",
		"UTF-8'b.txt",
		"UTF-8''",
		"UTF-8''%",
		"UTF-8''%4",
		"UTF-8''%zz.txt",
		"UTF-8''%FF%FE.txt",
		"UTF-8''%C3.txt",
		"UTF-8''%00.txt",
		"UTF-8''a b.txt",
		"UTF-8''z\u00fcrich.txt",
		"UTF-16''%00a",
		"Shift_JIS''%93%FA.txt",
		"''b.txt",
		"US-ASCII''%E4",
	};
	char params[HEAD_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(malformed); i++) {
		(void)snprintf(params, sizeof(params),
			       "filename=\"a.txt\"; filename*=%s",
			       malformed[i]);
		named(params, "a.txt");
		(void)snprintf(params, sizeof(params), "filename*=%s",
			       malformed[i]);
		unreadable(params);
	}
}

static void a_name_in_segments_is_joined(void **state)
{
	(void)state;
	/* RFC 2231 3 and 4.1 */
	named("filename*0=\"first \"; filename*1=second.txt",
	      "first second.txt");
	named("filename*1=second.txt; filename*0=\"first \"",
	      "first second.txt");
	named("filename*0*=UTF-8''f%C3; filename*1*=%BCr; filename*2=.txt",
	      "f\u00fcr.txt");
	named("filename*0*=iso-8859-1''f%FC; filename*1*=r.txt",
	      "f\u00fcr.txt");
	named("filename=\"plain.txt\"; filename*0=a; filename*1=b", "ab");
	/* the second is missing, and what follows belongs to nothing */
	named("filename*0=a; filename*2=c", "a");
	unreadable("filename*1=b");
	unreadable("filename*0*=b");
	unreadable("filename*0*=UTF-8''%C3; filename*1=x");
	named("filename=\"plain.txt\"; filename*1=b", "plain.txt");
}

static void a_name_has_a_maximum_of_segments(void **state)
{
	char params[HEAD_MAX];
	size_t n = 0;

	(void)state;
	for (int i = 0; i < PART_SEGMENTS_MAX - 1; i++)
		n += (size_t)snprintf(params + n, sizeof(params) - n,
				      "filename*%d=x; ", i);
	read_params(params);
	assert_ok(s.e);
	assert_int_equal(s.got.file.len, PART_SEGMENTS_MAX - 1);
	(void)snprintf(params + n, sizeof(params) - n, "filename*%d=x",
		       PART_SEGMENTS_MAX - 1);
	unreadable(params);
}

/* --- lines ---------------------------------------------------------------- */

static void a_folded_line_is_one_line(void **state)
{
	(void)state;
	read_lines("Content-Disposition: form-data;\r\n"
		   " name=\"field\";\r\n\tfilename=\"a.txt\"\r\n"
		   "Content-Type:\r\n  text/csv;\r\n charset=utf-8\r\n");
	assert_ok(s.e);
	assert_span(s.got.name, "field");
	assert_span(s.got.file, "a.txt");
	assert_span(s.got.type, "text/csv;   charset=utf-8");
}

static void a_line_that_continues_nothing_is_refused(void **state)
{
	(void)state;
	read_lines(" folded\r\nContent-Disposition: form-data; name=a\r\n");
	assert_err(s.e, ERR_FORMAT);
}

static void a_continuation_adds_no_line(void **state)
{
	(void)state;
	/* this is a value, not a second Content-Disposition */
	read_lines(
		"X-Note: x\r\n Content-Disposition: form-data; name=\"b\"\r\n"
		"Content-Disposition: form-data; name=\"a\"\r\n");
	assert_ok(s.e);
	assert_span(s.got.name, "a");
}

static void encodings_and_ranges_are_returned(void **state)
{
	(void)state;
	read_lines("Content-Disposition: form-data; name=a; filename=b\r\n"
		   "Content-Transfer-Encoding: BASE64\r\n"
		   "content-encoding: gzip\r\n"
		   "Content-Range: bytes 0-9/20\r\n");
	assert_ok(s.e);
	assert_span(s.got.transfer, "BASE64");
	assert_span(s.got.coding, "gzip");
	assert_span(s.got.range, "bytes 0-9/20");
}

static void a_part_without_any_name_is_refused(void **state)
{
	(void)state;
	read_lines("Content-Disposition: form-data; x=y\r\n");
	assert_err(s.e, ERR_FORMAT);
	read_lines("Content-Disposition: form-data; filename=a.txt\r\n");
	assert_ok(s.e);
	assert_null(s.got.name.p);
	assert_span(s.got.file, "a.txt");
	read_lines("Content-Disposition: form-data; name=\"\"\r\n");
	assert_ok(s.e);
	assert_false(s.got.is_file);
}

static void a_repeated_parameter_is_refused(void **state)
{
	(void)state;
	read_params("name=g");
	assert_err(s.e, ERR_FORMAT);
	read_params("filename=a; filename=b");
	assert_err(s.e, ERR_FORMAT);
	read_params("filename*=UTF-8''a; filename*=UTF-8''b");
	assert_err(s.e, ERR_FORMAT);
}

/* --- types ---------------------------------------------------------------- */

static bool of_file(const char *type)
{
	const struct part_head h = { .type = span_of(type) };

	return part_head_has_type_of_file(&h);
}

static void bytes_have_the_type_of_a_file(void **state)
{
	(void)state;
	assert_true(of_file("application/octet-stream"));
	assert_true(of_file("image/png"));
	assert_true(of_file("Application/PDF; x=y"));
	assert_true(of_file("multipart/mixed; boundary=C"));
	assert_true(of_file("message/rfc822"));
	assert_true(of_file("nonsense"));
	assert_false(of_file(""));
	assert_false(of_file("text/plain; charset=utf-8"));
	assert_false(of_file("TEXT/HTML"));
	assert_false(of_file("application/json"));
	assert_false(of_file("application/ld+json; profile=x"));
	assert_false(of_file("application/atom+xml"));
	assert_false(of_file("application/x-www-form-urlencoded"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_well_formed_extended_name_is_preferred),
		TEST(an_extended_name_may_be_latin_1),
		TEST(a_malformed_extended_name_gives_way_to_the_plain_one),
		TEST(a_name_in_segments_is_joined),
		TEST(a_name_has_a_maximum_of_segments),
		TEST(a_folded_line_is_one_line),
		TEST(a_line_that_continues_nothing_is_refused),
		TEST(a_continuation_adds_no_line),
		TEST(encodings_and_ranges_are_returned),
		TEST(a_part_without_any_name_is_refused),
		TEST(a_repeated_parameter_is_refused),
		TEST(bytes_have_the_type_of_a_file),
	};

	return RUN(tests);
}
