#include "tests/unit/unit.h"

#include "common/codec/normalize.h"

/* "Müller", composed and decomposed; Hangul; a final sigma */
#define NFC "M\xc3\xbcller"
#define NFD "Mu\xcc\x88ller"
#define HANGUL_NFC "\xed\x85\x8c"
#define HANGUL_NFD "\xe1\x84\x90\xe1\x85\xa6"

static char out[NORMALIZE_SIZE];

static const char *in_form(const char *text, enum normal_form f)
{
	assert_ok(normalize(span_of(text), f, out));
	return out;
}

static void a_text_has_one_composed_and_one_decomposed_form(void **state)
{
	(void)state;
	assert_string_equal(in_form(NFD, NORMAL_NFC), NFC);
	assert_string_equal(in_form(NFC, NORMAL_NFC), NFC);
	assert_string_equal(in_form(NFC, NORMAL_NFD), NFD);
	assert_string_equal(in_form(NFD, NORMAL_NFD), NFD);
	assert_string_equal(in_form(HANGUL_NFD, NORMAL_NFC), HANGUL_NFC);
	assert_string_equal(in_form(HANGUL_NFC, NORMAL_NFD), HANGUL_NFD);
	/* marks in another order: ệ as e, circumflex, dot below */
	assert_string_equal(in_form("e\xcc\x82\xcc\xa3", NORMAL_NFC),
			    "\xe1\xbb\x87");
	assert_string_equal(in_form("", NORMAL_NFC), "");
	assert_string_equal(in_form("plain", NORMAL_NFD), "plain");
}

static void compatible_characters_stay_what_they_are(void **state)
{
	(void)state;
	/* a ligature and a wide A */
	assert_string_equal(in_form("\xef\xac\x81\xef\xbc\xa1", NORMAL_NFC),
			    "\xef\xac\x81\xef\xbc\xa1");
	assert_string_equal(in_form("\xef\xac\x81\xef\xbc\xa1", NORMAL_OPAQUE),
			    "\xef\xac\x81\xef\xbc\xa1");
}

/* RFC 8265 4.3, examples 15 to 20 */
static void an_opaque_string_is_composed_and_has_ascii_blanks(void **state)
{
	(void)state;
	assert_string_equal(
		in_form("correct horse battery staple", NORMAL_OPAQUE),
		"correct horse battery staple");
	assert_string_equal(in_form("Correct Horse", NORMAL_OPAQUE),
			    "Correct Horse");
	assert_string_equal(in_form("\xcf\x80\xc3\x9f\xc3\xa5", NORMAL_OPAQUE),
			    "\xcf\x80\xc3\x9f\xc3\xa5");
	assert_string_equal(in_form("foo\xe1\x9a\x80"
				    "bar",
				    NORMAL_OPAQUE),
			    "foo bar");
	assert_string_equal(in_form("a\xc2\xa0" NFD, NORMAL_OPAQUE), "a " NFC);
	assert_string_equal(in_form("a\xc2\xa0", NORMAL_NFC), "a\xc2\xa0");
}

static void a_folded_text_has_no_case(void **state)
{
	(void)state;
	assert_string_equal(in_form("M\xc3\x9cLLER@X", NORMAL_FOLDED),
			    "m\xc3\xbcller@x");
	assert_string_equal(in_form("ABC", NORMAL_FOLDED), "abc");
}

static void text_that_is_not_utf8_has_no_form(void **state)
{
	static const char *const bad[] = { "\xff", "a\xc3", "\xed\xa0\x80",
					   "\xc0\x80" };

	(void)state;
	memset(out, 'x', sizeof(out));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_err(normalize(span_of(bad[i]), NORMAL_NFC, out),
			   ERR_FORMAT);
	assert_int_equal(out[0], 'x');
}

/* U+0958 composes to two characters, U+0390 decomposes to three */
static void a_text_of_the_maximum_length_has_room_for_any_form(void **state)
{
	char text[NORMALIZE_MAX + 1];

	(void)state;
	for (size_t i = 0; i + 2 < NORMALIZE_MAX; i += 3)
		memcpy(text + i, "\xe0\xa5\x98", 3);
	assert_ok(normalize((struct span) { text, NORMALIZE_MAX / 3 * 3 },
			    NORMAL_NFC, out));
	assert_int_equal(strlen(out), NORMALIZE_MAX / 3 * 6);
	for (size_t i = 0; i < NORMALIZE_MAX; i += 2)
		memcpy(text + i, "\xce\x90", 2);
	for (int f = NORMAL_NFC; f <= NORMAL_FOLDED; f++)
		assert_ok(normalize((struct span) { text, NORMALIZE_MAX },
				    (enum normal_form)f, out));
	memset(text, 'x', sizeof(text));
	assert_err(normalize((struct span) { text, NORMALIZE_MAX + 1 },
			     NORMAL_NFC, out),
		   ERR_TOO_LARGE);
	assert_ok(normalize((struct span) { text, NORMALIZE_MAX }, NORMAL_NFC,
			    out));
	assert_int_equal(strlen(out), NORMALIZE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_text_has_one_composed_and_one_decomposed_form),
		TEST(compatible_characters_stay_what_they_are),
		TEST(an_opaque_string_is_composed_and_has_ascii_blanks),
		TEST(a_folded_text_has_no_case),
		TEST(text_that_is_not_utf8_has_no_form),
		TEST(a_text_of_the_maximum_length_has_room_for_any_form),
	};

	return RUN(tests);
}
