/* throttle_sweep.h - takes old rows out of the tables of throttle.h.
 *
 * A DELETE over a range of ages would lock rows by the index of ages, while an
 * attempt locks them by their key and then changes their age: the two could
 * wait for each other. So the keys are read without a lock, and each row is
 * deleted by its key, if it is still old. What another machine has deleted is
 * fine.
 */
#ifndef THROTTLE_SWEEP_H
#define THROTTLE_SWEEP_H

#include "common/base/err.h"
#include "common/db/db.h"

enum {
	THROTTLE_SWEEP = 8, /* rows at the most, oldest first */
};

/* Rows of `throttle` that nobody has touched since `before`. */
enum err throttle_sweep(struct db *db, int64_t before,
			struct errmsg *why) MUST_CHECK;

/* Rows of `known_address` not seen since. */
enum err throttle_sweep_known(struct db *db, int64_t before,
			      struct errmsg *why) MUST_CHECK;

#endif
