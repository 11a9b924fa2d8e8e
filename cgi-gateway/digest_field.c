#include "digest_field.h"

#include "encode.h"

enum err digest_field_parse(struct span field,
			    unsigned char out[static SHA256_LEN])
{
	struct span member, value, ignored;
	char raw[SHA256_LEN];
	size_t len;

	while (span_next(&field, ',', &member)) {
		if (!span_cut(&member, '=', &value) ||
		    !span_eq(span_trim(member), SPAN("sha-256")))
			continue;
		/* base64 holds "=" too, but no ";", which starts parameters */
		(void)span_cut(&value, ';', &ignored);
		value = span_trim(value);
		if (value.len < 2 || value.p[0] != ':' ||
		    value.p[value.len - 1] != ':')
			return ERR_FORMAT;
		value = (struct span) { value.p + 1, value.len - 2 };
		if (base64_decode(value, raw, sizeof(raw), &len) != ERR_OK ||
		    len != SHA256_LEN)
			return ERR_FORMAT;
		for (size_t i = 0; i < SHA256_LEN; i++)
			out[i] = (unsigned char)raw[i];
		return ERR_OK;
	}
	return ERR_NOT_FOUND;
}

void digest_field_write(const unsigned char sha256[static SHA256_LEN],
			struct buf *out)
{
	char text[BASE64_SIZE(SHA256_LEN)];

	base64_encode((struct span) { (const char *)sha256, SHA256_LEN }, text,
		      sizeof(text));
	buf_printf(out, "sha-256=:%s:", text);
}
