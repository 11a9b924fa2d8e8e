#include "common/codec/encode.h"

#include <sodium.h>
#include <string.h>

static const unsigned char *bytes(struct span s)
{
	return (const unsigned char *)s.p;
}

void base64url_encode(struct span in, char *out, size_t cap)
{
	(void)sodium_bin2base64(out, cap, bytes(in), in.len,
				sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void base64_encode(struct span in, char *out, size_t cap)
{
	(void)sodium_bin2base64(out, cap, bytes(in), in.len,
				sodium_base64_VARIANT_ORIGINAL);
}

void hex_encode(struct span in, char *out, size_t cap)
{
	(void)sodium_bin2hex(out, cap, bytes(in), in.len);
}

/* Return how many bytes well-formed base64 decodes to */
static size_t decoded_size(struct span in)
{
	while (in.len > 0 && in.p[in.len - 1] == '=')
		in.len--;
	return in.len / 4 * 3 + (in.len % 4 > 0 ? in.len % 4 - 1 : 0);
}

static enum err decode_base64(struct span in, char *out, size_t cap,
			      size_t *len, int variant)
{
	const char *end = in.p;
	size_t n;

	if (in.len == 0) {
		*len = 0;
		return ERR_OK;
	}
	if (decoded_size(in) > cap)
		return ERR_TOO_LARGE;
	/* libsodium 1.0.18 reads bytes from 0x80 on as the 64th letter */
	for (size_t i = 0; i < in.len; i++)
		if (bytes(in)[i] >= 0x80)
			return ERR_FORMAT;
	if (sodium_base642bin((unsigned char *)out, cap, in.p, in.len, NULL, &n,
			      &end, variant) != 0 ||
	    end != in.p + in.len)
		return ERR_FORMAT;
	*len = n;
	return ERR_OK;
}

enum err base64url_decode(struct span in, char *out, size_t cap, size_t *len)
{
	return decode_base64(in, out, cap, len,
			     sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

enum err base64_decode(struct span in, char *out, size_t cap, size_t *len)
{
	return decode_base64(in, out, cap, len, sodium_base64_VARIANT_ORIGINAL);
}

enum err hex_decode(struct span in, char *out, size_t cap, size_t *len)
{
	const char *end = in.p;
	size_t n;

	if (in.len == 0) {
		*len = 0;
		return ERR_OK;
	}
	if (in.len / 2 > cap)
		return ERR_TOO_LARGE;
	if (in.len % 2 != 0 ||
	    sodium_hex2bin((unsigned char *)out, cap, in.p, in.len, NULL, &n,
			   &end) != 0 ||
	    end != in.p + in.len)
		return ERR_FORMAT;
	*len = n;
	return ERR_OK;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum err percent_decode(struct span in, bool form, char *out, size_t *len)
{
	size_t n = 0;

	for (size_t i = 0; i < in.len; i++) {
		char c = in.p[i];

		if (c == '%') {
			bool whole = in.len - i > 2;
			int hi = whole ? hex_digit(in.p[i + 1]) : -1;
			int lo = whole ? hex_digit(in.p[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return ERR_FORMAT;
			c = (char)(hi * 16 + lo);
			i += 2;
		} else if (form && c == '+') {
			c = ' ';
		}
		out[n++] = c;
	}
	*len = n;
	return ERR_OK;
}

void percent_encode(struct span in, struct buf *out)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < in.len; i++) {
		unsigned char c = (unsigned char)in.p[i];

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		    (c >= 'a' && c <= 'z') || c == '-' || c == '.' ||
		    c == '_' || c == '~') {
			buf_add_char(out, (char)c);
		} else {
			char text[3] = { '%', hex[c >> 4], hex[c & 15] };

			buf_add(out, (struct span) { text, sizeof(text) });
		}
	}
}

/* Return how many continuation bytes follow `c`, or -1 if no character starts
 * with `c`. *least is the smallest code point that this length may encode. */
static int utf8_tail(unsigned char c, uint32_t *code, uint32_t *least)
{
	if (c < 0x80)
		return *code = c, *least = 0, 0;
	if ((c & 0xe0) == 0xc0)
		return *code = c & 0x1f, *least = 0x80, 1;
	if ((c & 0xf0) == 0xe0)
		return *code = c & 0x0f, *least = 0x800, 2;
	if ((c & 0xf8) == 0xf0)
		return *code = c & 0x07, *least = 0x10000, 3;
	return -1;
}

/* Return the length of the character at the beginning of `s`, which is not
 * empty; 0 if it is malformed or incomplete */
static size_t utf8_character(struct span s)
{
	uint32_t code, least;
	int tail = utf8_tail((unsigned char)s.p[0], &code, &least);

	if (tail < 0 || (size_t)tail >= s.len)
		return 0;
	for (int i = 1; i <= tail; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (c & 0x3f);
	}
	if (code < least || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return (size_t)tail + 1;
}

size_t utf8_length(struct span s)
{
	size_t at = 0, n = 1;

	while (at < s.len && n > 0) {
		n = utf8_character(span_from(s, at));
		at += n;
	}
	return at;
}

bool utf8_valid(struct span s)
{
	return utf8_length(s) == s.len;
}

static bool is_tail(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

size_t utf8_count(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += !is_tail(s.p[i]);
	return n;
}

struct span utf8_clip(struct span s, size_t max)
{
	if (s.len <= max)
		return s;
	s.len = max;
	return (struct span) { s.p, utf8_length(s) };
}
