/* checkpoint.h - inside partial: the file beside the bytes that says how far
 * they are kept and who may write them.
 *
 * Two locks lie on it (open file description locks, which the kernel drops
 * however a process ends): one is held for the moment of a write, the other by
 * who finishes. Only resumable_*.c include this.
 */
#ifndef CHECKPOINT_H
#define CHECKPOINT_H

#include "cgi-gateway/store/disk/store_disk_layout.h"
#include "common/codec/digest.h"

enum checkpoint_lock {
	RESUMABLE_WRITING,
	RESUMABLE_FINISHING,
};

/* The number that no writer has, of an upload that takes none any more: it is
 * being finished, or was removed */
#define RESUMABLE_NOBODY UINT64_MAX

struct checkpoint {
	char magic[8]; /* and version */
	/* Whoever became the writer last has this number */
	uint64_t writer;
	int64_t kept; /* bytes that are safe on the disk; `hash` has seen them
		       */
	/* Whether bytes beyond these count too, as far as the file goes. Not
	 * after a loss of power: the length may be on the disk before the bytes
	 * are. Then the boot is another one. */
	uint64_t tail_counts;
	char boot[UUID_LEN + 4];
	struct sha256 hash;
};

/* Make it anew for no bytes and no writer. ERR_CONFLICT where it exists. */
enum err checkpoint_create(struct store *s, const char *id,
			   struct errmsg *why) MUST_CHECK;

/* A descriptor of it. ERR_NOT_FOUND */
enum err checkpoint_open(struct store *s, const char *id, int *fd,
			 struct errmsg *why) MUST_CHECK;

/* Wait for the lock and take it. Closing the descriptor gives it back, too. */
enum err checkpoint_lock(int fd, enum checkpoint_lock which,
			 struct errmsg *why) MUST_CHECK;
void checkpoint_unlock(int fd, enum checkpoint_lock which);

/* One that a loss of power has damaged reads as one that keeps nothing, with a
 * writer's number that nobody has. */
enum err checkpoint_read(int fd, struct checkpoint *out,
			 struct errmsg *why) MUST_CHECK;
/* With this boot's name. */
enum err checkpoint_write(const struct store *s, int fd,
			  struct checkpoint *mark,
			  struct errmsg *why) MUST_CHECK;

/* Make what was written safe from a loss of power. */
enum err checkpoint_keep(int fd, struct errmsg *why) MUST_CHECK;

/* The writer's number alone. */
enum err checkpoint_writer(int fd, uint64_t *out,
			   struct errmsg *why) MUST_CHECK;

/* How many bytes count of a file of `size` bytes. */
int64_t checkpoint_offset(const struct store *s, const struct checkpoint *mark,
			  int64_t size);

/* Hash the bytes of `fd` between mark->kept and `to`, and make them safe: then
 * they are kept, as far as `mark` says; it is not written here. */
enum err checkpoint_catch_up(struct checkpoint *mark, int fd, int64_t to,
			     struct errmsg *why) MUST_CHECK;

/* Remove it. Whether there was one. */
bool checkpoint_remove(struct store *s, const char *id);

#endif
