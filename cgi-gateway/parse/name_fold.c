#include "cgi-gateway/parse/name_fold.h"

#include "common/codec/encode.h"

#include <string.h>
#include <utf8proc.h>

/* Letters that Unicode does not decompose, though readers type them without the
 * stroke; case folding has made them small */
static const struct {
	utf8proc_int32_t letter;
	char plain[3];
} plain_letters[] = {
	{ 0x00e6, "ae" }, { 0x00f0, "d" }, { 0x00f8, "o" }, { 0x0111, "d" },
	{ 0x0127, "h" },  { 0x0131, "i" }, { 0x0142, "l" }, { 0x0153, "oe" },
	{ 0x0167, "t" },  { 0x0180, "b" }, { 0x01e5, "g" }, { 0x0268, "i" },
};

static const char *plain_letter(utf8proc_int32_t c)
{
	for (size_t i = 0; i < sizeof(plain_letters) / sizeof(*plain_letters);
	     i++)
		if (plain_letters[i].letter == c)
			return plain_letters[i].plain;
	return NULL;
}

static bool is_accent(utf8proc_int32_t c)
{
	return utf8proc_get_property(c)->combining_class != 0;
}

/* Steps 2 and 3. Returns the number of code points, which is not more than
 * NAME_FOLD_CHARS_MAX + 1; -1 if there would be more */
static utf8proc_ssize_t simplify(const utf8proc_int32_t *points,
				 utf8proc_ssize_t n, utf8proc_int32_t *out)
{
	utf8proc_ssize_t to = 0;

	for (utf8proc_ssize_t i = 0; i < n; i++) {
		const char *plain = plain_letter(points[i]);

		if (to > NAME_FOLD_CHARS_MAX - 1)
			return -1;
		if (plain == NULL && !is_accent(points[i]))
			out[to++] = points[i];
		for (; plain != NULL && *plain != '\0'; plain++)
			out[to++] = (unsigned char)*plain;
	}
	return to;
}

enum err name_fold(struct span name, char out[static NAME_FOLD_MAX + 1])
{
	/* utf8proc_reencode() ends its result with a NUL, in place */
	utf8proc_int32_t points[NAME_FOLD_CHARS_MAX];
	utf8proc_int32_t simple[NAME_FOLD_CHARS_MAX + 2];
	utf8proc_ssize_t n;

	if (name.len > FILE_NAME_MAX || !utf8_valid(name) ||
	    span_find(name, '\0') < name.len)
		return ERR_FORMAT;
	/* UTF8PROC_IGNORE drops what is invisible by default */
	n = utf8proc_decompose(
		(const utf8proc_uint8_t *)name.p, (utf8proc_ssize_t)name.len,
		points, NAME_FOLD_CHARS_MAX,
		UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT |
			UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
	if (n < 0 || n > NAME_FOLD_CHARS_MAX)
		return ERR_FORMAT;
	n = simplify(points, n, simple);
	if (n >= 0)
		n = utf8proc_reencode(simple, n,
				      UTF8PROC_STABLE | UTF8PROC_COMPOSE);
	if (n < 0 || n > NAME_FOLD_MAX)
		return ERR_FORMAT;
	memcpy(out, simple, (size_t)n);
	out[n] = '\0';
	return ERR_OK;
}
