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

/* A literal, its length known to the compiler. */
#define SPAN(lit) ((struct span) { "" lit "", sizeof("" lit "") - 1 })
/* For printf("%.*s"): at most INT_MAX bytes; every limit of this project is
 * less */
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

/* Split `*s` at the first (last) `sep`, into *s before it and *rest after it.
 * False, with both untouched, if there is none. */
bool span_cut(struct span *s, char sep, struct span *rest);
bool span_cut_last(struct span *s, char sep, struct span *rest);

/* Remove the first `sep`-separated item from `*s`, and store it in *item
 * without the blanks around it. False if *s is empty. */
bool span_next(struct span *s, char sep, struct span *item);

/* Without blanks (space, tab) at both ends. */
struct span span_trim(struct span s);

/* Decimal digits only, no sign, no blanks, at least one, at most INT64_MAX. */
bool span_to_int(struct span s, int64_t *out);

/* True if a space-separated list (scopes, origins) contains `word`. */
bool span_list_has(struct span list, struct span word);

/* Copy into `out`, terminated. False (out untouched) if it does not fit or
 * contains a NUL byte, at which a C string would silently end. */
bool span_to_cstr(struct span s, char *out, size_t cap);

#endif
