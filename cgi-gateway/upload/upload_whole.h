/* upload_whole.h - refuses a request that has only a part of a file: stored as
 * the file, the rest would be lost. */
#ifndef UPLOAD_WHOLE_H
#define UPLOAD_WHOLE_H

#include "cgi-gateway/upload/upload.h"

/* Check the header fields of the request (chunk_param.h). ERR_FORMAT, explained
 * (RFC 9110 9.3.4, 14.5). Parameters of chunks in the query are refused by the
 * route, which does not list them. */
enum err upload_whole_check(const struct upload *u) MUST_CHECK;

/* Return ERR_FORMAT, explained; `what` names the field that says it. */
enum err upload_whole_refuse(const struct upload *u, struct span what);

#endif
