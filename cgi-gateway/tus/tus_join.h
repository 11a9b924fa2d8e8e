/* tus_join.h - joins uploads into one (tus, "Concatenation"). */
#ifndef TUS_JOIN_H
#define TUS_JOIN_H

#include "cgi-gateway/tus/tus.h"

/* Make *u, which has neither row nor bytes yet, a file with the bytes of the
 * uploads in `list` (tus_header.h) in that order, and remove these. After a
 * failure they are unchanged, and nothing of *u remains; but the parts of an
 * infected file are removed. Errors are explained to the client:
 *
 *   ERR_INVALID    a part is not a partial upload of the owner, or named twice
 *   ERR_CONFLICT   a part does not have all of its bytes, or another request
 *                  has joined or removed it
 *   ERR_TOO_LARGE  together over MAX_UPLOAD, or more than TUS_PARTS_MAX
 *   ERR_DIGEST, ERR_INFECTED, ERR_QUOTA */
enum err tus_join(const struct app *app, struct request *rq,
		  struct response *rs, struct tus_caller *caller,
		  struct tus_upload *u, struct span list) MUST_CHECK;

#endif
