/* file_name.h - what a client calls its file. Data, never a path here.
 */
#ifndef FILE_NAME_H
#define FILE_NAME_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/span.h"

enum {
	FILE_NAME_MAX = 255, /* bytes of UTF-8; what file systems take */
};

/* The name to keep for what was sent: the part behind the last "/" or "\"
 * (browsers once sent whole paths). ERR_INVALID for what is empty, "." or "..",
 * not UTF-8, longer than FILE_NAME_MAX, or holds a control character. */
enum err file_name_clean(struct span sent,
			 char out[static FILE_NAME_MAX + 1]) MUST_CHECK;

/* Append a Content-Disposition value (RFC 6266) that every browser takes: an
 * ASCII filename, and filename* (RFC 8187) when the name is more than that. */
void file_name_disposition(struct span name, bool inline_, struct buf *out);

#endif
