/* span.h - a borrowed run of bytes.
 *
 * A span owns nothing and is not terminated; the owner of the bytes keeps them
 * alive. It is passed by value. An empty span may have p == NULL.
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

/* A literal, its length known to the compiler. */
#define SPAN(lit) ((struct span) { "" lit "", sizeof("" lit "") - 1 })
/* For printf("%.*s"): at most INT_MAX bytes, which every limit here is under */
#define SPAN_ARG(s) (int)(s).len, (s).p

/* A terminated string; NULL gives the empty span. */
struct span span_of(const char *s);

bool span_eq(struct span a, struct span b);
bool span_eq_nocase(struct span a, struct span b); /* ASCII letters only */
bool span_has_prefix(struct span s, struct span prefix);
bool span_has_prefix_nocase(struct span s, struct span prefix);
bool span_has_suffix(struct span s, struct span suffix);

/* Index of the first `c`, or s.len. */
size_t span_find(struct span s, char c);

/* The bytes from index `from` (at most s.len) on. */
struct span span_from(struct span s, size_t from);

/* Split `*s` at the first (last) `sep`: true leaves what stands before it in
 * *s and what stands behind it in *rest. False leaves both untouched. */
bool span_cut(struct span *s, char sep, struct span *rest);
bool span_cut_last(struct span *s, char sep, struct span *rest);

/* Take the next `sep`-separated item off the front of `*s` into *item, with
 * blanks around it trimmed. False when *s is used up. */
bool span_next(struct span *s, char sep, struct span *item);

/* Without blanks (space, tab) at both ends. */
struct span span_trim(struct span s);

/* Decimal digits only, no sign, no blanks, at least one, at most INT64_MAX. */
bool span_to_int(struct span s, int64_t *out);

/* True if a space-separated list holds `word` (scopes, origins). */
bool span_list_has(struct span list, struct span word);

/* Copy into `out` and terminate it. False (out untouched) when it does not
 * fit or holds a NUL byte, which a C string would silently end at. */
bool span_to_cstr(struct span s, char *out, size_t cap);

#endif
