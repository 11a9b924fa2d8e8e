/* encode.h - bytes as text and back: base64, base64url, hex, percent.
 *
 * Decoders are strict: one text has one meaning. Padding where none belongs,
 * white space, letters outside the alphabet and set bits after the last whole
 * byte (RFC 4648 3.5) are all ERR_FORMAT. The base64 and hex work is
 * libsodium's, which does not branch on the data.
 */
#ifndef ENCODE_H
#define ENCODE_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/span.h"

enum {
	HEX_SHA256_LEN = 64, /* characters */
};

/* Size of `n` bytes as base64url without padding, with a NUL. */
#define BASE64URL_SIZE(n) (((n)*4 + 2) / 3 + 1)
#define BASE64_SIZE(n) (((n) + 2) / 3 * 4 + 1)
#define HEX_SIZE(n) ((n)*2 + 1)

/* Encoders write a terminated string; `out` has at least *_SIZE(in.len). */
void base64url_encode(struct span in, char *out, size_t cap);
void base64_encode(struct span in, char *out, size_t cap);
void hex_encode(struct span in, char *out, size_t cap); /* lower case */

/* Decoders write at most `cap` bytes and set *len. ERR_FORMAT; ERR_TOO_LARGE if
 * the result does not fit into `cap` bytes. `out` may then contain part of it.
 */
enum err base64url_decode(struct span in, char *out, size_t cap,
			  size_t *len) MUST_CHECK;
enum err base64_decode(struct span in, char *out, size_t cap,
		       size_t *len) MUST_CHECK;
enum err hex_decode(struct span in, char *out, size_t cap,
		    size_t *len) MUST_CHECK;

/* RFC 3986 2.1. Decode into `out`, which has room for at least in.len bytes and
 * may be in.p itself. With `form`, "+" is a blank (query strings). A stray "%"
 * is ERR_FORMAT. The result may contain any byte, including NUL. */
enum err percent_decode(struct span in, bool form, char *out,
			size_t *len) MUST_CHECK;

/* Append `in` with all characters but RFC 3986's unreserved ones as %XX. */
void percent_encode(struct span in, struct buf *out);

/* Return true if the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no
 * overlong forms, nothing above U+10FFFF). */
bool utf8_valid(struct span s);

/* Count the characters (code points) of well-formed UTF-8. */
size_t utf8_count(struct span s);

/* Return the first bytes of `s`, at most `max`, that end with a whole
 * character. */
struct span utf8_clip(struct span s, size_t max);

/* Return how many bytes at the beginning are whole characters, well formed. Of
 * a text that is cut anywhere, at most 3 bytes remain. */
size_t utf8_length(struct span s);

#endif
