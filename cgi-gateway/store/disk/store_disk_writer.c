#include "cgi-gateway/store/disk/store_disk_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct store_writer {
	struct store *store;
	char id[UUID_LEN + 1];
	int fd;
	int64_t written, pushed; /* bytes; of these, asked to be written back */
	size_t gathered;
	char gather[STORE_DISK_GATHER];
};

enum err store_writer_open(struct store *s, const char *id,
			   struct store_writer **out, struct errmsg *why)
{
	struct store_writer *w = malloc(sizeof(*w));
	enum err e;

	if (w == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	/* Before there is anything to be judged */
	e = store_disk_lock(s, id, why);
	if (e != ERR_OK) {
		free(w);
		return e;
	}
	w->store = s;
	w->written = w->pushed = 0;
	w->gathered = 0;
	(void)snprintf(w->id, sizeof(w->id), "%s", id);
	w->fd = openat(s->incoming, id, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
		       0640);
	if (w->fd < 0) {
		bool begun = errno == EEXIST; /* and held, by somebody */

		e = store_disk_failed(why, "create incoming", id);
		if (!begun)
			store_unlock(s, id);
		free(w);
		return e;
	}
	*out = w;
	return ERR_OK;
}

static enum err write_all(struct store_writer *w, struct span bytes,
			  struct errmsg *why)
{
	while (bytes.len > 0) {
		ssize_t n = write(w->fd, bytes.p, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return store_disk_failed(why, "write", w->id);
		bytes = span_from(bytes, (size_t)n);
		w->written += n;
	}
	if (w->written - w->pushed >= STORE_DISK_WRITEBACK) {
		/* Only a hint: what it cannot do, the fsync will */
		(void)sync_file_range(w->fd, w->pushed, w->written - w->pushed,
				      SYNC_FILE_RANGE_WRITE);
		w->pushed = w->written;
	}
	return ERR_OK;
}

static enum err flush(struct store_writer *w, struct errmsg *why)
{
	struct span all = { w->gather, w->gathered };

	w->gathered = 0;
	return write_all(w, all, why);
}

enum err store_writer_write(struct store_writer *w, struct span bytes,
			    struct errmsg *why)
{
	enum err e = ERR_OK;

	/* A large piece goes straight out; libfcgi's 8 KiB pieces gather */
	if (w->gathered == 0 && bytes.len >= sizeof(w->gather) / 2)
		return write_all(w, bytes, why);
	while (bytes.len > 0 && e == ERR_OK) {
		size_t room = sizeof(w->gather) - w->gathered;
		size_t n = bytes.len < room ? bytes.len : room;

		memcpy(w->gather + w->gathered, bytes.p, n);
		w->gathered += n;
		bytes = span_from(bytes, n);
		if (w->gathered == sizeof(w->gather))
			e = flush(w, why);
	}
	return e;
}

enum err store_writer_read(struct store_writer *w, int64_t from, char *to,
			   size_t cap, size_t *got, struct errmsg *why)
{
	enum err e = flush(w, why);

	return e == ERR_OK
		       ? store_disk_read(w->fd, w->id, from, to, cap, got, why)
		       : e;
}

void store_writer_abort(struct store_writer *w)
{
	if (w == NULL)
		return;
	(void)close(w->fd);
	/* What stays behind, gateway-admin gc finds */
	(void)unlinkat(w->store->incoming, w->id, 0);
	store_unlock(w->store, w->id);
	free(w);
}

/* The directory objects/<aa>/ */
static int open_fan(struct store *s, const char *object)
{
	char fan[3] = { object[0], object[1], '\0' };
	int fd = openat(s->objects, fan, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		fd = store_disk_dir(s->objects, fan);
	return fd;
}

enum err store_disk_place(struct store *s, const char *id, int fd,
			  struct errmsg *why)
{
	char object[STORE_DISK_NAME];
	enum err e = ERR_OK;
	int fan;

	store_disk_name(id, object);
	if (fsync(fd) != 0)
		return store_disk_failed(why, "fsync", id);
	fan = open_fan(s, object);
	if (fan < 0)
		return store_disk_failed(why, "create objects directory for",
					 id);
	if (renameat(s->incoming, id, s->objects, object) != 0) {
		e = store_disk_failed(why, "rename", id);
	} else if (fsync(fan) != 0 || fsync(s->incoming) != 0) {
		e = store_disk_failed(why, "fsync of the directory of", id);
		/* Back: who can may try again */
		(void)renameat(s->objects, object, s->incoming, id);
	}
	(void)close(fan);
	return e;
}

enum err store_writer_commit(struct store_writer *w, struct errmsg *why)
{
	enum err e = flush(w, why);

	if (e == ERR_OK)
		e = store_disk_place(w->store, w->id, w->fd, why);
	if (e != ERR_OK) {
		store_writer_abort(w);
		return e;
	}
	(void)close(w->fd);
	free(w);
	return ERR_OK;
}
