#include "tests/unit/unit.h"

static void a_null_string_is_the_empty_span(void **state)
{
	(void)state;
	assert_int_equal(span_of(NULL).len, 0);
	assert_int_equal(span_of("").len, 0);
	assert_int_equal(span_of("abc").len, 3);
}

static void equal_spans_have_equal_bytes_and_lengths(void **state)
{
	(void)state;
	assert_true(span_eq(SPAN("abc"), SPAN("abc")));
	assert_false(span_eq(SPAN("abc"), SPAN("abd")));
	assert_false(span_eq(SPAN("abc"), SPAN("ab")));
	assert_false(span_eq(SPAN("abc"), SPAN("ABC")));
	assert_true(span_eq(SPAN("a\0b"), SPAN("a\0b")));
	assert_false(span_eq(SPAN("a\0b"), SPAN("a\0c")));
	assert_true(span_eq(SPAN(""), (struct span) { NULL, 0 }));
}

static void the_case_of_ascii_letters_only_is_ignored(void **state)
{
	(void)state;
	assert_true(span_eq_nocase(SPAN("BeArEr"), SPAN("bearer")));
	assert_false(span_eq_nocase(SPAN("bearer"), SPAN("bearer ")));
	for (int c = 0; c < 256; c++) {
		char a = (char)c, b = (char)(c ^ 0x20);
		bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

		assert_int_equal(span_eq_nocase((struct span) { &a, 1 },
						(struct span) { &b, 1 }),
				 letter);
	}
}

static void a_prefix_is_no_longer_than_the_text(void **state)
{
	(void)state;
	assert_true(span_has_prefix(SPAN("text"), SPAN("te")));
	assert_true(span_has_prefix(SPAN("text"), SPAN("text")));
	assert_true(span_has_prefix(SPAN("text"), SPAN("")));
	assert_false(span_has_prefix(SPAN("te"), SPAN("text")));
	assert_false(span_has_prefix(SPAN("text"), SPAN("TE")));
	assert_true(span_has_prefix_nocase(SPAN("text"), SPAN("TE")));
	assert_false(span_has_prefix_nocase(SPAN("t"), SPAN("TE")));
}

static void a_suffix_is_no_longer_than_the_text(void **state)
{
	(void)state;
	assert_true(span_has_suffix(SPAN("a.fcgi"), SPAN(".fcgi")));
	assert_true(span_has_suffix(SPAN(".fcgi"), SPAN(".fcgi")));
	assert_true(span_has_suffix(SPAN("x"), SPAN("")));
	assert_false(span_has_suffix(SPAN("fcgi"), SPAN(".fcgi")));
}

static void a_character_not_found_is_at_the_end(void **state)
{
	(void)state;
	assert_int_equal(span_find(SPAN("a.b.c"), '.'), 1);
	assert_int_equal(span_find(SPAN("abc"), '.'), 3);
	assert_int_equal(span_find((struct span) { NULL, 0 }, '.'), 0);
	assert_int_equal(span_find(SPAN("ab\0c"), '\0'), 2);
}

static void a_span_from_beyond_the_end_is_empty(void **state)
{
	(void)state;
	assert_span(span_from(SPAN("abc"), 1), "bc");
	assert_span(span_from(SPAN("abc"), 3), "");
	assert_span(span_from(SPAN("abc"), 4), "");
	assert_span(span_from((struct span) { NULL, 0 }, 1), "");
}

static void cut_splits_at_the_first_and_cut_last_at_the_last(void **state)
{
	struct span s = SPAN("a.b.c"), rest;

	(void)state;
	assert_true(span_cut(&s, '.', &rest));
	assert_span(s, "a");
	assert_span(rest, "b.c");
	s = SPAN("a.b.c");
	assert_true(span_cut_last(&s, '.', &rest));
	assert_span(s, "a.b");
	assert_span(rest, "c");
	s = SPAN(".");
	assert_true(span_cut_last(&s, '.', &rest));
	assert_span(s, "");
	assert_span(rest, "");
}

static void a_cut_that_fails_leaves_its_outputs(void **state)
{
	struct span s = SPAN("abc"), rest = SPAN("before");

	(void)state;
	assert_false(span_cut(&s, '.', &rest));
	assert_false(span_cut_last(&s, '.', &rest));
	assert_span(s, "abc");
	assert_span(rest, "before");
	s = (struct span) { NULL, 0 };
	assert_false(span_cut_last(&s, '.', &rest));
}

static void items_are_trimmed_and_may_be_empty(void **state)
{
	struct span s = SPAN(" a ,,\tb c,"), item;

	(void)state;
	assert_true(span_next(&s, ',', &item));
	assert_span(item, "a");
	assert_true(span_next(&s, ',', &item));
	assert_span(item, "");
	assert_true(span_next(&s, ',', &item));
	assert_span(item, "b c");
	assert_true(span_next(&s, ',', &item));
	assert_span(item, "");
	assert_false(span_next(&s, ',', &item));
}

static void trimming_removes_blanks_but_not_line_ends(void **state)
{
	(void)state;
	assert_span(span_trim(SPAN(" \t a b \t")), "a b");
	assert_span(span_trim(SPAN(" \t ")), "");
	assert_span(span_trim(SPAN("a\r\n")), "a\r\n");
}

static void a_number_has_decimal_digits_only(void **state)
{
	static const char *const wrong[] = { "",	 "-1",	"+1",  " 1",
					     "1 ",	 "0x1", "1.0", "1e1",
					     "\xd9\xa1", "1:",	"1/" };
	int64_t n = 77;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(span_to_int(span_of(wrong[i]), &n));
	assert_false(span_to_int(SPAN("1\0"), &n));
	assert_int_equal(n, 77);
	assert_true(span_to_int(SPAN("0"), &n));
	assert_int_equal(n, 0);
	assert_true(span_to_int(SPAN("007"), &n));
	assert_int_equal(n, 7);
}

static void the_largest_number_is_read_and_the_next_is_not(void **state)
{
	int64_t n = 77;

	(void)state;
	assert_false(span_to_int(SPAN("9223372036854775808"), &n));
	assert_false(span_to_int(SPAN("9223372036854775810"), &n));
	assert_false(span_to_int(SPAN("99999999999999999999999999"), &n));
	assert_int_equal(n, 77);
	assert_true(span_to_int(SPAN("9223372036854775807"), &n));
	assert_true(n == INT64_MAX);
	assert_true(span_to_int(SPAN("0000000000000000000000001"), &n));
	assert_int_equal(n, 1);
}

static void a_list_contains_whole_words_only(void **state)
{
	struct span list = SPAN("files:read  files:write");

	(void)state;
	assert_true(span_list_has(list, SPAN("files:read")));
	assert_true(span_list_has(list, SPAN("files:write")));
	assert_false(span_list_has(list, SPAN("files")));
	assert_false(span_list_has(list, SPAN("files:writ")));
	assert_false(span_list_has(list, SPAN("read")));
	assert_false(span_list_has(list, SPAN("")));
	assert_false(span_list_has(SPAN(""), SPAN("admin")));
	assert_false(span_list_has(list, SPAN("files:read  files:write")));
	assert_true(span_list_has_all(list, SPAN("")));
	assert_true(span_list_has_all(list, SPAN("files:write files:read")));
	assert_false(span_list_has_all(list, SPAN("files:write admin:x")));
	assert_false(span_list_has_all(SPAN(""), SPAN("admin")));
}

static void a_copy_fits_with_its_nul_or_is_not_made(void **state)
{
	char out[4] = "old";

	(void)state;
	assert_false(span_to_cstr(SPAN("1234"), out, sizeof(out)));
	assert_string_equal(out, "old");
	assert_true(span_to_cstr(SPAN("123"), out, sizeof(out)));
	assert_string_equal(out, "123");
	assert_true(span_to_cstr((struct span) { NULL, 0 }, out, sizeof(out)));
	assert_string_equal(out, "");
	assert_false(span_to_cstr(SPAN(""), out, 0));
}

static void a_text_with_a_nul_byte_is_never_a_c_string(void **state)
{
	char out[8] = "old";

	(void)state;
	assert_false(span_to_cstr(SPAN("a\0b"), out, sizeof(out)));
	assert_false(span_to_cstr(SPAN("ab\0"), out, sizeof(out)));
	assert_string_equal(out, "old");
}

static void a_control_character_is_below_a_blank_or_del(void **state)
{
	(void)state;
	assert_false(span_has_control((struct span) { NULL, 0 }));
	assert_false(span_has_control(SPAN(" ~\xc3\xa9\x80")));
	assert_true(span_has_control(SPAN("a\x1f")));
	assert_true(span_has_control(SPAN("\x7f")));
	assert_true(span_has_control(SPAN("a\0b")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_null_string_is_the_empty_span),
		TEST(equal_spans_have_equal_bytes_and_lengths),
		TEST(the_case_of_ascii_letters_only_is_ignored),
		TEST(a_prefix_is_no_longer_than_the_text),
		TEST(a_suffix_is_no_longer_than_the_text),
		TEST(a_character_not_found_is_at_the_end),
		TEST(a_span_from_beyond_the_end_is_empty),
		TEST(cut_splits_at_the_first_and_cut_last_at_the_last),
		TEST(a_cut_that_fails_leaves_its_outputs),
		TEST(items_are_trimmed_and_may_be_empty),
		TEST(trimming_removes_blanks_but_not_line_ends),
		TEST(a_number_has_decimal_digits_only),
		TEST(the_largest_number_is_read_and_the_next_is_not),
		TEST(a_list_contains_whole_words_only),
		TEST(a_copy_fits_with_its_nul_or_is_not_made),
		TEST(a_text_with_a_nul_byte_is_never_a_c_string),
		TEST(a_control_character_is_below_a_blank_or_del),
	};

	return RUN(tests);
}
