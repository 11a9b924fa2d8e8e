/* gc_uploads.h - removes resumable uploads that were not continued in time. */
#ifndef GC_UPLOADS_H
#define GC_UPLOADS_H

#include "cgi-gateway/admin/gc.h"

/* Remove each upload whose last bytes were written `life` seconds before
 * gc->now or earlier: its row, which returns the reserved quota, then its
 * bytes. Only the row of a finished upload is removed. Uploads may continue at
 * the same time. Unfinished ones are counted as GC_UPLOAD. Errors as in gc.h.
 */
enum err gc_uploads(struct gc *gc, int64_t life, struct errmsg *why) MUST_CHECK;

#endif
