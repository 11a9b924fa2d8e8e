/* chunk_param.h - the parameters by which an uploader says that a request has
 * only a part of a file: of Dropzone, Fine Uploader, flow.js, ng-file-upload,
 * Plupload, resumable.js, simple-uploader.js, Syncfusion, DevExtreme, S3 and
 * others. Such a part must not be kept as the file.
 */
#ifndef CHUNK_PARAM_H
#define CHUNK_PARAM_H

#include "common/base/span.h"

/* Whether a field of this name in a form says so: each name that contains
 * "chunk", in any case, and some others. */
bool chunk_param_is(struct span name);

/* The fields "offset" and "total" of Plupload: each alone may be anybody's. */
enum {
	CHUNK_PARAM_OFFSET = 1,
	CHUNK_PARAM_TOTAL = 2,
	CHUNK_PARAM_BOTH = 3,
};

/* Return the bit of `name`, or 0. */
unsigned chunk_param_bit(struct span name);

/* Whether the value of the field "metadata" says so: Kendo UI describes the part
 * there, as JSON with a member "chunkIndex". */
bool chunk_param_in_json(struct span value);

/* The names of header fields that say so, whatever their value is; a
 * NULL-terminated list. Upload-Complete and Upload-Incomplete say it by their
 * value (draft-ietf-httpbis-resumable-upload): see chunk_param_is_incomplete().
 */
extern const char *const chunk_param_headers[];

/* Whether one of these two says that more of the file will follow. */
bool chunk_param_is_incomplete(struct span upload_complete,
			       struct span upload_incomplete);

#endif
