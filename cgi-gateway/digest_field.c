#include "digest_field.h"

#include "encode.h"

#include <string.h>

/* `:base64:`, with parameters perhaps */
static enum err parse_value(struct span value, char out[static SHA256_LEN])
{
	struct span ignored;
	size_t len;

	/* base64 holds "=" too, but no ";", which starts parameters */
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

enum err digest_field_parse(struct span field,
			    unsigned char out[static SHA256_LEN])
{
	struct span member, value;
	char raw[SHA256_LEN];
	enum err found = ERR_NOT_FOUND;

	while (span_next(&field, ',', &member)) {
		if (!span_cut(&member, '=', &value) ||
		    !span_eq(span_trim(member), SPAN("sha-256")))
			continue;
		found = parse_value(value, raw);
		if (found != ERR_OK)
			return found;
	}
	/* RFC 8941 3.2: of one key that stands there twice the last counts */
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
