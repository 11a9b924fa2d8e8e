#include "cgi-gateway/parse/part_head.h"

#include "common/codec/encode.h"
#include "common/codec/field.h"

#include <stdio.h>
#include <string.h>

/* --- filename* ------------------------------------------------------------ */

enum charset { CHARSET_UNKNOWN, CHARSET_UTF_8, CHARSET_LATIN_1 };

/* Cut `charset'language'` off the front of *value */
static enum charset cut_charset(struct span *value)
{
	struct span charset = *value, rest, language;

	if (!span_cut(&charset, '\'', &rest))
		return CHARSET_UNKNOWN;
	language = rest;
	if (!span_cut(&language, '\'', value))
		return CHARSET_UNKNOWN;
	if (span_eq_nocase(charset, SPAN("utf-8")) ||
	    span_eq_nocase(charset, SPAN("us-ascii")))
		return CHARSET_UTF_8;
	return span_eq_nocase(charset, SPAN("iso-8859-1")) ? CHARSET_LATIN_1
							   : CHARSET_UNKNOWN;
}

/* Append an encoded value to `out`. Some clients leave visible characters as
 * they are that RFC 8187 wants encoded, such as parentheses. */
static bool append_encoded(struct span value, char *out, size_t *len)
{
	size_t n;

	for (size_t i = 0; i < value.len; i++)
		if (value.p[i] <= ' ' || value.p[i] > '~')
			return false;
	if (percent_decode(value, false, out + *len, &n) != ERR_OK)
		return false;
	*len += n;
	return true;
}

/* Convert in place; `out` has room for `cap` bytes */
static bool latin_1_to_utf_8(char *out, size_t *len, size_t cap)
{
	size_t to = *len;

	for (size_t i = 0; i < *len; i++)
		to += (unsigned char)out[i] >= 0x80;
	if (to > cap)
		return false;
	for (size_t i = *len, end = *len = to; i-- > 0;) {
		unsigned char c = (unsigned char)out[i];

		if (c < 0x80) {
			out[--end] = (char)c;
		} else {
			out[--end] = (char)(0x80 | (c & 0x3f));
			out[--end] = (char)(0xc0 | c >> 6);
		}
	}
	return true;
}

static bool is_text(const char *text, size_t len)
{
	const struct span s = { text, len };

	return len > 0 && span_find(s, '\0') == len && utf8_valid(s);
}

/* Decode `charset'language'value` */
static bool decode_extended(struct span value, char *out, size_t *len)
{
	size_t cap = value.len;
	enum charset charset = cut_charset(&value);

	*len = 0;
	return charset != CHARSET_UNKNOWN && append_encoded(value, out, len) &&
	       (charset != CHARSET_LATIN_1 ||
		latin_1_to_utf_8(out, len, cap)) &&
	       is_text(out, *len);
}

/* Find the parameter filename*N or, encoded, filename*N* */
static bool find_segment(struct span params, int number, struct span *value,
			 bool *encoded)
{
	struct span name, found;
	char wanted[sizeof("filename*99*")];

	(void)snprintf(wanted, sizeof(wanted), "filename*%d", number);
	while (field_next_param(&params, &name, &found) == ERR_OK) {
		*encoded = name.len > 0 && name.p[name.len - 1] == '*';
		if (*encoded)
			name.len--;
		if (!span_eq_nocase(name, span_of(wanted)))
			continue;
		*value = found;
		return true;
	}
	return false;
}

/* Join a name in segments (RFC 2231 3). The first says how all are encoded. */
static bool join_segments(struct span params, char *out, size_t cap,
			  size_t *len)
{
	enum charset charset = CHARSET_UTF_8;
	struct span value;
	bool encoded;
	int n;

	*len = 0;
	for (n = 0;
	     n < PART_SEGMENTS_MAX && find_segment(params, n, &value, &encoded);
	     n++) {
		if (n == 0 && encoded)
			charset = cut_charset(&value);
		if (charset == CHARSET_UNKNOWN)
			return false;
		if (!encoded)
			*len += field_unquote(value, out + *len);
		else if (!append_encoded(value, out, len))
			return false;
	}
	return n < PART_SEGMENTS_MAX &&
	       (charset != CHARSET_LATIN_1 ||
		latin_1_to_utf_8(out, len, cap)) &&
	       is_text(out, *len);
}

/* --- Content-Disposition -------------------------------------------------- */

/* Unescape %22 to a quote: nothing else that a name may contain is escaped in
 * forms (HTML, "multipart/form-data encoding algorithm"). Returns the new
 * length. */
static size_t unescape_quotes(char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		bool quote = len - i >= 3 && memcmp(text + i, "%22", 3) == 0;

		text[n++] = quote ? '"' : text[i];
		if (quote)
			i += 2;
	}
	return n;
}

/* The parameters of a Content-Disposition, as they were sent; p NULL: absent */
struct disposition {
	struct span all, name, plain, extended;
	bool segmented; /* filename*0 or filename*0* */
};

static bool set_once(struct span *to, struct span value)
{
	if (to->p != NULL)
		return false;
	*to = value;
	return true;
}

static enum err read_params(struct span value, struct disposition *d)
{
	struct span kind = value, rest, name, text;
	bool once = true;
	enum err e;

	if (!span_cut(&kind, ';', &rest) ||
	    !span_eq_nocase(span_trim(kind), SPAN("form-data")))
		return ERR_FORMAT;
	d->all = rest;
	while ((e = field_next_param(&rest, &name, &text)) == ERR_OK && once) {
		if (span_eq_nocase(name, SPAN("name")))
			once = set_once(&d->name, text);
		else if (span_eq_nocase(name, SPAN("filename")))
			once = set_once(&d->plain, text);
		else if (span_eq_nocase(name, SPAN("filename*")))
			once = set_once(&d->extended, text);
		else if (span_has_prefix_nocase(name, SPAN("filename*")))
			d->segmented = true;
	}
	return e == ERR_NOT_FOUND && once ? ERR_OK : ERR_FORMAT;
}

/* Choose the file's name: the best of the forms in which it was sent */
static void read_file_name(const struct disposition *d, char *file, size_t cap,
			   struct part_head *out)
{
	size_t len = 0;
	bool good = (d->extended.p != NULL &&
		     decode_extended(d->extended, file, &len)) ||
		    (d->segmented && join_segments(d->all, file, cap, &len));

	if (!good && d->plain.p != NULL)
		len = unescape_quotes(file, field_unquote(d->plain, file));
	out->is_file =
		d->extended.p != NULL || d->segmented || d->plain.p != NULL;
	out->bad_file = out->is_file && !good && d->plain.p == NULL;
	out->file = (struct span) { file, out->bad_file ? 0 : len };
}

/* Read `form-data; name="..."; filename="..."` */
static enum err read_disposition(struct span value, char *name, char *file,
				 size_t cap, struct part_head *out)
{
	struct disposition d = { .segmented = false };
	enum err e = read_params(value, &d);

	if (e != ERR_OK)
		return e;
	read_file_name(&d, file, cap, out);
	if (d.name.p != NULL)
		out->name = (struct span) { name, field_unquote(d.name, name) };
	return d.name.p != NULL || out->is_file ? ERR_OK : ERR_FORMAT;
}

/* --- lines ---------------------------------------------------------------- */

/* Replace the end of each line that the next one continues by blanks */
static void unfold(char *head, size_t len)
{
	for (size_t i = 1; i + 1 < len; i++) {
		if (head[i] != '\n' ||
		    (head[i + 1] != ' ' && head[i + 1] != '\t'))
			continue;
		head[i] = ' ';
		if (head[i - 1] == '\r')
			head[i - 1] = ' ';
	}
}

static struct span *field_of(struct part_head *h, struct span name)
{
	if (span_eq_nocase(name, SPAN("Content-Type")))
		return &h->type;
	if (span_eq_nocase(name, SPAN("Content-Transfer-Encoding")))
		return &h->transfer;
	if (span_eq_nocase(name, SPAN("Content-Encoding")))
		return &h->coding;
	if (span_eq_nocase(name, SPAN("Content-Range")))
		return &h->range;
	return NULL;
}

enum err part_head_read(char *head, size_t len, char *file,
			struct part_head *out)
{
	struct span rest = { head, len }, line, value, *field;
	struct part_head h = { .is_file = false };
	bool disposed = false;

	unfold(head, len);
	while (span_next(&rest, '\n', &line)) {
		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		if (line.len == 0)
			continue;
		if (!span_cut(&line, ':', &value) || !field_is_token(line))
			return ERR_FORMAT;
		value = span_trim(value);
		if (span_eq_nocase(line, SPAN("Content-Disposition"))) {
			/* The name shrinks, so it is unquoted in place */
			if (disposed ||
			    read_disposition(value, head + (value.p - head),
					     file, len, &h) != ERR_OK)
				return ERR_FORMAT;
			disposed = true;
		} else {
			field = field_of(&h, line);
			if (field != NULL)
				*field = value;
		}
	}
	if (!disposed)
		return ERR_FORMAT;
	*out = h;
	return ERR_OK;
}

bool part_head_has_type_of_file(const struct part_head *h)
{
	struct span type = h->type, params;

	(void)span_cut(&type, ';', &params);
	type = span_trim(type);
	return type.len > 0 && !span_has_prefix_nocase(type, SPAN("text/")) &&
	       !span_eq_nocase(type, SPAN("application/json")) &&
	       !span_eq_nocase(type, SPAN("application/xml")) &&
	       !span_has_suffix(type, SPAN("+json")) &&
	       !span_has_suffix(type, SPAN("+xml")) &&
	       !span_eq_nocase(type, SPAN("application/x-www-form-urlencoded"));
}
