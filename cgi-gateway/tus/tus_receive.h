/* tus_receive.h - the bytes of one request on their way into an upload.
 *
 * They stream: each that arrived counts, however the request ends. Bytes with
 * an Upload-Checksum count all together, or not at all.
 */
#ifndef TUS_RECEIVE_H
#define TUS_RECEIVE_H

#include "cgi-gateway/tus/tus.h"

/* Take the body as the bytes from *at on; after ERR_OK *at is where they ended.
 * A length that the request tells (t->told) is kept before the first of them,
 * with a checksum after the last; not by a request that is refused before.
 *
 *   ERR_CONFLICT     the upload is elsewhere, told to the client as
 *                    Upload-Offset, before anything else that is wrong with
 *                    the body; or another request has taken over
 *   ERR_NOT_FOUND    it takes no bytes any more: it has all, or was removed
 *   ERR_TOO_LARGE    more than the rest of it
 *   ERR_QUOTA        the length is not known, and there is no room for these
 *   ERR_LENGTH_REQUIRED  nor is the number of these
 *   ERR_UNAVAILABLE  too many stream already
 *   ERR_CHECKSUM, ERR_TRUNCATED, ERR_CLOSED, ERR_FULL
 */
enum err tus_receive(struct tus *t, int64_t *at) MUST_CHECK;

/* What a 409 tells. */
enum err tus_elsewhere(struct tus *t, int64_t offset);

#endif
