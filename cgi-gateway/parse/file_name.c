#include "cgi-gateway/parse/file_name.h"

#include "common/codec/digest.h"
#include "common/codec/encode.h"

#include <string.h>

enum {
	EXTENSION_MAX = 16, /* bytes of an extension that a cut name keeps */
	TAG_LEN = 9,	    /* characters of "~01234567" */
};

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

static enum err clean(struct span name, char out[static FILE_NAME_MAX + 1],
		      struct text_fault *fault)
{
	char clean[FILE_NAME_MAX + 1];

	if (name.len == 0)
		return text_fault_set(fault, "is empty; choose another");
	if (visible_text_clean(name, clean, FILE_NAME_MAX, fault) != ERR_OK)
		return ERR_INVALID;
	if (strcmp(clean, ".") == 0 || strcmp(clean, "..") == 0)
		return text_fault_set(fault, "is \"%s\"; choose another",
				      clean);
	memcpy(out, clean, strlen(clean) + 1);
	return ERR_OK;
}

enum err file_name_clean(struct span sent, char out[static FILE_NAME_MAX + 1],
			 struct text_fault *fault)
{
	return clean(base_name(sent), out, fault);
}

enum err file_name_clean_typed(struct span sent,
			       char out[static FILE_NAME_MAX + 1],
			       struct text_fault *fault)
{
	if (base_name(sent).len != sent.len)
		return text_fault_set(fault, "has a \"/\" or \"\\\"; files "
					     "are in no folders");
	return clean(sent, out, fault);
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

enum file_name_form file_name_form_of(struct span user_agent)
{
	return span_has_prefix(user_agent, SPAN("curl/")) ? FILE_NAME_UTF8
							  : FILE_NAME_ENCODED;
}

static void add_utf8(struct span name, struct buf *out)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.p[i];

		if (c == '"')
			buf_add(out, SPAN("\xef\xbc\x82")); /* U+FF02 */
		else if (c == '\\')
			buf_add(out, SPAN("\xef\xbc\xbc")); /* U+FF3C */
		else
			buf_add_char(out, (unsigned char)c < 0x20 || c == 0x7f
						  ? '_'
						  : c);
	}
}

static void add_encoded(struct span name, struct buf *out)
{
	for (size_t i = 0; i < name.len; i++) {
		struct span c = { name.p + i, 1 };

		if (is_plain(c))
			buf_add(out, c);
		else
			percent_encode(c, out);
	}
}

/* Return the extension with its dot, if it is short and plain */
static struct span extension_of(struct span name)
{
	struct span last;

	if (!span_cut_last(&name, '.', &last) || last.len > EXTENSION_MAX ||
	    !is_plain(last))
		return SPAN("");
	return (struct span) { last.p - 1, last.len + 1 };
}

/* Cut what was appended at `start`, which is too long for a file system */
static void shorten(struct span name, size_t start, struct buf *out)
{
	unsigned char hash[SHA256_LEN];
	struct span extension = extension_of(name);
	size_t end = start + FILE_NAME_MAX - TAG_LEN - extension.len;

	/* not within a %XX */
	if (out->p[end - 1] == '%')
		end--;
	else if (out->p[end - 2] == '%')
		end -= 2;
	sha256_of(name, hash);
	out->len = end;
	buf_printf(out, "~%02x%02x%02x%02x", hash[0], hash[1], hash[2],
		   hash[3]);
	buf_add(out, extension);
}

void file_name_disposition(struct span name, bool inline_,
			   enum file_name_form form, struct buf *out)
{
	size_t start;

	buf_add_str(out, inline_ ? "inline" : "attachment");
	buf_add(out, SPAN("; filename=\""));
	start = out->len;
	if (form == FILE_NAME_UTF8)
		add_utf8(name, out);
	else
		add_encoded(name, out);
	if (form == FILE_NAME_ENCODED && buf_error(out) == ERR_OK &&
	    out->len - start > FILE_NAME_MAX)
		shorten(name, start, out);
	buf_add_char(out, '"');
	if (is_plain(name))
		return;
	buf_add(out, SPAN("; filename*=UTF-8''"));
	percent_encode(name, out);
}
