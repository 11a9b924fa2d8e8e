/* visible_text.h - text that one person writes and another reads, such as the
 * name of a file or of a link: it must not look like something else.
 *
 * Classes of characters (Unicode 15), and what becomes of them:
 *
 *   refused   controls (C0, DEL, C1), U+2028 and U+2029, noncharacters; the
 *             embeddings, overrides and isolates that turn the direction of
 *             text (U+202A to U+202E, U+2066 to U+2069)
 *   removed   characters that show nothing: U+200B, U+200E, U+200F, U+061C,
 *             U+2060, U+FEFF (a BOM), U+00AD, tags and others (Unicode's
 *             Default_Ignorable_Code_Point), unless the next line keeps them;
 *             blanks at both ends
 *   kept      joiners (U+200C, U+200D) after a letter, mark or emoji from
 *             U+0530 on, variation selectors after what they can vary, the tags
 *             of a flag (after U+1F3F4); everything else
 *
 * Pure. Cleaning a clean text changes nothing.
 */
#ifndef VISIBLE_TEXT_H
#define VISIBLE_TEXT_H

#include "common/base/err.h"
#include "common/base/span.h"

enum {
	TEXT_FAULT_MAX = 96, /* bytes of a reason, with its NUL */
	VISIBLE_TEXT_QUOTED = 40,
};

/* Why a text is refused, for its sender: the rest of a sentence whose subject
 * is the text, without a full stop: "is not UTF-8; send UTF-8" */
struct text_fault {
	char text[TEXT_FAULT_MAX];
};

/* Fill *fault and return ERR_INVALID. */
enum err text_fault_set(struct text_fault *fault, const char *fmt, ...)
	PRINTF_LIKE(2, 3);

/* Copy `sent` into `out`, which has room for `max` bytes and a NUL, as described
 * above. ERR_INVALID, with *fault filled and `out` undefined, if it has a
 * refused character, is not UTF-8, shows nothing, or is longer than `max`. */
enum err visible_text_clean(struct span sent, char *out, size_t max,
			    struct text_fault *fault) MUST_CHECK;

/* Whether `s` can be quoted in a sentence: a clean text of at most
 * VISIBLE_TEXT_QUOTED bytes. */
bool visible_text_can_be_quoted(struct span s);

#endif
