/* disk_layout.h - the directories, names and errors of a store_disk. Only files
 * in store/disk/ include it. */
#ifndef DISK_LAYOUT_H
#define DISK_LAYOUT_H

#include "common/base/buffer_pool.h"
#include "cgi-gateway/store/disk/store_disk.h"
#include "cgi-gateway/store/store_ops.h"

#include <stdatomic.h>

/* How a small object becomes durable and visible; see disk_put() */
enum disk_method {
	DISK_METHOD_UNKNOWN, /* not determined yet */
	DISK_LINK,	     /* unnamed file, link, fsync of the file */
	DISK_LINK_AND_SYNC,  /* and fsync of the directory */
	DISK_RENAME,	     /* a name in incoming/, rename: disk_place() */
};

struct disk_store {
	struct store base;
	char *objects_path;	    /* owned, absolute */
	int incoming, objects;	    /* directories */
	int holds;		    /* the file whose bytes are locked */
	atomic_int method;	    /* enum disk_method */
	struct buffer_pool buffers; /* of resumable uploads */
	/* The kernel's name for this boot, or "" */
	char boot[UUID_LEN + 4];
};

static inline struct disk_store *disk_of(struct store *s)
{
	return (struct disk_store *)s;
}

enum {
	DISK_NAME = UUID_LEN + 4, /* bytes of "<aa>/<id>" and its NUL */
};

/* Make the name objects/<aa>/<id>, relative to objects/. <aa> is from the end
 * of the id, which is random; the beginning is a time, and would fill one
 * directory after the other. */
void disk_name(const char *id, char out[static DISK_NAME]);

/* incoming/<id>.mark, the checkpoint of a resumable upload */
#define CHECKPOINT_SUFFIX ".mark"

/* Return ERR_FULL, ERR_UNAVAILABLE (no free descriptor) or ERR_IO for errno; `why` says what failed, and for which
 * `id`. */
enum err disk_failed(struct errmsg *why, const char *what, const char *id);

/* The same, but ERR_NOT_FOUND for ENOENT: for an object that may not exist.
 * Anywhere else a missing file is an internal error. */
enum err disk_absent(struct errmsg *why, const char *what, const char *id);

/* Do one pread(2) on the file of `id`. */
enum err disk_read(int fd, const char *id, int64_t from, char *to, size_t cap,
		   size_t *got, struct errmsg *why) MUST_CHECK;

/* Write all of `bytes` at the file's position. */
enum err disk_write(int fd, const char *id, struct span bytes,
		    struct errmsg *why) MUST_CHECK;

/* Open the directory `name` of `parent`. If it is missing, create it, and make
 * its entry in `parent` durable. On failure, returns -1 and
 * sets errno. */
int disk_dir(int parent, const char *name);

#endif
