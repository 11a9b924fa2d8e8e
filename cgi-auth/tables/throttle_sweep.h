/* throttle_sweep.h - deletes old rows of the tables of throttle.h.
 *
 * A DELETE over a range of ages would lock rows by the index of ages, while an
 * attempt locks them by their key and then changes their age: the two could
 * deadlock. So the keys are read without a lock, and each row is deleted by its
 * key, if it is still old. A row that another machine has deleted is no error.
 */
#ifndef THROTTLE_SWEEP_H
#define THROTTLE_SWEEP_H

#include "common/base/err.h"
#include "common/db/db.h"

enum {
	THROTTLE_SWEEP = 8, /* rows at a time, oldest first */
};

/* Delete rows of `throttle` that were last changed before `before`. */
enum err throttle_sweep(struct db *db, int64_t before,
			struct errmsg *why) MUST_CHECK;

/* Delete rows of `known_address` that were last seen before `before`. */
enum err throttle_sweep_known(struct db *db, int64_t before,
			      struct errmsg *why) MUST_CHECK;

#endif
