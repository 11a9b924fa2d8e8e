/* uploads_sweep.h - the end of resumable uploads that nobody goes on with. */
#ifndef UPLOADS_SWEEP_H
#define UPLOADS_SWEEP_H

#include "store.h"
#include "uploads.h"

/* Remove those whose last bytes came `life` seconds before `now` or earlier:
 * the row, with what it held of the quota, then the bytes. Of those that became
 * files the row alone. With `dry` only count. May run while uploads come in.
 * *removed and *bytes grow by the unfinished ones. */
enum err uploads_sweep(struct db *db, struct store *s, int64_t now,
		       int64_t life, bool dry, int64_t *removed, int64_t *bytes,
		       struct errmsg *m) MUST_CHECK;

#endif
