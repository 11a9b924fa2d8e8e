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
 * text, a word processor's type for a ZIP archive. An inert type, or a document
 * that can contain a script, is the result only if it was found. An active type
 * (type_class.h) never is: it becomes text/plain, or what else its bytes are. */
void file_type_decide(struct span found, struct span claimed,
		      char out[static FILE_TYPE_MAX + 1]);

/* Return in `out` the type with which to send a file whose row says `stored`:
 * an active one, from before it was refused, as plain text or plain bytes. */
void file_type_to_send(struct span stored, char out[static FILE_TYPE_MAX + 1]);

#endif
