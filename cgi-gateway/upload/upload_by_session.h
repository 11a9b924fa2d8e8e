/* upload_by_session.h - an upload by a user, into their own files or, for an
 * admin, into those of ?owner=. */
#ifndef UPLOAD_BY_SESSION_H
#define UPLOAD_BY_SESSION_H

#include "cgi-gateway/upload/upload.h"

/* Begin an upload for the session of the request; ?expires_in= applies to every
 * file. Returns the errors of request_owner() and request_expiry(), after
 * response_explain(). */
enum err upload_by_session_begin(struct upload *u, struct app *app,
				 struct request *rq,
				 struct response *rs) MUST_CHECK;

#endif
