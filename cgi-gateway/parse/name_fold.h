/* name_fold.h - the form of a file name that searches compare.
 *
 * Two names that a reader takes for the same have the same form: however their
 * letters were composed (NFC, NFD; UAX 15), in capitals or not, with accents or
 * without. It consists of these steps:
 *
 *   1. case folding with compatibility decomposition (Unicode 3.13; NFKD)
 *   2. accents, and characters that are invisible by default, are removed; a
 *      mark with the combining class 0, such as a vowel of Devanagari, is a
 *      letter and stays
 *   3. letters with a stroke, ligatures and the dotless i become plain letters
 *   4. NFC, so that a Hangul syllable is one character
 *
 * So "Grüße" in NFC, "Grüße" in NFD, "GRÜSSE" and "grusse" have one form.
 */
#ifndef NAME_FOLD_H
#define NAME_FOLD_H

#include "cgi-gateway/parse/file_name.h"
#include "common/base/err.h"
#include "common/base/span.h"

enum {
	/* bytes and characters of the longest form: U+FDFA, of 3 bytes, becomes
	 * 18 characters in 33 bytes */
	NAME_FOLD_MAX = FILE_NAME_MAX / 3 * 33,
	NAME_FOLD_CHARS_MAX = FILE_NAME_MAX / 3 * 18,
};

/* Fold a name of at most FILE_NAME_MAX bytes. The form may be empty, for
 * instance of an accent alone.
 *
 *   ERR_FORMAT  not UTF-8, too long, or with a NUL */
enum err name_fold(struct span name,
		   char out[static NAME_FOLD_MAX + 1]) MUST_CHECK;

#endif
