/* tus_request.h - the header fields of a resumable upload, as plain structs.
 *
 * Only reads header fields: nothing is looked up or written. A wrong field is
 * explained to the client.
 */
#ifndef TUS_REQUEST_H
#define TUS_REQUEST_H

#include "cgi-gateway/tables/tus_uploads.h"
#include "common/http/request.h"
#include "common/http/response.h"

/* What a request says of the bytes in its body. */
struct tus_body {
	int64_t offset; /* of the first of them: Upload-Offset */
	int64_t length; /* of the upload: Upload-Length, TUS_LENGTH_UNKNOWN */
};

/* The fields of POST /tus: fill concat, length, metadata, name, type, sha256
 * and life of *u. *parts is the list of a TUS_FINAL (tus_header.h), borrowed
 * from the request. After an error *u may be half filled.
 *
 *   ERR_FORMAT     a field is not in its form
 *   ERR_INVALID    a file name or a lifetime that is not accepted
 *   ERR_TOO_LARGE  a length over `max_upload`, or a field over its limit
 */
enum err tus_creation_read(const struct request *rq, struct response *rs,
			   int64_t max_upload, struct tus_upload *u,
			   struct span *parts) MUST_CHECK;

/* The fields of PATCH /tus/{id}. ERR_MEDIA_TYPE, ERR_FORMAT. */
enum err tus_patch_read(const struct request *rq, struct response *rs,
			struct tus_body *out) MUST_CHECK;

/* Whether the body is bytes of an upload, by its Content-Type. */
bool tus_has_bytes(const struct request *rq);

#endif
