/* gc_uploads.h - the end of resumable uploads that nobody goes on with. */
#ifndef GC_UPLOADS_H
#define GC_UPLOADS_H

#include "cgi-gateway/admin/gc.h"

/* Remove those whose last bytes came `life` seconds before s->now or earlier:
 * the row, with what it held of the quota, then the bytes. Of those that became
 * files the row alone. May run while uploads come in. Counted as GC_UPLOAD
 * are the unfinished ones. Errors and the rest as in sweep.h. */
enum err gc_uploads(struct gc *s, int64_t life, struct errmsg *why) MUST_CHECK;

#endif
