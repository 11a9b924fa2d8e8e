/* upload_whole.h - refuses a request that has only a part of a file: stored as
 * the file, the rest would be lost. */
#ifndef UPLOAD_WHOLE_H
#define UPLOAD_WHOLE_H

#include "cgi-gateway/upload/upload.h"

/* Check the header fields of the request (chunk_param.h). ERR_FORMAT, explained
 * (RFC 9110 9.3.4, 14.5). A Content-Range of a whole file passes, and is
 * compared with the file by upload_whole_check_size(). */
enum err upload_whole_check(struct upload *u) MUST_CHECK;

/* Note the value of a Content-Range. Return false if it is that of a part. */
bool upload_whole_range(struct upload *u, struct span value);

/* Check that the file, which has been received, is as long as it should be. */
enum err upload_whole_check_size(const struct upload *u) MUST_CHECK;

/* Explain the parameters of chunks in the query of an upload. ERR_INVALID, or
 * ERR_OK if there are none. */
enum err upload_whole_check_query(const struct request *rq,
				  struct response *rs) MUST_CHECK;

/* Return ERR_FORMAT, explained; `what` names the field that says it. */
enum err upload_whole_refuse(const struct upload *u, struct span what);

#endif
