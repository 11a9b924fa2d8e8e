#include "cgi-gateway/store/disk/checkpoint.h"
#include "cgi-gateway/store/disk/disk_lock.h"
#include "cgi-gateway/store/disk/disk_objects.h"
#include "cgi-gateway/store/disk/disk_resumable.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static enum err create_files(struct disk_store *s, const char *id,
			     struct errmsg *why)
{
	int fd = openat(s->incoming, id,
			O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	enum err e;

	if (fd < 0)
		return errno == EEXIST
			       ? ERR_CONFLICT
			       : disk_failed(why, "create incoming", id);
	(void)close(fd);
	e = checkpoint_create(s, id, why);
	/* The names must be durable before bytes are synced */
	if (e == ERR_OK && fsync(s->incoming) != 0) {
		e = disk_failed(why, "fsync", "incoming/");
		(void)checkpoint_remove(s, id);
	}
	if (e != ERR_OK)
		(void)unlinkat(s->incoming, id, 0);
	return e;
}

enum err disk_resumable_create(struct store *s, const char *id,
			       struct errmsg *why)
{
	/* Lock before there is a file that gc could find */
	enum err e = disk_lock(disk_of(s), id, why);

	if (e == ERR_OK)
		e = create_files(disk_of(s), id, why);
	/* On ERR_CONFLICT the lock may belong to the request that created the
	 * existing upload */
	if (e != ERR_OK && e != ERR_CONFLICT)
		disk_unlock(s, id);
	return e;
}

/* Make an open writer fail: it finds another number than its own */
static void close_to_writers(struct disk_store *s, const char *id)
{
	struct checkpoint c;
	int fd;

	if (checkpoint_open(s, id, &fd, NULL) != ERR_OK)
		return;
	if (checkpoint_lock(fd, CHECKPOINT_WRITE, NULL) == ERR_OK &&
	    checkpoint_read(fd, &c, NULL) == ERR_OK) {
		c.writer = CHECKPOINT_CLOSED;
		(void)!checkpoint_write(s, fd, &c, NULL);
	}
	(void)close(fd);
}

static enum err remove_bytes(struct disk_store *s, const char *id,
			     struct errmsg *why)
{
	if (unlinkat(s->incoming, id, 0) != 0)
		return disk_absent(why, "remove incoming", id);
	return ERR_OK;
}

enum err disk_resumable_remove(struct store *s, const char *id,
			       struct errmsg *why)
{
	bool had_checkpoint;
	enum err e;

	close_to_writers(disk_of(s), id);
	had_checkpoint = checkpoint_remove(disk_of(s), id);
	e = remove_bytes(disk_of(s), id, why);
	disk_unlock(s, id);
	return e == ERR_NOT_FOUND && had_checkpoint ? ERR_OK : e;
}
