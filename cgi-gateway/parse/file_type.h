/* file_type.h - the MIME type of a file, decided from its bytes and from the
 * type that its client claims: docs/decisions/0019-the-bytes-decide-the-type.md
 *
 * A type here is "type/subtype" in lower case, without parameters.
 */
#ifndef FILE_TYPE_H
#define FILE_TYPE_H

#include "common/base/span.h"

enum {
	FILE_TYPE_MAX = 127, /* bytes; RFC 6838 4.2 */
};

/* Clean the type that a client sent; application/octet-stream if it is
 * malformed, or one of the form encodings, which describe a request and not a
 * file. */
void file_type_clean(struct span sent, char out[static FILE_TYPE_MAX + 1]);

/* Decide the type to store. libmagic `found` one in the bytes (empty: they were
 * not examined), and the client `claimed` one (empty: it did not). Both are
 * cleaned.
 *
 * The result is `found`, unless `claimed` is just more specific: text/csv for
 * text, a word processor's type for a ZIP archive. An inert type (see below),
 * or one that can contain a script, is the result only if it was found. A
 * script or a style sheet becomes text/plain, because a page of ours could be
 * made to run it. */
void file_type_decide(struct span found, struct span claimed,
		      char out[static FILE_TYPE_MAX + 1]);

/* True if a browser may show the type inside our origin: it cannot contain a
 * script. */
bool file_type_is_inert(struct span type);

#endif
