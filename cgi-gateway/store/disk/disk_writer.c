#include "cgi-gateway/store/disk/disk_layout.h"
#include "cgi-gateway/store/disk/disk_lock.h"
#include "cgi-gateway/store/disk/disk_objects.h"
#include "cgi-gateway/store/disk/disk_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file that fits into the buffer has no name before its commit; a larger one
 * is incoming/<id> */
struct disk_writer {
	struct store_writer base;
	struct disk_store *store;
	char id[UUID_LEN + 1];
	int fd;	    /* of incoming/<id>; -1: all bytes are in the buffer */
	bool taken; /* another writer has the id, and its lock */
	int64_t written, writeback; /* bytes; of these, given to writeback */
	size_t buffered;
	char buffer[STORE_DISK_BUFFER];
};

static struct disk_writer *writer_of(struct store_writer *w)
{
	return (struct disk_writer *)w;
}

static enum err open_writer(struct store *s_, const char *id,
			    struct store_writer **out, struct errmsg *why)
{
	struct disk_store *s = disk_of(s_);
	struct disk_writer *w = malloc(sizeof(*w));
	enum err e;

	if (w == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	/* Lock before there is a file that gc could find */
	e = disk_lock(s, id, why);
	if (e != ERR_OK) {
		free(w);
		return e;
	}
	w->store = s;
	w->fd = -1;
	w->taken = false;
	w->written = w->writeback = 0;
	w->buffered = 0;
	(void)snprintf(w->id, sizeof(w->id), "%s", id);
	*out = &w->base;
	return ERR_OK;
}

static enum err open_incoming(struct disk_writer *w, struct errmsg *why)
{
	if (w->fd >= 0)
		return ERR_OK;
	w->fd = openat(w->store->incoming, w->id,
		       O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	w->taken = w->fd < 0 && errno == EEXIST;
	return w->fd >= 0 ? ERR_OK : disk_failed(why, "create incoming", w->id);
}

static enum err write_all(struct disk_writer *w, struct span bytes,
			  struct errmsg *why)
{
	enum err e = open_incoming(w, why);

	if (e == ERR_OK)
		e = disk_write(w->fd, w->id, bytes, why);
	if (e != ERR_OK)
		return e;
	w->written += (int64_t)bytes.len;
	if (w->written - w->writeback >= STORE_DISK_WRITEBACK) {
		/* Only a hint: if it fails, fsync writes everything */
		(void)sync_file_range(w->fd, w->writeback,
				      w->written - w->writeback,
				      SYNC_FILE_RANGE_WRITE);
		w->writeback = w->written;
	}
	return ERR_OK;
}

static enum err flush_buffer(struct disk_writer *w, struct errmsg *why)
{
	struct span all = { w->buffer, w->buffered };

	w->buffered = 0;
	return write_all(w, all, why);
}

static enum err buffer_or_write(struct store_writer *w_, struct span bytes,
				struct errmsg *why)
{
	struct disk_writer *w = writer_of(w_);
	enum err e = ERR_OK;

	/* Write a large piece from where it is; collect libfcgi's pieces of 8
	 * KiB */
	if (w->buffered == 0 && bytes.len >= sizeof(w->buffer) / 2)
		return write_all(w, bytes, why);
	while (bytes.len > 0 && e == ERR_OK) {
		size_t room = sizeof(w->buffer) - w->buffered;
		size_t n = bytes.len < room ? bytes.len : room;

		memcpy(w->buffer + w->buffered, bytes.p, n);
		w->buffered += n;
		bytes = span_from(bytes, n);
		if (w->buffered == sizeof(w->buffer))
			e = flush_buffer(w, why);
	}
	return e;
}

static enum err read_back(struct store_writer *w_, int64_t from, char *to,
			  size_t cap, size_t *got, struct errmsg *why)
{
	struct disk_writer *w = writer_of(w_);
	struct span rest = { w->buffer, w->buffered };
	enum err e;

	if (w->fd < 0) {
		rest = span_from(rest, from < (int64_t)rest.len ? (size_t)from
								: rest.len);
		*got = rest.len < cap ? rest.len : cap;
		memcpy(to, rest.p, *got);
		return ERR_OK;
	}
	e = flush_buffer(w, why);
	return e == ERR_OK ? disk_read(w->fd, w->id, from, to, cap, got, why)
			   : e;
}

static void abort_writer(struct store_writer *w_)
{
	struct disk_writer *w = writer_of(w_);

	if (w->fd >= 0) {
		(void)close(w->fd);
		/* If it cannot be removed, gateway-admin gc finds it */
		(void)unlinkat(w->store->incoming, w->id, 0);
	}
	if (!w->taken)
		disk_unlock(&w->store->base, w->id);
	free(w);
}

static enum err commit_incoming(struct disk_writer *w, struct errmsg *why)
{
	enum err e = flush_buffer(w, why);

	return e == ERR_OK ? disk_place(w->store, w->id, w->fd, why) : e;
}

static enum err commit_writer(struct store_writer *w_, struct errmsg *why)
{
	struct disk_writer *w = writer_of(w_);
	struct span all = { w->buffer, w->buffered };
	enum err e = ERR_METHOD;

	if (w->fd < 0)
		e = disk_put(w->store, w->id, all, why);
	w->taken = e == ERR_CONFLICT;
	if (e == ERR_CONFLICT)
		e = ERR_IO;
	if (e == ERR_METHOD)
		e = open_incoming(w, why);
	if (e == ERR_OK && w->fd >= 0)
		e = commit_incoming(w, why);
	if (e != ERR_OK) {
		abort_writer(w_);
		return e;
	}
	if (w->fd >= 0)
		(void)close(w->fd);
	free(w);
	return ERR_OK;
}

const struct store_writer_ops disk_writer_ops = {
	.open = open_writer,
	.write = buffer_or_write,
	.read = read_back,
	.commit = commit_writer,
	.abort = abort_writer,
};
