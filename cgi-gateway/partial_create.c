/* The place of an upload: made, and taken away. */
#include "partial.h"
#include "partial_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static enum err create(struct store *s, const char *id, struct errmsg *m)
{
	int fd = openat(s->incoming, id,
			O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	enum err e;

	if (fd < 0)
		return errno == EEXIST
			       ? ERR_CONFLICT
			       : store_disk_failed(m, "create incoming", id);
	(void)close(fd);
	e = partial_mark_create(s, id, m);
	/* What partial_keep() makes safe must have its names */
	if (e == ERR_OK && fsync(s->incoming) != 0) {
		e = store_disk_failed(m, "fsync", "incoming/");
		(void)partial_mark_remove(s, id);
	}
	if (e != ERR_OK)
		(void)unlinkat(s->incoming, id, 0);
	return e;
}

enum err partial_create(struct store *s, const char *id, struct errmsg *m)
{
	/* Before there is anything to be judged */
	enum err e = store_disk_hold(s, id, m);

	if (e == ERR_OK)
		e = create(s, id, m);
	/* What is there already is somebody's, and perhaps held */
	if (e != ERR_OK && e != ERR_CONFLICT)
		store_release(s, id);
	return e;
}

enum err partial_remove(struct store *s, const char *id, struct errmsg *m)
{
	struct partial_mark mark;
	int mark_file;
	bool marked;
	enum err e;

	if (partial_mark_open(s, id, &mark_file, NULL) == ERR_OK) {
		if (partial_lock(mark_file, PARTIAL_WRITING, NULL) == ERR_OK &&
		    partial_mark_read(mark_file, &mark, NULL) == ERR_OK) {
			mark.writer = PARTIAL_NOBODY;
			(void)!partial_mark_write(s, mark_file, &mark, NULL);
		}
		(void)close(mark_file);
	}
	marked = partial_mark_remove(s, id);
	e = store_remove_unfinished(s, id, m);
	store_release(s, id);
	return e == ERR_NOT_FOUND && marked ? ERR_OK : e;
}
