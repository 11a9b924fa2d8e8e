#include "cgi-gateway/parse/name_fold.h"
#include "tests/unit/unit.h"

static void check(const char *name, const char *want)
{
	char got[NAME_FOLD_MAX + 1];

	assert_ok(name_fold(span_of(name), got));
	assert_string_equal(got, want);
}

static void refused(struct span name)
{
	char got[NAME_FOLD_MAX + 1] = "untouched";

	assert_err(name_fold(name, got), ERR_FORMAT);
	assert_string_equal(got, "untouched");
}

static void nfc_and_nfd_have_the_same_form(void **state)
{
	(void)state;
	/* Grüße: U+00FC, and u with U+0308 */
	check("Gr\xc3\xbc\xc3\x9f"
	      "e.txt",
	      "grusse.txt");
	check("Gru\xcc\x88\xc3\x9f"
	      "e.txt",
	      "grusse.txt");
	/* Vietnamese, with two marks in either order */
	check("\xe1\xbb\x87", "e");
	check("e\xcc\xa3\xcc\x82", "e");
	check("e\xcc\x82\xcc\xa3", "e");
}

static void a_hangul_syllable_is_one_character(void **state)
{
	(void)state;
	/* 테스트 in NFC, and in NFD as macOS sends it */
	check("\xed\x85\x8c\xec\x8a\xa4\xed\x8a\xb8",
	      "\xed\x85\x8c\xec\x8a\xa4\xed\x8a\xb8");
	check("\xe1\x84\x90\xe1\x85\xa6\xe1\x84\x89\xe1\x85\xb3\xe1\x84\x90\xe1"
	      "\x85\xb3",
	      "\xed\x85\x8c\xec\x8a\xa4\xed\x8a\xb8");
}

static void case_does_not_count(void **state)
{
	(void)state;
	check("README.TXT", "readme.txt");
	check("STRASSE", "strasse");
	check("stra\xc3\x9f"
	      "e",
	      "strasse");
	check("STRA\xe1\xba\x9e"
	      "E",
	      "strasse"); /* capital sharp s */
	check("\xce\xa3\xce\xaf\xcf\x83\xcf\x85\xcf\x86\xce\xbf\xcf\x82",
	      "\xcf\x83\xce\xb9\xcf\x83\xcf\x85\xcf\x86\xce\xbf\xcf\x83");
	check("\xd0\x9f\xd0\xa0\xd0\x98\xd0\x92\xd0\x95\xd0\xa2",
	      "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82");
}

static void accents_and_strokes_do_not_count(void **state)
{
	(void)state;
	check("\xc3\x80\xc3\xa9\xc3\xae\xc3\xb5\xc3\xa7", "aeioc");
	check("S\xc3\xb8rensen \xc5\x81\xc3\xb3"
	      "d\xc5\xba \xc3\x86\xc5\x93",
	      "sorensen lodz aeoe");
	check("\xe3\x81\x8c", "\xe3\x81\x8b"); /* hiragana ga and ka */
}

static void a_vowel_sign_of_an_indic_script_is_a_letter(void **state)
{
	(void)state;
	check("\xe0\xa4\x95\xe0\xa5\x81", "\xe0\xa4\x95\xe0\xa5\x81"); /* ku */
}

static void compatibility_forms_and_invisible_characters_do_not_count(
	void **state)
{
	(void)state;
	check("\xef\xbc\xa1\xef\xbc\xa2", "ab"); /* fullwidth AB */
	check("\xef\xac\x81le", "file");	 /* ligature fi */
	check("a\xc2\xa0z", "a z");		 /* no-break space */
	check("so\xc2\xad"
	      "ft",
	      "soft"); /* soft hyphen */
	check("a\xe2\x80\x8d"
	      "b\xef\xb8\x8f",
	      "ab"); /* joiner, variation */
}

static void other_characters_stay(void **state)
{
	(void)state;
	check("", "");
	check(" a%_\\'\".tar.gz ", " a%_\\'\".tar.gz ");
	check("\xe6\x97\xa5\xe6\x9c\xac.pdf", "\xe6\x97\xa5\xe6\x9c\xac.pdf");
	check("\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80");
}

static void an_accent_alone_has_an_empty_form(void **state)
{
	(void)state;
	check("\xcc\x88\xcc\x81", "");
}

static void the_longest_form_fits(void **state)
{
	char name[FILE_NAME_MAX + 1], got[NAME_FOLD_MAX + 1];

	(void)state;
	for (size_t i = 0; i < FILE_NAME_MAX; i += 3)
		memcpy(name + i, "\xef\xb7\xba", 3); /* U+FDFA */
	name[FILE_NAME_MAX] = '\0';
	assert_ok(name_fold(span_of(name), got));
	assert_int_equal(strlen(got), NAME_FOLD_MAX);
}

static void what_is_not_utf8_or_too_long_is_refused(void **state)
{
	char name[FILE_NAME_MAX + 2];

	(void)state;
	refused(SPAN("\xff"));
	refused(SPAN("a\xc3"));
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	refused(span_of(name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nfc_and_nfd_have_the_same_form),
		TEST(a_hangul_syllable_is_one_character),
		TEST(case_does_not_count),
		TEST(accents_and_strokes_do_not_count),
		TEST(a_vowel_sign_of_an_indic_script_is_a_letter),
		TEST(compatibility_forms_and_invisible_characters_do_not_count),
		TEST(other_characters_stay),
		TEST(an_accent_alone_has_an_empty_form),
		TEST(the_longest_form_fits),
		TEST(what_is_not_utf8_or_too_long_is_refused),
	};

	return RUN(tests);
}
