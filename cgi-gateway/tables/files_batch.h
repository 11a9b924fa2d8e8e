/* files_batch.h - the rows of uploads that end at the same time, in one
 * transaction: docs/decisions/0046-small-uploads-share-their-flushes.md
 *
 * A transaction counts the files of all in `quota`, inserts their rows, names
 * and events, and is committed once. It decides for each upload alone: one that
 * does not fit, or whose row of quota is missing or locked by another
 * transaction, is left out, and is inserted by a transaction of its own, as are
 * all if the shared one fails. So each gets the answer that files_add() would
 * give it, and none waits for the lock of another's row.
 */
#ifndef FILES_BATCH_H
#define FILES_BATCH_H

#include "cgi-gateway/tables/files.h"

struct files_batch; /* used by many threads */

/* ERR_MEMORY */
enum err files_batch_open(struct db *db, const struct quota_limits *defaults,
			  const struct webhook_targets *to,
			  struct files_batch **out) MUST_CHECK;
void files_batch_close(struct files_batch *b); /* NULL is fine */

/* Insert the row of `f` for `owner`, whose session has just been checked: as
 * files_add() with its errors, but ERR_BAD_TOKEN. */
enum err files_batch_add(struct files_batch *b, uint64_t owner,
			 const struct file *f, struct errmsg *why) MUST_CHECK;

#endif
