/* tus_join.h - one upload put together of others (tus, "Concatenation"). */
#ifndef TUS_JOIN_H
#define TUS_JOIN_H

#include "cgi-gateway/tus/tus.h"

/* Make t->u, which has no row and no bytes yet, the file that holds the bytes
 * of the uploads in `list` (tus_header.h), one behind the other. These are gone
 * then. After a failure they are as they were, and t->u is nowhere.
 *
 *   ERR_INVALID    one is not there, not the owner's, or no part of an upload
 *   ERR_CONFLICT   one has not all of its bytes, or was taken by another
 *                  request
 *   ERR_TOO_LARGE  together they are over MAX_UPLOAD, or over TUS_PARTS_MAX
 *   ERR_DIGEST, ERR_QUOTA
 */
enum err tus_join(struct tus *t, struct span list) MUST_CHECK;

#endif
