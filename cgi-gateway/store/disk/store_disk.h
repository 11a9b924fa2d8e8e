/* store_disk.h - a store whose objects are files below one directory.
 *
 *	DIR/incoming/<id>       being written, STORE_DISK_BUFFER bytes at least
 *	DIR/incoming/<id>.mark  checkpoint of a resumable upload (checkpoint.h)
 *	DIR/objects/<aa>/<id>   finished; aa are the last two digits of the id
 *	DIR/holds               empty; one byte is locked for each locked id
 *
 * A commit is: fsync of the file, rename, fsync of both directories. All are on
 * one file system, so the rename is atomic. A smaller object has no name before
 * its commit, which is: write, link, fsync (disk_method.h). Directories are created with mode
 * 0750 and files with 0640: the server that sends them is in the program's
 * group.
 *
 * A lock is a record lock (fcntl), which the kernel releases however the
 * process ends. Every process that uses the directory on this machine sees it,
 * and those of other machines if the file system shares record locks.
 */
#ifndef STORE_DISK_H
#define STORE_DISK_H

#include "cgi-gateway/store/store.h"

enum {
	STORE_DISK_BUFFER = 128 * 1024, /* bytes of a write(2) */
	/* bytes after which the kernel is asked to start writing back, so that
	 * the fsync at the end has little left to do */
	STORE_DISK_WRITEBACK = 8 * 1024 * 1024,
	/* the same for a resumable upload, of which a request often has 8 MiB
	 * and ends with a sync */
	STORE_DISK_WRITEBACK_RESUMABLE = 1024 * 1024,
	/* bytes after which a resumable upload is synced automatically; after a
	 * crash at most this many are read again */
	STORE_DISK_SYNC_EVERY = 64 * 1024 * 1024,
};

/* Open a store in `dir`, creating missing directories.
 *
 *   ERR_CONFIG  `dir` cannot be used, or its file system has no record locks;
 *               `why` has the reason
 *   ERR_MEMORY */
enum err store_disk_open(const char *dir, struct store **out,
			 struct errmsg *why) MUST_CHECK;

/* Check whether store_disk_open() is likely to succeed, without creating
 * anything. ERR_CONFIG, with the reason, if it is not. */
enum err store_disk_check(const char *dir, struct errmsg *why) MUST_CHECK;

#endif
