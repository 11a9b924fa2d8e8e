/* tus_progress.h - the progress of an upload. */
#ifndef TUS_PROGRESS_H
#define TUS_PROGRESS_H

#include "cgi-gateway/tus/tus.h"

struct tus_progress {
	int64_t offset;	    /* bytes that the upload has */
	int64_t written_at; /* of the last of them, seconds since 1970 */
};

/* Find out, even for an upload that has become a file. An upload that has all
 * of its bytes but is not a file, because a request was interrupted, is
 * completed first (tus_complete.h, with its errors), so "complete" is always
 * true. Reads the row into *u again if another request has changed it.
 * ERR_NOT_FOUND: the upload or its file was removed. */
enum err tus_progress(const struct app *app, struct request *rq,
		      struct response *rs, struct tus_caller *caller,
		      struct tus_upload *u,
		      struct tus_progress *out) MUST_CHECK;

#endif
