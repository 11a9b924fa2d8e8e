/* normalize.h - one spelling for the many that Unicode has for a text (Unicode
 * Standard Annex #15): "ü" is one character or two, and a keyboard, a file
 * system and a browser each choose for themselves.
 *
 * Pure. The tables are those of utf8proc.
 */
#ifndef NORMALIZE_H
#define NORMALIZE_H

#include "common/base/err.h"
#include "common/base/span.h"

enum {
	NORMALIZE_MAX = 1024, /* bytes of a text */
	/* bytes of a result: a form has up to three times as many */
	NORMALIZE_SIZE = NORMALIZE_MAX * 3 + 1,
};

enum normal_form {
	NORMAL_NFC,    /* composed */
	NORMAL_NFD,    /* decomposed */
	NORMAL_OPAQUE, /* OpaqueString (RFC 8265 4.2) for passwords: NFC, and
			  each kind of blank is U+0020 */
	NORMAL_FOLDED, /* NFC without case, to compare; not to show */
};

/* Write `text` in the form `f`, terminated.
 *
 *   ERR_FORMAT     `text` is not well-formed UTF-8
 *   ERR_TOO_LARGE  `text` is longer than NORMALIZE_MAX
 *
 * After an error `out` is untouched. */
enum err normalize(struct span text, enum normal_form f,
		   char out[static NORMALIZE_SIZE]) MUST_CHECK;

#endif
