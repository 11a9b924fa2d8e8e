/* file_type.h - what kind of file it is: what its client says, and what is kept
 * of that beside what the bytes say. Why so:
 * docs/decisions/0019-the-bytes-decide-the-type.md
 *
 * A type here is "type/subtype" in lower case, without parameters.
 */
#ifndef FILE_TYPE_H
#define FILE_TYPE_H

#include "common/base/span.h"

enum {
	FILE_TYPE_MAX = 127, /* bytes; RFC 6838 4.2 */
};

/* The media type that a client sent, or application/octet-stream for what is
 * none and for the form encodings, which describe a request and not a file. */
void file_type_clean(struct span sent, char out[static FILE_TYPE_MAX + 1]);

/* The type to keep of a file in whose bytes libmagic `found` one (empty: nobody
 * looked), and that its client `claimed` to be of another (both cleaned; empty:
 * it did not).
 *
 * It is the one that was found, unless the claim merely says more of the same
 * bytes: text/csv of text, word processing of a ZIP archive. An inert type, see
 * below, comes out only if it was found; a type that can hold a script
 * likewise; one that is a script or a style sheet never, for a page of ours
 * could be made to run it: it comes out as text/plain. */
void file_type_decide(struct span found, struct span claimed,
		      char out[static FILE_TYPE_MAX + 1]);

/* Whether a browser may show the type inside our origin: nothing that can
 * hold a script. */
bool file_type_is_inert(struct span type);

#endif
