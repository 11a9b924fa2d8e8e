/* store_disk_layout.h - inside store_disk: its directories and their names. Only
 * what keeps objects as files includes it: store_disk*.c and partial*.c. */
#ifndef STORE_DISK_LAYOUT_H
#define STORE_DISK_LAYOUT_H

#include "cgi-gateway/store/disk/store_disk.h"

struct store {
	char *objects_path;    /* owned, absolute */
	int incoming, objects; /* directories */
	int holds;	       /* the file whose bytes are locked */
	/* The kernel's name for this boot, or "" */
	char boot[UUID_LEN + 4];
};

enum {
	STORE_DISK_NAME = UUID_LEN + 4, /* bytes of "<aa>/<id>" and its NUL */
};

/* objects/<aa>/<id>, relative to objects/. The first digits of an id are a
 * time, which would fill one directory after the other; the last are random. */
void store_disk_name(const char *id, char out[static STORE_DISK_NAME]);

/* incoming/<id>.mark: how far an upload of many requests got (resumable_mark.h)
 */
#define CHECKPOINT_SUFFIX ".mark"

/* ERR_FULL or ERR_IO for errno; `why` says what could not be done to which. */
enum err store_disk_failed(struct errmsg *why, const char *what,
			   const char *id);

/* One pread(2) of `id`. */
enum err store_disk_read(int fd, const char *id, int64_t from, char *to,
			 size_t cap, size_t *got,
			 struct errmsg *why) MUST_CHECK;

/* The same, but ERR_NOT_FOUND where what was asked for is not there. */
enum err store_disk_absent(struct errmsg *why, const char *what,
			   const char *id);

/* Make the file `fd`, which is incoming/<id>, the object `id`: safe from a loss
 * of power, then visible. After a failure there is no such object, and the file
 * is where it was. */
enum err store_disk_place(struct store *s, const char *id, int fd,
			  struct errmsg *why) MUST_CHECK;

/* Open the directory `name` of `parent`, made where it is missing; then its
 * entry in `parent` is made safe too. -1 and errno. */
int store_disk_dir(int parent, const char *name);

/* Open `holds` of the directory `root`, made where it is missing. -1 and errno,
 * also where nothing can be locked. */
int store_disk_locks(int root);

/* Hold the object, until store_unlock(). */
enum err store_disk_lock(struct store *s, const char *id,
			 struct errmsg *why) MUST_CHECK;

#endif
