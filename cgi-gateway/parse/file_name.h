/* file_name.h - the name of a file as its client sent it. It is only data,
 * never used as a path.
 */
#ifndef FILE_NAME_H
#define FILE_NAME_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/span.h"

enum {
	FILE_NAME_MAX = 255, /* bytes of UTF-8, as in most file systems */
};

/* Make the name to store: the part after the last "/" or "\" of `sent`, because
 * old browsers send whole paths. ERR_INVALID if it is empty, "." or "..", not
 * UTF-8, longer than FILE_NAME_MAX, or has a control character. */
enum err file_name_clean(struct span sent,
			 char out[static FILE_NAME_MAX + 1]) MUST_CHECK;

/* Append a Content-Disposition value (RFC 6266) that every browser understands:
 * an ASCII filename, and filename* (RFC 8187) if the name is not plain ASCII.
 */
void file_name_disposition(struct span name, bool inline_, struct buf *out);

#endif
