/* partial_mark.h - inside partial: the file beside the bytes that says how far
 * they are kept and who may write them.
 *
 * Two locks lie on it (open file description locks, which the kernel drops
 * however a process ends): one is held for the moment of a write, the other by
 * who finishes. Only partial_*.c include this.
 */
#ifndef PARTIAL_MARK_H
#define PARTIAL_MARK_H

#include "digest.h"
#include "store_disk_place.h"

enum partial_lock {
	PARTIAL_WRITING,
	PARTIAL_FINISHING,
};

/* The number that no writer has, of an upload that takes none any more: it is
 * being finished, or was removed */
#define PARTIAL_NOBODY UINT64_MAX

struct partial_mark {
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
enum err partial_mark_create(struct store *s, const char *id,
			     struct errmsg *m) MUST_CHECK;

/* A descriptor of it. ERR_NOT_FOUND */
enum err partial_mark_open(struct store *s, const char *id, int *fd,
			   struct errmsg *m) MUST_CHECK;

/* Wait for the lock and take it. Closing the descriptor gives it back, too. */
enum err partial_lock(int fd, enum partial_lock which,
		      struct errmsg *m) MUST_CHECK;
void partial_unlock(int fd, enum partial_lock which);

/* One that a loss of power has damaged reads as one that keeps nothing, with a
 * writer's number that nobody has. */
enum err partial_mark_read(int fd, struct partial_mark *out,
			   struct errmsg *m) MUST_CHECK;
/* With this boot's name. */
enum err partial_mark_write(const struct store *s, int fd,
			    struct partial_mark *mark,
			    struct errmsg *m) MUST_CHECK;

/* Make what was written safe from a loss of power. */
enum err partial_mark_keep(int fd, struct errmsg *m) MUST_CHECK;

/* The writer's number alone. */
enum err partial_mark_writer(int fd, uint64_t *out,
			     struct errmsg *m) MUST_CHECK;

/* How many bytes count of a file of `size` bytes. */
int64_t partial_mark_offset(const struct store *s,
			    const struct partial_mark *mark, int64_t size);

/* Hash the bytes of `fd` between mark->kept and `to`, and make them safe: then
 * they are kept, as far as `mark` says; it is not written here. */
enum err partial_mark_catch_up(struct partial_mark *mark, int fd, int64_t to,
			       struct errmsg *m) MUST_CHECK;

/* Remove it. Whether there was one. */
bool partial_mark_remove(struct store *s, const char *id);

#endif
