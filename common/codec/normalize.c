#include "common/codec/normalize.h"

#include "common/codec/encode.h"

#include <sodium.h>
#include <string.h>
#include <utf8proc.h>

enum {
	/* A character of two bytes or more has up to four code points, and one
	 * of a single byte has one. */
	POINTS_MAX = NORMALIZE_MAX * 2,
};

static const int options[] = {
	[NORMAL_NFC] = UTF8PROC_STABLE | UTF8PROC_COMPOSE,
	[NORMAL_NFD] = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE,
	[NORMAL_OPAQUE] = UTF8PROC_STABLE | UTF8PROC_COMPOSE,
	[NORMAL_FOLDED] =
		UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD,
};

/* RFC 8265 4.2.2, "Additional Mapping Rule" */
static void map_blanks(utf8proc_int32_t *points, utf8proc_ssize_t n)
{
	for (utf8proc_ssize_t i = 0; i < n; i++)
		if (utf8proc_category(points[i]) == UTF8PROC_CATEGORY_ZS)
			points[i] = ' ';
}

/* One code point more than the text has: utf8proc_reencode() ends it with a
 * NUL, in place */
static enum err rewrite(struct span text, enum normal_form f,
			utf8proc_int32_t points[static POINTS_MAX + 1],
			char *out)
{
	utf8proc_option_t how = (utf8proc_option_t)options[f];
	utf8proc_ssize_t n = utf8proc_decompose(
		(const utf8proc_uint8_t *)text.p, (utf8proc_ssize_t)text.len,
		points, POINTS_MAX, how);

	if (n > POINTS_MAX)
		return ERR_TOO_LARGE;
	if (n < 0)
		return ERR_FORMAT;
	if (f == NORMAL_OPAQUE)
		map_blanks(points, n);
	n = utf8proc_reencode(points, n, how);
	if (n < 0)
		return ERR_FORMAT;
	if (n >= NORMALIZE_SIZE)
		return ERR_TOO_LARGE;
	memcpy(out, points, (size_t)n);
	out[n] = '\0';
	return ERR_OK;
}

enum err normalize(struct span text, enum normal_form f,
		   char out[static NORMALIZE_SIZE])
{
	utf8proc_int32_t points[POINTS_MAX + 1];
	enum err e;

	if (text.len > NORMALIZE_MAX)
		return ERR_TOO_LARGE;
	if (!utf8_valid(text))
		return ERR_FORMAT;
	if (f != NORMAL_FOLDED && span_is_ascii(text)) {
		memcpy(out, text.len > 0 ? text.p : "", text.len);
		out[text.len] = '\0';
		return ERR_OK;
	}
	e = rewrite(text, f, points, out);
	sodium_memzero(points, sizeof(points)); /* it may be a password */
	return e;
}
