/* tus_receive.h - appends the body of one request to an upload.
 *
 * The bytes are streamed, and each one that arrived counts, however the request
 * ends. With an Upload-Checksum, all bytes count or none.
 */
#ifndef TUS_RECEIVE_H
#define TUS_RECEIVE_H

#include "cgi-gateway/app/app.h"
#include "cgi-gateway/tus/tus_request.h"

/* Check Upload-Length of `body` against the row: it may set a length once, not
 * below what was announced. ERR_FORMAT, ERR_TOO_LARGE. */
enum err tus_length_check(const struct tus_body *body,
			  const struct tus_upload *u, int64_t max_upload,
			  struct response *rs) MUST_CHECK;

/* Append the body of `rq` from byte body->offset on; *offset is where it ended.
 * body->length becomes the length of *u before the first byte is written, or
 * with a checksum after the last; never if the request is refused before that.
 * Errors are explained to the client:
 *
 *   ERR_CONFLICT     the upload has another offset, which is reported before
 *                    other errors, for the client can resume from the right
 *                    one; or another request has taken over the upload
 *   ERR_NOT_FOUND    it accepts no bytes: it is complete, or was removed
 *   ERR_TOO_LARGE    more bytes than remain
 *   ERR_QUOTA        the length is unknown, and the quota has no room for these
 *   ERR_LENGTH_REQUIRED  neither length nor Content-Length is known
 *   ERR_SLOW         the body arrives too slowly
 *   ERR_OVERLOADED, ERR_TOO_MANY_UPLOADS  as many requests wait for their
 *                    clients as may, of all users or of this one
 *   ERR_CHECKSUM, ERR_TRUNCATED, ERR_CLOSED, ERR_FULL */
enum err tus_receive(struct app *app, struct request *rq, struct response *rs,
		     const struct session_check *session, struct tus_upload *u,
		     const struct tus_body *body, int64_t *offset) MUST_CHECK;

#endif
