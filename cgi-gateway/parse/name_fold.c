#include "cgi-gateway/parse/name_fold.h"

#include "common/codec/encode.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

/* Letters that Unicode does not decompose, though readers type them without the
 * stroke; case folding has made them small */
static const struct {
	ucs4_t letter;
	const char *plain;
} plain_letters[] = {
	{ 0x00e6, "ae" }, { 0x00f0, "d" }, { 0x00f8, "o" }, { 0x0111, "d" },
	{ 0x0127, "h" },  { 0x0131, "i" }, { 0x0142, "l" }, { 0x0153, "oe" },
	{ 0x0167, "t" },  { 0x0180, "b" }, { 0x01e5, "g" }, { 0x0268, "i" },
};

static const char *plain_letter(ucs4_t c)
{
	for (size_t i = 0; i < sizeof(plain_letters) / sizeof(*plain_letters);
	     i++)
		if (plain_letters[i].letter == c)
			return plain_letters[i].plain;
	return NULL;
}

static bool is_dropped(ucs4_t c)
{
	return uc_combining_class(c) != UC_CCC_NR ||
	       uc_is_property_default_ignorable_code_point(c);
}

/* Steps 2 and 3, in place: what replaces a letter is not longer than it */
static size_t simplify(uint8_t *text, size_t len)
{
	size_t at = 0, to = 0;

	while (at < len) {
		ucs4_t c = 0;
		int n = u8_mbtouc(&c, text + at, len - at);
		const char *plain = plain_letter(c);

		if (plain != NULL) {
			memcpy(text + to, plain, strlen(plain));
			to += strlen(plain);
		} else if (!is_dropped(c)) {
			memmove(text + to, text + at, (size_t)n);
			to += (size_t)n;
		}
		at += (size_t)n;
	}
	return to;
}

enum err name_fold(struct span name, char out[static NAME_FOLD_MAX + 1])
{
	uint8_t composed[NAME_FOLD_MAX];
	const uint8_t *text = (const uint8_t *)name.p;
	uint8_t *folded = NULL, *result = NULL;
	size_t folded_len = 0, len = sizeof(composed);
	enum err e = ERR_MEMORY;

	if (name.len > FILE_NAME_MAX || !utf8_valid(name) ||
	    span_find(name, '\0') < name.len)
		return ERR_FORMAT;
	if (name.len == 0) {
		out[0] = '\0';
		return ERR_OK;
	}
	folded = u8_casefold(text, name.len, NULL, UNINORM_NFKD, NULL,
			     &folded_len);
	if (folded == NULL)
		return ERR_MEMORY;
	folded_len = simplify(folded, folded_len);
	if (folded_len == 0) {
		out[0] = '\0';
		e = ERR_OK;
		goto out;
	}
	result = u8_normalize(UNINORM_NFC, folded, folded_len, composed, &len);
	if (result == NULL)
		goto out;
	e = len <= NAME_FOLD_MAX ? ERR_OK : ERR_FORMAT;
	if (e == ERR_OK) {
		memcpy(out, result, len);
		out[len] = '\0';
	}
out:
	if (result != composed)
		free(result);
	free(folded);
	return e;
}
