/* tus.h - the common part of requests for resumable uploads (tus 1.0.0).
 *
 *	tus_begin(app, rq, rs, &caller)	the version, the session, ?owner=
 *	tus_find(app, rq, &caller, &u, why)	the upload that the path names
 *
 * An upload is at /tus/{id} and becomes the file /files/{id}. It belongs to its
 * owner, whatever token created it.
 */
#ifndef TUS_H
#define TUS_H

#include "cgi-gateway/app/app.h"
#include "cgi-gateway/tables/tus_uploads.h"

#define TUS_EXTENSIONS                                                    \
	"creation,creation-with-upload,creation-defer-length,expiration," \
	"checksum,termination,concatenation"

/* The user for whom a request acts. */
struct tus_caller {
	struct session_check *session; /* of the request */
	uint64_t owner; /* of the upload; 0: the user of the session */
};

/* Implement `arrive` of struct program: every response contains the version, a
 * response to OPTIONS also what this server supports, and
 * X-HTTP-Method-Override replaces POST. */
void tus_arrive(void *app, struct request *rq, struct response *rs);

/* Check the version, and fill *caller. ERR_TUS_VERSION; request_params.h's for
 * ?owner=. */
enum err tus_begin(const struct app *app, struct request *rq,
		   struct response *rs, struct tus_caller *caller) MUST_CHECK;

/* Find the upload that the path names. ERR_NOT_FOUND; ERR_BAD_TOKEN or
 * ERR_SCOPE if the session has ended or may not write. */
enum err tus_find(const struct app *app, struct request *rq,
		  struct tus_caller *caller, struct tus_upload *out,
		  struct errmsg *why) MUST_CHECK;

/* Set Upload-Expires for an upload whose last byte was written at `written_at`.
 */
void tus_expires(const struct app *app, struct response *rs,
		 int64_t written_at);

#endif
