/* ident.h - generated ids, from the system's random source.
 *
 * A file's id is a UUID version 7 (RFC 9562 5.7): 48 bits of milliseconds, then
 * 74 random bits. Ids of one process sort by creation time, so a table keyed by
 * them grows at its end, and "newest first" is the key's own order. They are
 * not secret.
 */
#ifndef IDENT_H
#define IDENT_H

#include "common/base/span.h"

enum {
	UUID_LEN = 36,	/* characters, without the NUL */
	IDENT_LEN = 22, /* characters: 128 random bits as base64url */
};

/* Make an id of a request, token or session: 128 random bits as base64url. It
 * never begins with "-", because it is also an argument of commands. */
void ident_random(char out[static IDENT_LEN + 1]);

/* Make a UUID; `ms` is the time in milliseconds since 1970 UTC. In one process,
 * ids of later calls sort after earlier ones, even if `ms` is the same or
 * lower. */
void ident_uuid7(int64_t ms, char out[static UUID_LEN + 1]);

/* Return true if ident_random() could have made `s`. Check a client's text
 * before it becomes a parameter: the columns are ASCII, and other text is an
 * error. */
bool ident_is_random(struct span s);

/* Return true for 36 characters of lower-case hex in the groups 8-4-4-4-12. */
bool ident_is_uuid(struct span s);

/* Read an id that a client sent, with letters in either case (RFC 9562 4), into
 * `out` in lower case. Returns it, or the empty span if it is not a UUID. */
struct span ident_uuid_sent(struct span s, char out[static UUID_LEN + 1]);

#endif
