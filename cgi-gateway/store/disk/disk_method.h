/* disk_method.h - how small objects are made durable on this file system.
 *
 * DISK_LINK and DISK_LINK_AND_SYNC need files without a name (O_TMPFILE) and
 * /proc: NFS and older overlayfs have none, so there small objects take the way
 * of large ones.
 *
 * POSIX does not say that the fsync of a file makes its new name durable. It
 * does on
 *
 *	ext3, ext4  the link and the inode are in one transaction of the
 *		    journal, which fsync commits; without a journal fsync also
 *		    writes the directory of a new entry (ext4_sync_parent)
 *	xfs	    the link is logged with the inode, and fsync forces the log
 *		    up to the inode's last change
 *
 * Everywhere else the directory is flushed as well.
 */
#ifndef DISK_METHOD_H
#define DISK_METHOD_H

#include "cgi-gateway/store/disk/disk_layout.h"

/* Return the method of the store; determined at the first call. */
enum disk_method disk_method(struct disk_store *s);

/* If `number`, the errno of an attempt to create or link a file without a name,
 * says that this is not supported: use DISK_RENAME from now on, and return
 * true. */
bool disk_method_fails(struct disk_store *s, int number);

/* Return the method in a few words, for the log; a static string. */
const char *disk_method_text(struct store *s);

#endif
