/* uploads_sweep.h - the end of resumable uploads that nobody goes on with. */
#ifndef UPLOADS_SWEEP_H
#define UPLOADS_SWEEP_H

#include "sweep.h"

/* Remove those whose last bytes came `life` seconds before s->now or earlier:
 * the row, with what it held of the quota, then the bytes. Of those that became
 * files the row alone. May run while uploads come in. Counted as SWEEP_UPLOAD
 * are the unfinished ones. Errors and the rest as in sweep.h. */
enum err uploads_sweep(struct sweep *s, int64_t life,
		       struct errmsg *m) MUST_CHECK;

#endif
