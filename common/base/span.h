/* span.h - a borrowed sequence of bytes.
 *
 * A span owns nothing and is not terminated; it is valid as long as the bytes
 * of its owner are. It is passed by value. An empty span may have p == NULL.
 */
#ifndef SPAN_H
#define SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	const char *p;
	size_t len; /* bytes */
};

/* Make a span of a literal; the compiler knows its length. */
#define SPAN(lit) ((struct span) { "" lit "", sizeof("" lit "") - 1 })
/* Arguments for printf("%.*s"), of at most INT_MAX bytes; every limit here is
 * lower */
#define SPAN_ARG(s) (int)(s).len, (s).p

/* Make a span of a terminated string; NULL gives the empty span. */
struct span span_of(const char *s);

bool span_eq(struct span a, struct span b);
bool span_eq_nocase(struct span a, struct span b); /* ASCII letters only */
bool span_has_prefix(struct span s, struct span prefix);
bool span_has_prefix_nocase(struct span s, struct span prefix);
bool span_has_suffix(struct span s, struct span suffix);

/* Return the index of the first `c`, or s.len. */
size_t span_find(struct span s, char c);

/* Return the bytes from index `from` (at most s.len) on. */
struct span span_from(struct span s, size_t from);

/* Split `*s` at the first (last) `sep`: returns true with the bytes before it
 * in *s and those after it in *rest, or false with both untouched. */
bool span_cut(struct span *s, char sep, struct span *rest);
bool span_cut_last(struct span *s, char sep, struct span *rest);

/* Take the next `sep`-separated item off the front of `*s` into *item, with
 * blanks around it trimmed. Returns false when *s is used up. */
bool span_next(struct span *s, char sep, struct span *item);

/* Remove blanks (space, tab) at both ends. */
struct span span_trim(struct span s);

/* Parse one or more decimal digits, without sign or blanks, at most INT64_MAX.
 */
bool span_to_int(struct span s, int64_t *out);

/* Return true if a space-separated list contains `word` (scopes, origins). */
bool span_list_has(struct span list, struct span word);

/* Return true if the list contains every word of the list `words`. */
bool span_list_has_all(struct span list, struct span words);

/* True if it contains an ASCII control character: below 0x20, or 0x7f. */
bool span_has_control(struct span s);

/* True if each byte is below 0x80. */
bool span_is_ascii(struct span s);

/* Copy into `out` and terminate it. Returns false (out untouched) if it does
 * not fit or contains a NUL byte, which would silently end a C string. */
bool span_to_cstr(struct span s, char *out, size_t cap);

#endif
