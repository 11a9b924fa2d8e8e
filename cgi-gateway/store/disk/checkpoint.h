/* checkpoint.h - the file beside a resumable upload's bytes that has the
 * running SHA-256, how many bytes are durable, and the writer's number.
 *
 * The file has two locks (open file description locks, which the kernel drops
 * however a process ends): one is taken for each write of bytes, the other is
 * kept as long as a commit is open. Only disk_resumable*.c include this.
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

/* As it is in the file */
struct checkpoint {
	char magic[8];	 /* and version */
	uint64_t writer; /* number of the newest writer */
	int64_t synced;	 /* bytes that are durable, and in `hash` */
	/* Whether bytes beyond these count, as far as the file goes. After a
	 * loss of power, which `boot` shows, they do not: a file's length may
	 * have reached the disk before its bytes. */
	uint64_t tail_counts;
	char boot[UUID_LEN + 4];
	struct sha256 hash;
};

/* Create it, for no bytes and no writer. ERR_CONFLICT if it exists. */
enum err checkpoint_create(struct disk_store *s, const char *id,
			   struct errmsg *why) MUST_CHECK;

/* Open its file; the caller closes *fd. ERR_NOT_FOUND */
enum err checkpoint_open(struct disk_store *s, const char *id, int *fd,
			 struct errmsg *why) MUST_CHECK;

/* Wait for the lock and take it. Closing the file unlocks, too. */
enum err checkpoint_lock(int fd, enum checkpoint_lock which,
			 struct errmsg *why) MUST_CHECK;
void checkpoint_unlock(int fd, enum checkpoint_lock which);

/* A checkpoint that a loss of power has damaged reads as one with no durable
 * bytes, and a number that no writer has. */
enum err checkpoint_read(int fd, struct checkpoint *out,
			 struct errmsg *why) MUST_CHECK;
/* With this boot's name. */
enum err checkpoint_write(const struct disk_store *s, int fd,
			  struct checkpoint *c, struct errmsg *why) MUST_CHECK;

/* Make what was written durable. */
enum err checkpoint_sync(int fd, struct errmsg *why) MUST_CHECK;

/* Read the writer's number alone. */
enum err checkpoint_writer(int fd, uint64_t *out,
			   struct errmsg *why) MUST_CHECK;

/* How many bytes count of a file of `size` bytes. */
int64_t checkpoint_offset(const struct disk_store *s,
			  const struct checkpoint *c, int64_t size);

/* Hash the bytes of the file `fd` between c->synced and `to`, make them
 * durable, and advance `c`, which the caller writes. */
enum err checkpoint_catch_up(struct checkpoint *c, int fd, int64_t to,
			     struct errmsg *why) MUST_CHECK;

/* Remove its file. Whether there was one. */
bool checkpoint_remove(struct disk_store *s, const char *id);

#endif
