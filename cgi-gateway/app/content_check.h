/* content_check.h - checks the content of a completely received file before it
 * becomes visible. All kinds of upload use it.
 */
#ifndef CONTENT_CHECK_H
#define CONTENT_CHECK_H

#include "cgi-gateway/app/app.h"
#include "common/http/request.h"
#include "common/http/response.h"

/* Scan the file for viruses and fill f->type; f->claimed_type, cleaned, and
 * f->name are given. After an error neither this file nor others of the same
 * request may become visible:
 *
 *   ERR_INFECTED     explained; the log line has the user and the signature
 *   ERR_TOO_LARGE    too large to be scanned; explained
 *   ERR_UNAVAILABLE  cannot be scanned now; explained
 *   and the errors of src->read
 */
enum err content_check(const struct app *app, const struct request *rq,
		       struct response *rs, const struct content_source *src,
		       struct file *f) MUST_CHECK;

#endif
