#include "cgi-gateway/parse/file_name.h"
#include "tests/unit/unit.h"

static void check(const char *sent, const char *want)
{
	char got[FILE_NAME_MAX + 1];
	struct text_fault fault;

	assert_ok(file_name_clean(span_of(sent), got, &fault));
	assert_string_equal(got, want);
}

static void refused(struct span sent)
{
	char got[FILE_NAME_MAX + 1] = "untouched";
	struct text_fault fault = { "" };
	enum err e = file_name_clean(sent, got, &fault);

	if (e != ERR_INVALID)
		print_error("the name \"%.*s\"\n", SPAN_ARG(sent));
	assert_err(e, ERR_INVALID);
	assert_string_equal(got, "untouched");
	assert_true(fault.text[0] != '\0');
}

/* --- names ---------------------------------------------------------------- */

static void a_name_is_unchanged(void **state)
{
	(void)state;
	check("report.pdf", "report.pdf");
	check("no extension", "no extension");
	check(".hidden", ".hidden");
	check("...", "...");
	check("a:b*c?d<e>f|g;h&i'j`k$l", "a:b*c?d<e>f|g;h&i'j`k$l");
	check("Gr\xc3\xbc\xc3\x9f Gott \xe2\x82\xac \xf0\x9f\x98\x80.txt",
	      "Gr\xc3\xbc\xc3\x9f Gott \xe2\x82\xac \xf0\x9f\x98\x80.txt");
}

static void the_name_is_the_part_behind_the_last_slash(void **state)
{
	(void)state;
	check("C:\\Users\\me\\a.txt", "a.txt");
	check("/etc/passwd", "passwd");
	check("../../../etc/passwd", "passwd");
	check("..\\..\\boot.ini", "boot.ini");
	check("a/b\\c", "c");
	check("a\\b/c", "c");
	check("\\\\server\\share\\d.doc", "d.doc");
}

static void a_path_without_a_name_is_refused(void **state)
{
	static const char *const names[] = {
		"",    ".",    "..",   "/",	"\\", "a/",    "a\\",
		"a/.", "a/..", "..\\", "../..", "//", "a\\..", "/a\\",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		refused(span_of(names[i]));
	refused((struct span) { NULL, 0 });
}

static void a_name_that_looks_encoded_is_not_decoded(void **state)
{
	(void)state;
	check("a%22b.txt", "a%22b.txt");
	check("100%.txt", "100%.txt");
	check("a%2fb%5cc%00%0a.txt", "a%2fb%5cc%00%0a.txt");
	check("%2522", "%2522");
}

static void a_name_with_a_control_character_is_refused(void **state)
{
	char name[] = "a?b";

	(void)state;
	for (int c = 0; c < 0x20; c++) {
		name[1] = (char)c;
		refused((struct span) { name, 3 });
	}
	name[1] = 0x7f;
	refused((struct span) { name, 3 });
	refused(SPAN("a\r\nSet-Cookie: x"));
	refused(SPAN("a.txt\0.exe"));
	refused(SPAN("\0"));
	/* C1, U+0080 to U+009F */
	refused(SPAN("a\xc2\x80"));
	refused(SPAN("a\xc2\x85z"));
	refused(SPAN("a\xc2\x9f"));
	check("a\xc2\xa0z", "a\xc2\xa0z");
}

static void a_control_character_in_a_folder_is_allowed(void **state)
{
	(void)state;
	check("a\nb/c", "c");
}

static void a_name_that_is_not_utf_8_is_refused(void **state)
{
	(void)state;
	refused(SPAN("latin-\xfc.txt"));
	refused(SPAN("\xff"));
	refused(SPAN("cut\xe2\x82"));
	refused(SPAN("slash\xc0\xaf"));
	refused(SPAN("\xed\xa0\x80"));
	refused(SPAN("\x80"));
}

static void a_name_has_a_maximum_length(void **state)
{
	char name[3 * FILE_NAME_MAX + 2];
	char got[FILE_NAME_MAX + 1];
	struct text_fault fault;

	(void)state;
	memset(name, 'n', sizeof(name));
	assert_ok(file_name_clean((struct span) { name, FILE_NAME_MAX }, got,
				  &fault));
	assert_int_equal(strlen(got), FILE_NAME_MAX);
	refused((struct span) { name, FILE_NAME_MAX + 1 });
	refused((struct span) { name, sizeof(name) });

	/* bytes, not characters */
	for (size_t i = 0; i + 2 <= sizeof(name); i += 2)
		memcpy(name + i, "\xc3\xa4", 2);
	assert_ok(file_name_clean((struct span) { name, FILE_NAME_MAX - 1 },
				  got, &fault));
	refused((struct span) { name, FILE_NAME_MAX + 1 });
}

static void a_long_path_leaves_its_short_name(void **state)
{
	char path[4096];
	char got[FILE_NAME_MAX + 1];
	struct text_fault fault;

	(void)state;
	memset(path, 'd', sizeof(path));
	memcpy(path + sizeof(path) - 6, "/a.txt", 6);
	assert_ok(file_name_clean((struct span) { path, sizeof(path) }, got,
				  &fault));
	assert_string_equal(got, "a.txt");
}

static void a_name_is_cleaned(void **state)
{
	(void)state;
	check(" leading and trailing blanks ", "leading and trailing blanks");
	check("\xef\xbb\xbf"
	      "bom.txt",
	      "bom.txt");
	/* what is removed hides nothing from the other checks */
	refused(SPAN(".\xe2\x80\x8b."));
	refused(SPAN("a/ . "));
	refused(SPAN("a\xe2\x80\xaegpj.exe"));
	refused(SPAN("a/ \xe3\x80\x80"));
}

static void a_typed_name_is_no_path(void **state)
{
	static const char *const paths[] = { "AC/DC", "a/",   "/a",
					     "a\\b",  "../x", "/" };
	char got[FILE_NAME_MAX + 1] = "untouched";
	struct text_fault fault;

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		assert_err(
			file_name_clean_typed(span_of(paths[i]), got, &fault),
			ERR_INVALID);
		assert_string_equal(got, "untouched");
	}
	assert_ok(file_name_clean_typed(SPAN(" AC-DC "), got, &fault));
	assert_string_equal(got, "AC-DC");
	assert_err(file_name_clean_typed(SPAN(""), got, &fault), ERR_INVALID);
}

/* --- Content-Disposition -------------------------------------------------- */

static void check_as(const char *name, bool inline_, enum file_name_form form,
		     const char *want)
{
	struct buf b;

	buf_init(&b, FILE_NAME_DISPOSITION_MAX);
	file_name_disposition(span_of(name), inline_, form, &b);
	assert_ok(buf_error(&b));
	assert_span_str(buf_span(&b), want);
	buf_release(&b);
}

/* `utf8` and `encoded` are the filename of each form, `extended` filename* */
static void check_forms(const char *name, const char *utf8, const char *encoded,
			const char *extended)
{
	char want[512];

	(void)snprintf(want, sizeof(want),
		       "attachment; filename=\"%s\"; filename*=UTF-8''%s", utf8,
		       extended);
	check_as(name, false, FILE_NAME_UTF8, want);
	(void)snprintf(want, sizeof(want),
		       "inline; filename=\"%s\"; filename*=UTF-8''%s", encoded,
		       extended);
	check_as(name, true, FILE_NAME_ENCODED, want);
}

static void a_plain_name_is_quoted(void **state)
{
	(void)state;
	for (int form = 0; form < 2; form++) {
		check_as("a b.txt", false, (enum file_name_form)form,
			 "attachment; filename=\"a b.txt\"");
		check_as("a.png", true, (enum file_name_form)form,
			 "inline; filename=\"a.png\"");
		check_as("a;b=c,d'e.txt", false, (enum file_name_form)form,
			 "attachment; filename=\"a;b=c,d'e.txt\"");
	}
}

static void any_other_name_is_written_in_two_forms(void **state)
{
	(void)state;
	/* RFC 6266 5's euro */
	check_forms("\xe2\x82\xac rates", "\xe2\x82\xac rates",
		    "%E2%82%AC rates", "%E2%82%AC%20rates");
	check_forms("\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", "%F0%9F%98%80",
		    "%F0%9F%98%80");
}

static void characters_that_clients_read_differently_are_escaped(void **state)
{
	(void)state;
	check_forms("a\"b",
		    "a\xef\xbc\x82"
		    "b",
		    "a%22b", "a%22b");
	check_forms("a\\b",
		    "a\xef\xbc\xbc"
		    "b",
		    "a%5Cb", "a%5Cb");
	check_forms("100%41", "100%41", "100%2541", "100%2541");
}

static void a_name_cannot_end_the_header(void **state)
{
	/* such names are never stored; this holds even if one were */
	(void)state;
	check_forms("a\r\nX: y\x7f", "a__X: y_", "a%0D%0AX: y%7F",
		    "a%0D%0AX%3A%20y%7F");
}

static void only_curl_gets_a_filename_in_utf_8(void **state)
{
	static const char *const others[] = {
		"",
		"Mozilla/5.0 (X11) curl/1",
		"aria2/1.36.0",
		"Wget/1.21.3",
		"curl",
	};

	(void)state;
	assert_int_equal(file_name_form_of(SPAN("curl/7.88.1")),
			 FILE_NAME_UTF8);
	for (size_t i = 0; i < COUNT(others); i++)
		assert_int_equal(file_name_form_of(span_of(others[i])),
				 FILE_NAME_ENCODED);
}

/* The filename of a name of `count` times `unit`, then `end` */
static struct span long_filename(const char *begin, const char *unit,
				 size_t count, const char *end, struct buf *b)
{
	struct span value, rest;
	struct buf name;

	buf_init(&name, FILE_NAME_MAX);
	buf_add_str(&name, begin);
	for (size_t i = 0; i < count; i++)
		buf_add_str(&name, unit);
	buf_add_str(&name, end);
	assert_ok(buf_error(&name));
	buf_init(b, FILE_NAME_DISPOSITION_MAX);
	file_name_disposition(buf_span(&name), false, FILE_NAME_ENCODED, b);
	assert_ok(buf_error(b));
	buf_release(&name);
	value = span_from(buf_span(b), sizeof("attachment; filename=\"") - 1);
	assert_true(span_cut(&value, '"', &rest));
	return value;
}

static void a_long_filename_is_cut_and_still_tells_two_files_apart(void **state)
{
	static const char *const begins[] = { "", "a", "ab" };
	struct span one, two;
	struct buf b, c;

	(void)state;
	for (size_t i = 0; i < COUNT(begins); i++) {
		one = long_filename(begins[i], "\xe6\x97\xa5", 80, "1.pdf", &b);
		two = long_filename(begins[i], "\xe6\x97\xa5", 80, "2.pdf", &c);
		assert_true(one.len <= FILE_NAME_MAX && one.len > 240);
		assert_true(span_has_suffix(one, SPAN(".pdf")));
		assert_false(span_eq(one, two));
		/* no half of an escape before the "~" */
		assert_true(one.p[one.len - 16] == '%');
		buf_release(&b);
		buf_release(&c);
	}
	one = long_filename("", "\xe6\x97\xa5", 80, ".\xe6\x97\xa5", &b);
	assert_true(one.len <= FILE_NAME_MAX);
	buf_release(&b);
}

static void the_longest_names_fit_a_header(void **state)
{
	char name[FILE_NAME_MAX + 1];
	struct buf b;

	(void)state;
	memset(name, '"', FILE_NAME_MAX);
	buf_init(&b, FILE_NAME_DISPOSITION_MAX);
	file_name_disposition((struct span) { name, FILE_NAME_MAX }, false,
			      FILE_NAME_UTF8, &b);
	assert_ok(buf_error(&b));
	assert_true(b.len > 4 * FILE_NAME_MAX);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_name_is_unchanged),
		TEST(the_name_is_the_part_behind_the_last_slash),
		TEST(a_path_without_a_name_is_refused),
		TEST(a_name_that_looks_encoded_is_not_decoded),
		TEST(a_name_with_a_control_character_is_refused),
		TEST(a_control_character_in_a_folder_is_allowed),
		TEST(a_name_that_is_not_utf_8_is_refused),
		TEST(a_name_has_a_maximum_length),
		TEST(a_long_path_leaves_its_short_name),
		TEST(a_name_is_cleaned),
		TEST(a_typed_name_is_no_path),
		TEST(a_plain_name_is_quoted),
		TEST(any_other_name_is_written_in_two_forms),
		TEST(characters_that_clients_read_differently_are_escaped),
		TEST(a_name_cannot_end_the_header),
		TEST(only_curl_gets_a_filename_in_utf_8),
		TEST(a_long_filename_is_cut_and_still_tells_two_files_apart),
		TEST(the_longest_names_fit_a_header),
	};

	return RUN(tests);
}
