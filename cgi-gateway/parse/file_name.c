#include "cgi-gateway/parse/file_name.h"

#include "common/codec/encode.h"

#include <string.h>

/* Return the part after the last "/" or "\" */
static struct span base_name(struct span s)
{
	struct span last;

	if (span_cut_last(&s, '/', &last))
		s = last;
	if (span_cut_last(&s, '\\', &last))
		s = last;
	return s;
}

static bool has_control(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		/* C1 controls are C2 80 to C2 9F in UTF-8 */
		if (c < 0x20 || c == 0x7f ||
		    (c == 0xc2 && i + 1 < s.len &&
		     (unsigned char)s.p[i + 1] < 0xa0))
			return true;
	}
	return false;
}

enum err file_name_clean(struct span sent, char out[static FILE_NAME_MAX + 1])
{
	struct span name = base_name(sent);

	if (name.len == 0 || !utf8_valid(name) || has_control(name) ||
	    span_eq(name, SPAN(".")) || span_eq(name, SPAN("..")))
		return ERR_INVALID;
	return span_to_cstr(name, out, FILE_NAME_MAX + 1) ? ERR_OK
							  : ERR_INVALID;
}

/* True if all browsers read the quoted filename in the same way */
static bool is_plain(struct span name)
{
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.p[i];

		if (c < 0x20 || c > 0x7e || strchr("\"\\%", c) != NULL)
			return false;
	}
	return true;
}

void file_name_disposition(struct span name, bool inline_, struct buf *out)
{
	buf_add_str(out, inline_ ? "inline" : "attachment");
	buf_add(out, SPAN("; filename=\""));
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.p[i];

		/* one "_" per character, not per byte */
		if ((c & 0xc0) == 0x80)
			continue;
		if (c < 0x20 || c > 0x7e || strchr("\"\\%", c) != NULL)
			c = '_';
		buf_add_char(out, (char)c);
	}
	buf_add_char(out, '"');
	if (is_plain(name))
		return;
	buf_add(out, SPAN("; filename*=UTF-8''"));
	percent_encode(name, out);
}
