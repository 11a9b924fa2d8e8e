#include "cgi-gateway/parse/tus_header.h"

#include "common/codec/encode.h"

/* Check a field that is stored, and returned in the head of a response */
static bool is_printable(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < 0x20 || s.p[i] >= 0x7f)
			return false;
	return true;
}

/* Cut the next "key" or "key value" off the front of *rest */
static bool next_pair(struct span *rest, struct span *key, struct span *value)
{
	if (!span_next(rest, ',', key))
		return false;
	if (!span_cut(key, ' ', value))
		*value = (struct span) { NULL, 0 };
	return true;
}

static bool is_key(struct span key)
{
	for (size_t i = 0; i < key.len; i++)
		if (key.p[i] <= 0x20 || key.p[i] >= 0x7f)
			return false;
	return key.len > 0;
}

static bool has_key(struct span rest, struct span wanted)
{
	struct span key, value;

	while (next_pair(&rest, &key, &value))
		if (span_eq(key, wanted))
			return true;
	return false;
}

enum err tus_metadata_check(struct span field)
{
	struct span rest = field, key, value;
	char decoded[TUS_METADATA_MAX];
	size_t keys = 0, len;

	if (field.len == 0)
		return ERR_OK;
	if (field.len > TUS_METADATA_MAX)
		return ERR_TOO_LARGE;
	if (!is_printable(field))
		return ERR_FORMAT;
	while (next_pair(&rest, &key, &value)) {
		if (++keys > TUS_METADATA_KEYS)
			return ERR_TOO_LARGE;
		if (!is_key(key) || has_key(rest, key) ||
		    base64_decode(value, decoded, sizeof(decoded), &len) !=
			    ERR_OK)
			return ERR_FORMAT;
	}
	return ERR_OK;
}

enum err tus_metadata_get(struct span field, const char *key, char *out,
			  size_t cap, size_t *len)
{
	struct span found, value;

	while (next_pair(&field, &found, &value))
		if (span_eq(found, span_of(key)))
			return base64_decode(value, out, cap, len);
	return ERR_NOT_FOUND;
}

enum err tus_concat_parse(struct span field, enum tus_concat *kind,
			  struct span *parts)
{
	struct span word = span_trim(field), list = { NULL, 0 };

	if (field.len > TUS_CONCAT_MAX)
		return ERR_TOO_LARGE;
	if (!is_printable(field))
		return ERR_FORMAT;
	if (word.len == 0) {
		*kind = TUS_WHOLE;
	} else if (span_eq(word, SPAN("partial"))) {
		*kind = TUS_PARTIAL;
	} else if (span_cut(&word, ';', &list) &&
		   span_eq(word, SPAN("final")) && span_trim(list).len > 0) {
		*kind = TUS_FINAL;
		*parts = span_trim(list);
	} else {
		return ERR_FORMAT;
	}
	return ERR_OK;
}

bool tus_concat_next(struct span *parts, struct span *id)
{
	struct span last, ignored;

	do
		if (!span_next(parts, ' ', id))
			return false;
	while (id->len == 0);
	(void)span_cut(id, '?', &ignored); /* our own URLs may have ?owner= */
	if (span_cut_last(id, '/', &last))
		*id = last;
	return true;
}
