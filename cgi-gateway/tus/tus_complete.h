/* tus_complete.h - turns a complete upload into a file. */
#ifndef TUS_COMPLETE_H
#define TUS_COMPLETE_H

#include "cgi-gateway/app/app.h"
#include "cgi-gateway/tables/tus_uploads.h"
#include "common/http/request.h"
#include "common/http/response.h"

/* Make *u the file of the same id, unless that is already done. Of several
 * simultaneous requests, one works and the others wait for it. A request
 * continues where an interrupted one stopped.
 *
 *   ERR_DIGEST     the SHA-256 is not the one in Upload-Metadata
 *   ERR_INFECTED, ERR_TOO_LARGE  content_check.h's. After these three the
 *                  upload is removed.
 *   ERR_NOT_FOUND  it was removed
 *   ERR_CONFLICT   it does not have all of its bytes
 *   ERR_UNAVAILABLE  try again; a HEAD will do */
enum err tus_complete(const struct app *app, const struct request *rq,
		      struct response *rs, struct session_check *session,
		      struct tus_upload *u) MUST_CHECK;

/* The same for a joined upload, which has no row yet: its row is added, and the
 * rows of its parts are deleted. Only removes bytes of *u that cannot become a
 * file. ERR_CONFLICT also if a part was removed. ERR_QUOTA. */
enum err tus_complete_joined(const struct app *app, const struct request *rq,
			     struct response *rs,
			     const struct session_check *session,
			     struct tus_upload *u,
			     const struct tus_upload *part,
			     size_t part_count) MUST_CHECK;

/* Remove an upload, its row and its bytes. ERR_NOT_FOUND: it has become a file,
 * or was removed. */
enum err tus_remove(const struct app *app, const struct tus_upload *u,
		    struct errmsg *why) MUST_CHECK;

#endif
