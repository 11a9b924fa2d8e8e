/* chunk_param.h - the parameters by which an uploader says that a request has
 * only a part of a file, or the only part: of Dropzone, Fine Uploader, flow.js, ng-file-upload,
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

/* What the fields of a form say together, in whatever order they come. Uploaders
 * that cut files up send the same fields with a small file: it is its only part,
 * and whole. Zeros to begin with. */
struct chunk_claim {
	char by[48];   /* the first field that says "part", or "" */
	unsigned bits; /* chunk_param_bit() of all fields */
	bool single;   /* of one part in all */
	bool several;  /* of more than one, or of a number that is none */
	bool sized;    /* the size of the whole file is given: */
	int64_t size;
};

/* Note a field. `value` is "" if it is longer than the caller keeps. */
void chunk_claim_add(struct chunk_claim *c, struct span name,
		     struct span value);

/* Whether a form with `files` files, which have `bytes` bytes, has only a part
 * of one. */
bool chunk_claim_is_part(const struct chunk_claim *c, size_t files,
			 int64_t bytes);

/* Return the size of the file if the value of a Content-Range says that it is
 * whole, "bytes 0-4/5"; otherwise -1 (RFC 9110 14.4). */
int64_t chunk_param_whole_range(struct span value);

/* The names of header fields that say so, whatever their value is; a
 * NULL-terminated list. Upload-Complete and Upload-Incomplete say it by their
 * value (draft-ietf-httpbis-resumable-upload): see chunk_param_is_incomplete().
 */
extern const char *const chunk_param_headers[];

/* Whether one of these two says that more of the file will follow. */
bool chunk_param_is_incomplete(struct span upload_complete,
			       struct span upload_incomplete);

#endif
