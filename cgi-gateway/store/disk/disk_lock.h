/* disk_lock.h - locks of ids, as record locks on the file DIR/holds. */
#ifndef DISK_LOCK_H
#define DISK_LOCK_H

#include "cgi-gateway/store/disk/disk_layout.h"

/* Open `holds` in the directory `root`, creating it if it is missing. Returns
 * -1 and errno on failure, including if the file system has no record locks. */
int disk_locks_open(int root);

/* Lock the id until disk_unlock(). */
enum err disk_lock(struct disk_store *s, const char *id,
		   struct errmsg *why) MUST_CHECK;
void disk_unlock(struct store *s, const char *id);

bool disk_is_locked(struct store *s, const char *id);

#endif
