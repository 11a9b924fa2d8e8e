/* inspect.h - the look at a file that has come in whole, before anybody can
 * find it. The same for each way in which files come. */
#ifndef INSPECT_H
#define INSPECT_H

#include "app.h"
#include "request.h"
#include "response.h"

/* Fill f->type; f->claimed_type, cleaned, and f->name are given. After an error
 * it must not become visible, nor may what came with it:
 *
 *   ERR_INFECTED     explained, and the log tells who sent what
 *   ERR_TOO_LARGE    to be scanned; explained
 *   ERR_UNAVAILABLE  it cannot be scanned now; explained
 *   and what src->read answers
 */
enum err inspect(const struct app *app, const struct request *rq,
		 struct response *rs, const struct inspect_source *src,
		 struct file *f) MUST_CHECK;

#endif
