#include "cgi-gateway/parse/digest_field.h"

#include "common/codec/encode.h"

#include <string.h>

/* Parse `:base64:`, with or without parameters */
static enum err parse_value(struct span value, char out[static SHA256_LEN])
{
	struct span ignored;
	size_t len;

	/* base64 may contain "=", but not ";", which starts parameters */
	(void)span_cut(&value, ';', &ignored);
	value = span_trim(value);
	if (value.len < 2 || value.p[0] != ':' || value.p[value.len - 1] != ':')
		return ERR_FORMAT;
	value = (struct span) { value.p + 1, value.len - 2 };
	if (base64_decode(value, out, SHA256_LEN, &len) != ERR_OK ||
	    len != SHA256_LEN)
		return ERR_FORMAT;
	return ERR_OK;
}

/* Cut the member before the next comma from the front of *rest. A comma inside
 * a parameter's "string" does not count. */
static struct span next_member(struct span *rest)
{
	struct span all = *rest;
	bool quoted = false;
	size_t i = 0;

	while (i < all.len && (quoted || all.p[i] != ',')) {
		if (quoted && all.p[i] == '\\')
			i++;
		else if (all.p[i] == '"')
			quoted = !quoted;
		i++;
	}
	*rest = span_from(all, i + 1);
	all.len = i < all.len ? i : all.len;
	return span_trim(all);
}

/* A key of a dictionary (RFC 9651 3.1.2) */
static bool is_key(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		bool begins = (c >= 'a' && c <= 'z') || c == '*';

		if (!begins && (i == 0 || !((c >= '0' && c <= '9') ||
					    c == '_' || c == '-' || c == '.')))
			return false;
	}
	return s.len > 0;
}

enum err digest_field_parse(struct span field,
			    unsigned char out[static SHA256_LEN])
{
	char raw[SHA256_LEN];
	enum err found = ERR_NOT_FOUND;

	while (field.len > 0) {
		struct span key = next_member(&field), value;

		if (key.len == 0)
			continue;
		if (!span_cut(&key, '=', &value) || !is_key(span_trim(key)))
			return ERR_FORMAT;
		if (!span_eq(span_trim(key), SPAN("sha-256")))
			continue;
		found = parse_value(value, raw);
		if (found != ERR_OK)
			return found;
	}
	/* RFC 8941 3.2: if a key is repeated, the last one counts */
	if (found == ERR_OK)
		memcpy(out, raw, SHA256_LEN);
	return found;
}

void digest_field_write(const unsigned char sha256[static SHA256_LEN],
			struct buf *out)
{
	char text[BASE64_SIZE(SHA256_LEN)];

	base64_encode((struct span) { (const char *)sha256, SHA256_LEN }, text,
		      sizeof(text));
	buf_printf(out, "sha-256=:%s:", text);
}
