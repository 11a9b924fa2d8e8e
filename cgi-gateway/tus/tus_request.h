/* tus_request.h - reads the header fields of resumable uploads into plain
 * structs.
 *
 * Only reads header fields: nothing is looked up or written. Errors are
 * explained to the client.
 */
#ifndef TUS_REQUEST_H
#define TUS_REQUEST_H

#include "cgi-gateway/tables/tus_uploads.h"
#include "common/http/request.h"
#include "common/http/response.h"

/* What a request announces about its body. */
struct tus_body {
	int64_t offset; /* of the first of them: Upload-Offset */
	int64_t length; /* of the upload: Upload-Length, TUS_LENGTH_UNKNOWN */
};

/* Read the fields of POST /tus into concat, length, metadata, name, type,
 * sha256 and life of *u. *parts is the list of a TUS_FINAL (tus_header.h),
 * borrowed from the request. After an error *u may be partly filled.
 *
 *   ERR_FORMAT     a field is malformed
 *   ERR_INVALID    a file name or a lifetime is not allowed
 *   ERR_TOO_LARGE  a length over `max_upload`, or a field over its limit */
enum err tus_creation_read(const struct request *rq, struct response *rs,
			   int64_t max_upload, struct tus_upload *u,
			   struct span *parts) MUST_CHECK;

/* Read the fields of PATCH /tus/{id}. ERR_MEDIA_TYPE, ERR_FORMAT. */
enum err tus_patch_read(const struct request *rq, struct response *rs,
			struct tus_body *out) MUST_CHECK;

/* Whether the body contains bytes of an upload, by its Content-Type. */
bool tus_has_bytes(const struct request *rq);

#endif
