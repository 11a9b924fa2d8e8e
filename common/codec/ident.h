/* ident.h - ids that we generate, from the system's random source.
 *
 * A file's id is a UUID version 7 (RFC 9562 5.7): 48 bits of milliseconds,
 * then 74 random bits. Ids of one process sort by the time they were made, so
 * a table keyed by them grows at its end, and "newest first" is the reverse
 * order of the key. They are names, not secrets.
 */
#ifndef IDENT_H
#define IDENT_H

#include "common/base/span.h"

enum {
	UUID_LEN = 36,	/* characters, without the NUL */
	IDENT_LEN = 22, /* characters: 128 random bits as base64url */
};

/* 128 random bits, as base64url: ids of requests, tokens and sessions. The
 * first character is never "-": people pass these ids to commands. */
void ident_random(char out[static IDENT_LEN + 1]);

/* `ms` is the time in milliseconds since 1970 UTC. Later calls of one process
 * with the same or an earlier `ms` still sort after earlier ones. */
void ident_uuid7(int64_t ms, char out[static UUID_LEN + 1]);

/* True for a text that ident_random() could have made. Check a client's text
 * before it is a value of a statement: the columns are ASCII, and other
 * characters would be an error of the database. */
bool ident_is_random(struct span s);

/* True for 36 characters of lower-case hex in the groups 8-4-4-4-12. */
bool ident_is_uuid(struct span s);

#endif
