/* store_disk.h - objects as files of one directory.
 *
 *	DIR/incoming/<id>      being written
 *	DIR/objects/<aa>/<id>  finished; aa are the last two digits of the id
 *	DIR/holds              empty; a byte of it is locked for each held
 *object
 *
 * Finishing is: fsync of the file, rename, fsync of both directories. Both are
 * on one file system, so the rename is atomic. Directories are made as 0750 and
 * files as 0640: the server that sends them is in the program's group.
 *
 * A hold is a record lock (fcntl), which the kernel drops however the process
 * ends. It is seen by every process that uses the same directory on this
 * machine, and on others where their file system shares record locks.
 */
#ifndef STORE_DISK_H
#define STORE_DISK_H

#include "cgi-gateway/store/store.h"

enum {
	STORE_DISK_GATHER = 128 * 1024, /* bytes a write(2) carries */
	/* bytes after which the kernel is asked to start writing back, so that
	 * the fsync at the end finds little left to do */
	STORE_DISK_WRITEBACK = 8 * 1024 * 1024,
};

/* Make the directories where they are missing. ERR_CONFIG with the reason when
 * `dir` cannot be used, or its file system locks no records. */
enum err store_disk_open(const char *dir, struct store **out,
			 struct errmsg *why) MUST_CHECK;

/* Whether store_disk_open() can be expected to work, without making anything.
 * ERR_CONFIG with the reason. */
enum err store_disk_check(const char *dir, struct errmsg *why) MUST_CHECK;

#endif
