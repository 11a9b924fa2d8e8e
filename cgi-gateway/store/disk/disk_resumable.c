/* A writer of a resumable upload, and its offset. */
#include "cgi-gateway/store/disk/checkpoint.h"
#include "cgi-gateway/store/disk/disk_ops.h"
#include "cgi-gateway/store/disk/disk_resumable.h"
#include "common/base/worker_wait.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct disk_resumable {
	struct resumable base;
	struct disk_store *store;
	char id[UUID_LEN + 1];
	int data, checkpoint_fd;
	struct checkpoint checkpoint; /* as last written */
	uint64_t writer;	      /* number of this one */
	bool tentative;
	int64_t written, writeback; /* bytes; of these, given to writeback */
	struct sha256 hash;	    /* of these, and of the buffered ones */
	size_t buffered;
	char *buffer; /* lent while bytes are buffered, else NULL */
};

static struct disk_resumable *resumable_of(struct resumable *r)
{
	return (struct disk_resumable *)r;
}

/* --- opening -------------------------------------------------------------- */

static enum err open_data(struct disk_store *s, const char *id, int *fd,
			  int64_t *size, struct errmsg *why)
{
	int found = openat(s->incoming, id, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (found < 0)
		return disk_absent(why, "open incoming", id);
	if (fstat(found, &st) != 0) {
		enum err e = disk_failed(why, "stat", id);

		(void)close(found);
		return e;
	}
	*fd = found;
	*size = st.st_size;
	return ERR_OK;
}

/* The caller has the lock, so no other writer can interfere between reading the
 * checkpoint and writing it */
static enum err become_writer(struct disk_resumable *r, int64_t *at,
			      int64_t size, struct errmsg *why)
{
	struct checkpoint *c = &r->checkpoint;
	int64_t offset;
	enum err e = checkpoint_read(r->checkpoint_fd, c, why);

	if (e != ERR_OK)
		return e;
	if (c->writer == CHECKPOINT_CLOSED)
		return ERR_NOT_FOUND;
	offset = checkpoint_offset(r->store, c, size);
	if (offset != *at) {
		*at = offset;
		return ERR_CONFLICT;
	}
	if (size > offset && ftruncate(r->data, offset) != 0)
		return disk_failed(why, "truncate", r->id);
	e = checkpoint_catch_up(c, r->data, offset, why);
	if (e != ERR_OK)
		return e;
	r->writer = ++c->writer;
	c->tail_counts = !r->tentative;
	return checkpoint_write(r->store, r->checkpoint_fd, c, why);
}

static void close_resumable(struct resumable *r_)
{
	struct disk_resumable *r = resumable_of(r_);

	if (r->data >= 0)
		(void)close(r->data);
	if (r->checkpoint_fd >= 0)
		(void)close(r->checkpoint_fd);
	buffer_pool_return(&r->store->buffers, r->buffer);
	free(r);
}

static enum err open_resumable(struct store *s, const char *id, int64_t *at,
			       bool tentative, struct resumable **out,
			       struct errmsg *why)
{
	struct disk_resumable *r = malloc(sizeof(*r));
	int64_t size = 0;
	enum err e;

	if (r == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	r->store = disk_of(s);
	r->data = r->checkpoint_fd = -1;
	r->tentative = tentative;
	r->buffered = 0;
	r->buffer = NULL;
	(void)snprintf(r->id, sizeof(r->id), "%s", id);
	e = checkpoint_open(r->store, id, &r->checkpoint_fd, why);
	if (e == ERR_OK)
		e = checkpoint_lock(r->checkpoint_fd, CHECKPOINT_WRITE, why);
	if (e == ERR_OK)
		e = open_data(r->store, id, &r->data, &size, why);
	if (e == ERR_OK)
		e = become_writer(r, at, size, why);
	if (e != ERR_OK) {
		close_resumable(&r->base);
		return e;
	}
	checkpoint_unlock(r->checkpoint_fd, CHECKPOINT_WRITE);
	r->written = r->writeback = r->checkpoint.synced;
	r->hash = r->checkpoint.hash;
	*out = &r->base;
	return ERR_OK;
}

/* --- writing -------------------------------------------------------------- */

static int64_t at(const struct resumable *r_)
{
	const struct disk_resumable *r = (const struct disk_resumable *)r_;

	return r->written + (int64_t)r->buffered;
}

/* Take the lock; fail if this is not the newest writer any more */
static enum err lock_as_writer(struct disk_resumable *r, struct errmsg *why)
{
	uint64_t writer = 0;
	enum err e = checkpoint_lock(r->checkpoint_fd, CHECKPOINT_WRITE, why);

	if (e == ERR_OK)
		e = checkpoint_writer(r->checkpoint_fd, &writer, why);
	if (e == ERR_OK && writer != r->writer)
		e = ERR_CONFLICT;
	if (e != ERR_OK)
		checkpoint_unlock(r->checkpoint_fd, CHECKPOINT_WRITE);
	return e;
}

static enum err write_all(struct disk_resumable *r, struct span bytes,
			  struct errmsg *why)
{
	while (bytes.len > 0) {
		ssize_t n = pwrite(r->data, bytes.p, bytes.len, r->written);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return disk_failed(why, "write", r->id);
		bytes = span_from(bytes, (size_t)n);
		r->written += n;
	}
	return ERR_OK;
}

static void start_writeback(struct disk_resumable *r)
{
	if (r->written - r->writeback < STORE_DISK_WRITEBACK_RESUMABLE)
		return;
	/* Only a hint: if it fails, fdatasync writes everything */
	(void)sync_file_range(r->data, r->writeback, r->written - r->writeback,
			      SYNC_FILE_RANGE_WRITE);
	r->writeback = r->written;
}

static enum err write_as_writer(struct disk_resumable *r, struct span bytes,
				struct errmsg *why)
{
	enum err e = lock_as_writer(r, why);

	if (e != ERR_OK)
		return e;
	e = write_all(r, bytes, why);
	checkpoint_unlock(r->checkpoint_fd, CHECKPOINT_WRITE);
	start_writeback(r);
	return e;
}

static enum err write_buffered(struct disk_resumable *r, struct errmsg *why)
{
	const int64_t before = r->written;
	size_t done;
	enum err e;

	if (r->buffered == 0)
		return ERR_OK;
	e = write_as_writer(r, (struct span) { r->buffer, r->buffered }, why);
	done = (size_t)(r->written - before);
	/* After an error the rest stays, so that the next call fails too */
	r->buffered -= done;
	memmove(r->buffer, r->buffer + done, r->buffered);
	return e;
}

static enum err flush_resumable(struct resumable *r_, struct errmsg *why)
{
	struct disk_resumable *r = resumable_of(r_);
	enum err e = write_buffered(r, why);

	if (e == ERR_OK) {
		buffer_pool_return(&r->store->buffers, r->buffer);
		r->buffer = NULL;
	}
	return e;
}

static enum err sync_bytes(struct resumable *r_, struct errmsg *why)
{
	struct disk_resumable *r = resumable_of(r_);
	struct checkpoint *c = &r->checkpoint;
	enum err e = flush_resumable(r_, why);
	bool more = r->written > c->synced;

	worker_wait_begin();
	if (e == ERR_OK && more && fdatasync(r->data) != 0)
		e = disk_failed(why, "fdatasync", r->id);
	worker_wait_end();
	if (e == ERR_OK)
		e = lock_as_writer(r, why);
	if (e != ERR_OK)
		return e;
	if (more) {
		c->synced = r->written;
		c->hash = r->hash;
		c->tail_counts = true;
		e = checkpoint_write(r->store, r->checkpoint_fd, c, why);
	}
	checkpoint_unlock(r->checkpoint_fd, CHECKPOINT_WRITE);
	return e == ERR_OK && more ? checkpoint_sync(r->checkpoint_fd, why) : e;
}

static enum err buffer_or_write(struct disk_resumable *r, struct span bytes,
				struct errmsg *why)
{
	enum err e = ERR_OK;

	if (r->buffered == 0 && bytes.len >= STORE_DISK_BUFFER)
		return write_as_writer(r, bytes, why);
	if (r->buffer == NULL)
		r->buffer = buffer_pool_lend(&r->store->buffers);
	if (r->buffer == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	while (bytes.len > 0 && e == ERR_OK) {
		size_t room = STORE_DISK_BUFFER - r->buffered;
		size_t n = bytes.len < room ? bytes.len : room;

		memcpy(r->buffer + r->buffered, bytes.p, n);
		r->buffered += n;
		bytes = span_from(bytes, n);
		if (r->buffered == STORE_DISK_BUFFER)
			e = write_buffered(r, why);
	}
	return e;
}

static enum err write_resumable(struct resumable *r_, struct span bytes,
				struct errmsg *why)
{
	struct disk_resumable *r = resumable_of(r_);
	enum err e;

	/* Hash first: this brings the bytes into the CPU cache for the copy */
	sha256_add(&r->hash, bytes);
	e = buffer_or_write(r, bytes, why);
	if (e == ERR_OK && !r->tentative &&
	    at(r_) - r->checkpoint.synced >= STORE_DISK_SYNC_EVERY)
		e = sync_bytes(r_, why);
	return e;
}

static enum err append(struct resumable *r, const char *id, int64_t length,
		       struct errmsg *why)
{
	char *space = malloc(STORE_DISK_BUFFER);
	int64_t size = 0, from = 0;
	int fd = -1;
	enum err e = space != NULL ? open_data(resumable_of(r)->store, id, &fd,
					       &size, why)
				   : ERR_MEMORY;

	if (e == ERR_OK && size != length)
		e = ERR_CONFLICT;
	while (e == ERR_OK && from < length) {
		ssize_t n = pread(fd, space, STORE_DISK_BUFFER, from);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			e = err_set(why, ERR_IO, "read %s: %s", id,
				    n < 0 ? strerror(errno) : "too short");
		else
			e = write_resumable(
				r, (struct span) { space, (size_t)n }, why);
		from += n;
	}
	if (fd >= 0)
		(void)close(fd);
	free(space);
	return e;
}

const struct resumable_ops disk_resumable_ops = {
	.create = disk_resumable_create,
	.offset = disk_resumable_offset,
	.remove = disk_resumable_remove,
	.open = open_resumable,
	.write = write_resumable,
	.flush = flush_resumable,
	.sync = sync_bytes,
	.append = append,
	.at = at,
	.close = close_resumable,
};
