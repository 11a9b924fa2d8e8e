/* upload_body.h - reads the files of an upload from the body of a request.
 *
 * Both calls end the upload: they return what upload_end() returns. Errors are
 * upload.h's, explained, and:
 *
 *   ERR_FORMAT           a malformed form, digest or query, or only a part of
 *                        a file (upload_whole.h)
 *   ERR_MEDIA_TYPE       a form as the body of a PUT, or an encoded part
 *   ERR_NO_FILE          no file in the request
 *   ERR_TRUNCATED        the body ended before its announced length
 *   ERR_LENGTH_REQUIRED  the body is one file, and its length is unknown
 *   ERR_DIGEST           two digests differ, or the bytes do not match
 */
#ifndef UPLOAD_BODY_H
#define UPLOAD_BODY_H

#include "cgi-gateway/upload/upload.h"

/* POST: a form (upload_form.h), or one file whose name is ?name=. */
enum err upload_body_post(struct upload *u) MUST_CHECK;

/* PUT: one file of this name. Its digest may be in ?sha256=, Repr-Digest and
 * Content-Digest (RFC 9530). */
enum err upload_body_put(struct upload *u, struct span name) MUST_CHECK;

#endif
