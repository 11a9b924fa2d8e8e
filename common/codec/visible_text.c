#include "common/codec/visible_text.h"

#include "common/codec/encode.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum err text_fault_set(struct text_fault *fault, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(fault->text, sizeof(fault->text), fmt, args);
	va_end(args);
	return ERR_INVALID;
}

/* --- classes of characters ------------------------------------------------ */

struct code_range {
	uint32_t first, last;
};

#define IN(c, ranges) in_ranges(c, ranges, sizeof(ranges) / sizeof(*(ranges)))

static bool in_ranges(uint32_t c, const struct code_range *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (c >= r[i].first && c <= r[i].last)
			return true;
	return false;
}

/* Controls, separators of lines and paragraphs, noncharacters */
static bool is_control(uint32_t c)
{
	static const struct code_range controls[] = {
		{ 0, 0x1f },
		{ 0x7f, 0x9f },
		{ 0x2028, 0x2029 },
		{ 0xfdd0, 0xfdef },
	};

	return IN(c, controls) || (c & 0xfffe) == 0xfffe;
}

/* UAX 9, explicit formatting characters */
static bool turns_direction(uint32_t c)
{
	static const struct code_range turns[] = { { 0x202a, 0x202e },
						   { 0x2066, 0x2069 } };

	return IN(c, turns);
}

/* White_Space without controls; and the braille pattern without dots */
static bool is_blank(uint32_t c)
{
	static const struct code_range blanks[] = {
		{ ' ', ' ' },	    { 0xa0, 0xa0 },	{ 0x1680, 0x1680 },
		{ 0x2000, 0x200a }, { 0x202f, 0x202f }, { 0x205f, 0x205f },
		{ 0x2800, 0x2800 }, { 0x3000, 0x3000 },
	};

	return IN(c, blanks);
}

static bool is_joiner(uint32_t c)
{
	return c == 0x200c || c == 0x200d;
}

static bool is_tag(uint32_t c)
{
	return c >= 0xe0020 && c <= 0xe007f;
}

/* Including those of Mongolian, and its vowel separator */
static bool is_variation(uint32_t c)
{
	static const struct code_range selectors[] = {
		{ 0x180b, 0x180f },
		{ 0xfe00, 0xfe0f },
		{ 0xe0100, 0xe01ef },
	};

	return IN(c, selectors);
}

/* Of Default_Ignorable_Code_Point, those that no name needs; and the anchors of
 * interlinear annotation */
static bool is_invisible(uint32_t c)
{
	static const struct code_range invisible[] = {
		{ 0xad, 0xad },	      { 0x61c, 0x61c },
		{ 0x200b, 0x200f },   { 0x2060, 0x206f },
		{ 0x3164, 0x3164 },   { 0xfeff, 0xfeff },
		{ 0xffa0, 0xffa0 },   { 0xfff0, 0xfffb },
		{ 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a },
		{ 0xe0000, 0xe0fff },
	};

	return IN(c, invisible);
}

/* Letters and marks that have a place in a name, but that show nothing alone */
static bool is_filler(uint32_t c)
{
	static const struct code_range fillers[] = {
		{ 0x34f, 0x34f },
		{ 0x115f, 0x1160 },
		{ 0x17b4, 0x17b5 },
	};

	return IN(c, fillers);
}

/* Whether `c` has an effect on the character before it, `before` (0: none) */
static bool has_effect(uint32_t c, uint32_t before)
{
	if (is_tag(c))
		return before == 0x1f3f4 || is_tag(before);
	if (before == 0 || is_blank(before) || is_joiner(before))
		return false;
	if (is_joiner(c))
		return before >= 0x530;
	if (c >= 0x180b && c <= 0x180f)
		return before >= 0x1800 && !is_variation(before);
	return !is_variation(before) &&
	       (before >= 0xa9 || before == '#' || before == '*' ||
		(before >= '0' && before <= '9'));
}

static bool is_kept(uint32_t c, uint32_t before)
{
	if (is_joiner(c) || is_variation(c) || is_tag(c))
		return has_effect(c, before);
	return !is_invisible(c);
}

static bool is_shown(uint32_t c)
{
	return !is_blank(c) && !is_joiner(c) && !is_variation(c) &&
	       !is_tag(c) && !is_filler(c);
}

/* --- text ----------------------------------------------------------------- */

/* Cut the first character off valid UTF-8 */
static uint32_t next_char(struct span *rest, struct span *bytes)
{
	unsigned char first = (unsigned char)rest->p[0];
	size_t len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	uint32_t c = len == 1 ? first : first & (0x7fU >> len);

	for (size_t i = 1; i < len; i++)
		c = c << 6 | ((unsigned char)rest->p[i] & 0x3fU);
	*bytes = (struct span) { rest->p, len };
	*rest = span_from(*rest, len);
	return c;
}

static enum err check_char(uint32_t c, struct text_fault *fault)
{
	if (is_control(c))
		return text_fault_set(
			fault, "has the control character U+%04X; remove it",
			(unsigned)c);
	if (turns_direction(c))
		return text_fault_set(fault,
				      "has U+%04X, which turns the direction "
				      "of text; remove it",
				      (unsigned)c);
	return ERR_OK;
}

enum err visible_text_clean(struct span sent, char *out, size_t max,
			    struct text_fault *fault)
{
	struct span rest = sent, bytes;
	size_t len = 0, end = 0; /* `end`: without blanks, joiners at its end */
	uint32_t before = 0;
	bool shown = false;

	if (!utf8_valid(sent))
		return text_fault_set(fault, "is not UTF-8; send UTF-8");
	while (rest.len > 0) {
		uint32_t c = next_char(&rest, &bytes);
		enum err e = check_char(c, fault);

		if (e != ERR_OK)
			return e;
		if (!is_kept(c, before) || (len == 0 && is_blank(c)))
			continue;
		/* Text beyond the maximum matters only if it is shown */
		if (len + bytes.len <= max)
			memcpy(out + len, bytes.p, bytes.len);
		len += bytes.len;
		before = c;
		if (!is_blank(c) && !is_joiner(c))
			end = len;
		shown = shown || is_shown(c);
	}
	if (!shown)
		return text_fault_set(fault, "shows nothing; choose another");
	if (end > max)
		return text_fault_set(
			fault, "is longer than %zu bytes; shorten it", max);
	out[end] = '\0';
	return ERR_OK;
}

bool visible_text_can_be_quoted(struct span s)
{
	char clean[VISIBLE_TEXT_QUOTED + 1];
	struct text_fault fault = { "" };

	return visible_text_clean(s, clean, VISIBLE_TEXT_QUOTED, &fault) ==
		       ERR_OK &&
	       span_eq(span_of(clean), s);
}
