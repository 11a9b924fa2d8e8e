/* The place of an upload: made, and taken away. */
#include "cgi-gateway/store/disk/checkpoint.h"
#include "cgi-gateway/store/resumable.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static enum err create(struct store *s, const char *id, struct errmsg *why)
{
	int fd = openat(s->incoming, id,
			O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	enum err e;

	if (fd < 0)
		return errno == EEXIST
			       ? ERR_CONFLICT
			       : store_disk_failed(why, "create incoming", id);
	(void)close(fd);
	e = checkpoint_create(s, id, why);
	/* What resumable_sync() makes safe must have its names */
	if (e == ERR_OK && fsync(s->incoming) != 0) {
		e = store_disk_failed(why, "fsync", "incoming/");
		(void)checkpoint_remove(s, id);
	}
	if (e != ERR_OK)
		(void)unlinkat(s->incoming, id, 0);
	return e;
}

enum err resumable_create(struct store *s, const char *id, struct errmsg *why)
{
	/* Before there is anything to be judged */
	enum err e = store_disk_lock(s, id, why);

	if (e == ERR_OK)
		e = create(s, id, why);
	/* What is there already is somebody's, and perhaps held */
	if (e != ERR_OK && e != ERR_CONFLICT)
		store_unlock(s, id);
	return e;
}

enum err resumable_remove(struct store *s, const char *id, struct errmsg *why)
{
	struct checkpoint mark;
	int mark_file;
	bool marked;
	enum err e;

	if (checkpoint_open(s, id, &mark_file, NULL) == ERR_OK) {
		if (checkpoint_lock(mark_file, RESUMABLE_WRITING, NULL) ==
			    ERR_OK &&
		    checkpoint_read(mark_file, &mark, NULL) == ERR_OK) {
			mark.writer = RESUMABLE_NOBODY;
			(void)!checkpoint_write(s, mark_file, &mark, NULL);
		}
		(void)close(mark_file);
	}
	marked = checkpoint_remove(s, id);
	e = store_remove_unfinished(s, id, why);
	store_unlock(s, id);
	return e == ERR_NOT_FOUND && marked ? ERR_OK : e;
}
