/* gc_uploads.h - remove resumable uploads that were not continued in time. */
#ifndef GC_UPLOADS_H
#define GC_UPLOADS_H

#include "cgi-gateway/admin/gc.h"

/* Remove each upload whose last bytes were written `life` seconds before
 * gc->now or earlier: its row, which returns the reserved quota, then its
 * bytes. Of a finished upload only the row is removed. Uploads may continue
 * meanwhile. Unfinished ones are counted as GC_UPLOAD. Errors as in gc.h. */
enum err gc_uploads(struct gc *gc, int64_t life, struct errmsg *why) MUST_CHECK;

#endif
