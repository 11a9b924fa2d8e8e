/* content_check.h - the look at a file that has come in whole, before anybody can
 * find it. The same for each way in which files come. */
#ifndef CONTENT_CHECK_H
#define CONTENT_CHECK_H

#include "cgi-gateway/app/app.h"
#include "common/http/request.h"
#include "common/http/response.h"

/* Fill f->type; f->claimed_type, cleaned, and f->name are given. After an error
 * it must not become visible, nor may what came with it:
 *
 *   ERR_INFECTED     explained, and the log tells who sent what
 *   ERR_TOO_LARGE    to be scanned; explained
 *   ERR_UNAVAILABLE  it cannot be scanned now; explained
 *   and what src->read answers
 */
enum err content_check(const struct app *app, const struct request *rq,
		       struct response *rs, const struct content_source *src,
		       struct file *f) MUST_CHECK;

#endif
