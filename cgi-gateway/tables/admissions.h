/* admissions.h - the table `admission`: the announced bytes of request bodies
 * that are being received, so that they cannot fill the disk.
 *
 * A row is added before the first byte is received, and removed when the
 * request ends. If its client or the program dies first, the row counts until
 * it expires: after ADMISSION_SECONDS, and a second more for each
 * ADMISSION_RATE bytes. A slower body is received all the same, but no longer
 * counts.
 *
 * All additions change one row first, so sums are exact, however many requests
 * begin at once. Errors are those of db.h, and those named here.
 */
#ifndef ADMISSIONS_H
#define ADMISSIONS_H

#include "common/base/err.h"
#include "common/codec/ident.h"
#include "common/db/db.h"

enum {
	ADMISSION_BODIES_MAX = 256, /* of one owner at a time */
	ADMISSION_SECONDS = 600,
	ADMISSION_RATE = 1 << 20, /* bytes a second */
};

/* Bytes of all bodies at a time: of every owner together, and of one owner. The
 * only body of an owner always fits that owner's limit; of a larger one, only as
 * much as that limit counts for all, so no owner keeps all others out. */
struct admission_limits {
	int64_t all, owner;
};

/* Add a body of `bytes` for `owner`; `id` is filled.
 *
 *   ERR_TOO_MANY_UPLOADS  over the owner's limit, or ADMISSION_BODIES_MAX
 *   ERR_FULL              over the limit of all */
enum err admissions_add(struct db *db, uint64_t owner, int64_t bytes,
			int64_t now, const struct admission_limits *limits,
			char id[static IDENT_LEN + 1],
			struct errmsg *why) MUST_CHECK;

/* Remove the row; if that fails, it expires. */
void admissions_end(struct db *db, const char *id);

#endif
