/* checkpoint.h - the file next to a resumable upload's bytes that records the
 * running SHA-256, how many bytes are durable, and the writer's number.
 *
 * The file has two locks (open file description locks, which the kernel
 * releases however a process ends): one is taken for each write of bytes, the
 * other is kept while a commit is open. Only disk_resumable*.c include this.
 */
#ifndef CHECKPOINT_H
#define CHECKPOINT_H

#include "cgi-gateway/store/disk/disk_layout.h"
#include "common/codec/digest.h"

enum checkpoint_lock {
	CHECKPOINT_WRITE,
	CHECKPOINT_COMMIT,
};

/* The writer's number of an upload that is closed to writers: it is being
 * committed, or was removed. No writer has this number. */
#define CHECKPOINT_CLOSED UINT64_MAX

/* The contents of the file */
struct checkpoint {
	char magic[8];	 /* and version */
	uint64_t writer; /* number of the newest writer */
	int64_t synced;	 /* bytes that are durable and included in `hash` */
	/* Whether bytes beyond these count, up to the length of the file. They
	 * do not count after a loss of power, which `boot` shows: a file's
	 * length may reach the disk before its bytes. */
	uint64_t tail_counts;
	char boot[UUID_LEN + 4];
	struct sha256 hash;
};

/* Create the file, with no bytes and no writer. ERR_CONFLICT if it exists. */
enum err checkpoint_create(struct disk_store *s, const char *id,
			   struct errmsg *why) MUST_CHECK;

/* Open the file; the caller closes *fd. ERR_NOT_FOUND if it does not exist. */
enum err checkpoint_open(struct disk_store *s, const char *id, int *fd,
			 struct errmsg *why) MUST_CHECK;

/* Wait for the lock and take it. Closing the file also unlocks it. */
enum err checkpoint_lock(int fd, enum checkpoint_lock which,
			 struct errmsg *why) MUST_CHECK;
void checkpoint_unlock(int fd, enum checkpoint_lock which);

/* Read the checkpoint. If a loss of power has damaged it, *out has no durable
 * bytes, and a number that no writer has. */
enum err checkpoint_read(int fd, struct checkpoint *out,
			 struct errmsg *why) MUST_CHECK;
/* Write the checkpoint, with this boot's name. */
enum err checkpoint_write(const struct disk_store *s, int fd,
			  struct checkpoint *c, struct errmsg *why) MUST_CHECK;

/* Make what was written durable. */
enum err checkpoint_sync(int fd, struct errmsg *why) MUST_CHECK;

/* Read the writer's number alone. */
enum err checkpoint_writer(int fd, uint64_t *out,
			   struct errmsg *why) MUST_CHECK;

/* Return how many bytes of a file of `size` bytes count. */
int64_t checkpoint_offset(const struct disk_store *s,
			  const struct checkpoint *c, int64_t size);

/* Hash the bytes of the file `fd` between c->synced and `to`, make them
 * durable, and advance `c`, which the caller then writes. */
enum err checkpoint_catch_up(struct checkpoint *c, int fd, int64_t to,
			     struct errmsg *why) MUST_CHECK;

/* Remove the file. Returns whether it existed. */
bool checkpoint_remove(struct disk_store *s, const char *id);

#endif
