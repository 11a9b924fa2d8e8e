/* tus_progress.h - how far an upload is. */
#ifndef TUS_PROGRESS_H
#define TUS_PROGRESS_H

#include "cgi-gateway/tus/tus.h"

struct tus_progress {
	int64_t offset;	    /* bytes that the upload has */
	int64_t written_at; /* of the last of them, seconds since 1970 */
};

/* Find out, also for an upload that has become a file. An upload that has all
 * of its bytes and is no file, because a request was interrupted, is completed
 * first (tus_complete.h, whose errors these are, too): "complete" is reported
 * only when it is true. Reads the row into *u again where another request has
 * changed it. ERR_NOT_FOUND: removed, or its file is. */
enum err tus_progress(const struct app *app, struct request *rq,
		      struct response *rs, struct tus_caller *caller,
		      struct tus_upload *u,
		      struct tus_progress *out) MUST_CHECK;

#endif
