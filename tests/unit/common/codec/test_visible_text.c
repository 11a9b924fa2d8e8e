#include "common/codec/visible_text.h"
#include "tests/unit/unit.h"

enum {
	MAX = 60, /* bytes of a text here */
};

static void check(const char *sent, const char *want)
{
	char got[MAX + 1];
	struct text_fault fault;

	if (visible_text_clean(span_of(sent), got, MAX, &fault) != ERR_OK)
		fail_msg("\"%s\" %s", sent, fault.text);
	assert_string_equal(got, want);
	/* cleaning a clean text changes nothing */
	assert_ok(visible_text_clean(span_of(want), got, MAX, &fault));
	assert_string_equal(got, want);
}

static void kept(const char *text)
{
	check(text, text);
}

static void refused(struct span sent, const char *why)
{
	char got[MAX + 1];
	struct text_fault fault = { "" };

	assert_err(visible_text_clean(sent, got, MAX, &fault), ERR_INVALID);
	assert_contains(fault.text, why);
}

static void text_of_any_script_is_kept(void **state)
{
	(void)state;
	kept("a b.txt");
	kept("Stra\u00dfe \u0391\u03b8\u03ae\u03bd\u03b1 "
	     "\u041a\u0438\u0457\u0432");
	kept("\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627");
	kept("\u65e5\u672c\u8a9e\u3000\ud55c\uad6d\uc5b4");
	kept("a\u0308\u034f\u0301");
	kept("10\u202f000\u00a0\u20ac");
	kept("\ue000\ufffd");
}

static void joiners_are_kept_where_they_join(void **state)
{
	(void)state;
	/* Persian, Hindi, a family, a heart on fire */
	kept("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645");
	kept("\u0915\u094d\u200d\u0937");
	kept("\U0001f469\u200d\U0001f469\u200d\U0001f467.png");
	kept("\u2764\ufe0f\u200d\U0001f525");
	check("pay\u200dpal", "paypal");
	check("\u200ca", "a");
	check("a \u200db", "a b");
	check("\u0645\u200c\u200d\u200c\u0645", "\u0645\u200c\u0645");
	check("\u0645\u200c", "\u0645");
	check("\u0645\u200c .", "\u0645\u200c .");
}

static void selectors_and_tags_are_kept_where_they_have_an_effect(void **state)
{
	(void)state;
	kept("\u2764\ufe0f");
	kept("1\ufe0f\u20e3 #\ufe0f\u20e3");
	kept("\u845b\U000e0100");
	kept("\u1820\u180b\u1820\u180e\u1820");
	/* the flag of Scotland */
	kept("\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074"
	     "\U000e007f");
	check("a\ufe0f", "a");
	check("\ufe0f.", ".");
	check("\u2764\ufe0f\ufe0f", "\u2764\ufe0f");
	check("a\U000e0041\U000e0042", "a");
}

static void characters_that_show_nothing_are_removed(void **state)
{
	static const char *const invisible[] = {
		"\u00ad",     "\u061c",	    "\u200b",	  "\u200e",
		"\u200f",     "\u2060",	    "\u2061",	  "\u2064",
		"\u206a",     "\u206f",	    "\ufeff",	  "\ufff9",
		"\ufffb",     "\u3164",	    "\uffa0",	  "\u180e",
		"\U0001d173", "\U0001bca0", "\U000e0001", "\U000e0fff",
	};
	char sent[32];

	(void)state;
	for (size_t i = 0; i < COUNT(invisible); i++) {
		(void)snprintf(sent, sizeof(sent), "%sa%sb%s", invisible[i],
			       invisible[i], invisible[i]);
		check(sent, "ab");
	}
}

static void blanks_at_the_ends_are_removed(void **state)
{
	(void)state;
	check("  a  b  ", "a  b");
	check("\u00a0\u3000a\u2003\u202f\u2800", "a");
	check(" \u200b \ufeff a \u200e ", "a");
}

static void text_that_shows_nothing_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"   ",
		"\u00a0",
		"\u3000\u2003",
		"\u200b",
		"\u200b\u200c\u200d",
		"\ufeff",
		"\u00ad",
		"\u2800",
		"\u3164",
		"\u115f",
		"\u1160",
		"\u034f",
		"\u17b4",
		"\ufe0f",
		"\U000e0041",
		" \u200e ",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		refused(span_of(texts[i]), "shows nothing");
	refused((struct span) { NULL, 0 }, "shows nothing");
}

static void a_change_of_direction_is_refused_by_its_name(void **state)
{
	char sent[16], code[8];

	(void)state;
	for (int c = 0x202a; c <= 0x2069; c++) {
		if (c > 0x202e && c < 0x2066)
			continue;
		(void)snprintf(sent, sizeof(sent), "a%c%c%cb", 0xe2,
			       0x80 | (c >> 6 & 0x3f), 0x80 | (c & 0x3f));
		(void)snprintf(code, sizeof(code), "U+%04X", (unsigned)c);
		refused(span_of(sent), code);
	}
}

static void a_control_is_refused_by_its_name(void **state)
{
	(void)state;
	refused(SPAN("a\0b"), "U+0000");
	refused(SPAN("a\nb"), "U+000A");
	refused(SPAN("a\x1b[31m"), "U+001B");
	refused(SPAN("a\x7f"), "U+007F");
	refused(SPAN("a\xc2\x85"), "U+0085");
	refused(SPAN("a\u2028"), "U+2028");
	refused(SPAN("a\u2029"), "U+2029");
	refused(SPAN("a\ufdd0"), "U+FDD0");
	refused(SPAN("a\uffff"), "U+FFFF");
	refused(SPAN("a\U0010fffe"), "U+10FFFE");
}

static void text_that_is_not_utf_8_is_refused(void **state)
{
	(void)state;
	refused(SPAN("\xff"), "not UTF-8");
	refused(SPAN("caf\xe9"), "not UTF-8");
	refused(SPAN("\xed\xa0\x80"), "not UTF-8");
	refused(SPAN("\xc0\xaf"), "not UTF-8");
	refused(SPAN("cut \xe2\x82"), "not UTF-8");
}

static void the_maximum_counts_what_remains(void **state)
{
	char text[MAX + 8], got[MAX + 1];
	struct text_fault fault;

	(void)state;
	memset(text, 'n', sizeof(text));
	assert_ok(visible_text_clean((struct span) { text, MAX }, got, MAX,
				     &fault));
	assert_int_equal(strlen(got), MAX);
	refused((struct span) { text, MAX + 1 }, "longer than 60 bytes");
	memset(text + MAX, ' ', 8);
	assert_ok(visible_text_clean((struct span) { text, sizeof(text) }, got,
				     MAX, &fault));
	assert_int_equal(strlen(got), MAX);
	/* a character is never cut in two */
	memcpy(text + MAX - 1, "\u20ac", 3);
	refused((struct span) { text, MAX + 2 }, "longer");
}

static void only_short_clean_text_can_be_quoted(void **state)
{
	(void)state;
	assert_true(visible_text_can_be_quoted(SPAN("gr\u00fcn")));
	assert_true(visible_text_can_be_quoted(
		SPAN("0123456789012345678901234567890123456789")));
	assert_false(visible_text_can_be_quoted(
		SPAN("01234567890123456789012345678901234567890")));
	assert_false(visible_text_can_be_quoted(SPAN("a\u200bb")));
	assert_false(visible_text_can_be_quoted(SPAN("a\xff")));
	assert_false(visible_text_can_be_quoted(SPAN("a ")));
	assert_false(visible_text_can_be_quoted(SPAN("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(text_of_any_script_is_kept),
		TEST(joiners_are_kept_where_they_join),
		TEST(selectors_and_tags_are_kept_where_they_have_an_effect),
		TEST(characters_that_show_nothing_are_removed),
		TEST(blanks_at_the_ends_are_removed),
		TEST(text_that_shows_nothing_is_refused),
		TEST(a_change_of_direction_is_refused_by_its_name),
		TEST(a_control_is_refused_by_its_name),
		TEST(text_that_is_not_utf_8_is_refused),
		TEST(the_maximum_counts_what_remains),
		TEST(only_short_clean_text_can_be_quoted),
	};

	return RUN(tests);
}
