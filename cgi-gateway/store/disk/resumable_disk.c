#include "cgi-gateway/store/disk/checkpoint.h"
#include "cgi-gateway/store/resumable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct resumable {
	struct store *store;
	char id[UUID_LEN + 1];
	int data, mark_file;
	struct checkpoint mark; /* as it was written last */
	uint64_t writer;	/* our number */
	bool tentative;
	int64_t written, pushed; /* bytes; of these, asked to be written back */
	struct sha256 hash;	 /* of these, and of what is gathered */
	size_t gathered;
	char gather[RESUMABLE_GATHER];
};

/* --- opening ------------------------------------------------------------- */

static enum err open_data(struct store *s, const char *id, int *fd,
			  int64_t *size, struct errmsg *why)
{
	int found = openat(s->incoming, id, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (found < 0)
		return store_disk_absent(why, "open incoming", id);
	if (fstat(found, &st) != 0) {
		enum err e = store_disk_failed(why, "stat", id);

		(void)close(found);
		return e;
	}
	*fd = found;
	*size = st.st_size;
	return ERR_OK;
}

/* In incoming/; or in its place already, if it was left in the middle of its
 * finish */
static enum err stat_data(struct store *s, const char *id, struct stat *st,
			  bool *placed, struct errmsg *why)
{
	char object[STORE_DISK_NAME];

	*placed = false;
	if (fstatat(s->incoming, id, st, AT_SYMLINK_NOFOLLOW) == 0)
		return ERR_OK;
	if (errno != ENOENT)
		return store_disk_failed(why, "stat incoming", id);
	*placed = true;
	store_disk_name(id, object);
	if (fstatat(s->objects, object, st, AT_SYMLINK_NOFOLLOW) == 0)
		return ERR_OK;
	return store_disk_absent(why, "stat", id);
}

enum err resumable_offset(struct store *s, const char *id, int64_t *offset,
			  int64_t *written_at, struct errmsg *why)
{
	int mark_file = -1;
	struct checkpoint mark;
	struct stat st;
	bool placed = false;
	enum err e = checkpoint_open(s, id, &mark_file, why);

	if (e != ERR_OK)
		return e;
	/* Under the lock, or a writer may move between the two looks */
	e = checkpoint_lock(mark_file, RESUMABLE_WRITING, why);
	if (e == ERR_OK)
		e = checkpoint_read(mark_file, &mark, why);
	if (e == ERR_OK)
		e = stat_data(s, id, &st, &placed, why);
	if (e == ERR_OK) {
		*offset = placed ? st.st_size
				 : checkpoint_offset(s, &mark, st.st_size);
		*written_at = st.st_mtime;
	}
	(void)close(mark_file);
	return e;
}

/* Under the lock: nobody else is between two looks at the mark */
static enum err take_over(struct resumable *p, int64_t *at, int64_t size,
			  struct errmsg *why)
{
	int64_t counts;
	enum err e = checkpoint_read(p->mark_file, &p->mark, why);

	if (e != ERR_OK)
		return e;
	if (p->mark.writer == RESUMABLE_NOBODY)
		return ERR_NOT_FOUND;
	counts = checkpoint_offset(p->store, &p->mark, size);
	if (counts != *at) {
		*at = counts;
		return ERR_CONFLICT;
	}
	if (size > counts && ftruncate(p->data, counts) != 0)
		return store_disk_failed(why, "truncate", p->id);
	e = checkpoint_catch_up(&p->mark, p->data, counts, why);
	if (e != ERR_OK)
		return e;
	p->writer = ++p->mark.writer;
	p->mark.tail_counts = !p->tentative;
	return checkpoint_write(p->store, p->mark_file, &p->mark, why);
}

enum err resumable_open(struct store *s, const char *id, int64_t *at,
			bool tentative, struct resumable **out,
			struct errmsg *why)
{
	struct resumable *p = malloc(sizeof(*p));
	int64_t size = 0;
	enum err e;

	if (p == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	p->store = s;
	p->data = p->mark_file = -1;
	p->tentative = tentative;
	p->gathered = 0;
	(void)snprintf(p->id, sizeof(p->id), "%s", id);
	e = checkpoint_open(s, id, &p->mark_file, why);
	if (e == ERR_OK)
		e = checkpoint_lock(p->mark_file, RESUMABLE_WRITING, why);
	if (e == ERR_OK)
		e = open_data(s, id, &p->data, &size, why);
	if (e == ERR_OK)
		e = take_over(p, at, size, why);
	if (e != ERR_OK) {
		resumable_close(p);
		return e;
	}
	checkpoint_unlock(p->mark_file, RESUMABLE_WRITING);
	p->written = p->pushed = p->mark.kept;
	p->hash = p->mark.hash;
	*out = p;
	return ERR_OK;
}

void resumable_close(struct resumable *p)
{
	if (p == NULL)
		return;
	if (p->data >= 0)
		(void)close(p->data);
	if (p->mark_file >= 0)
		(void)close(p->mark_file);
	free(p);
}

int64_t resumable_at(const struct resumable *p)
{
	return p->written + (int64_t)p->gathered;
}

/* --- writing ------------------------------------------------------------- */

/* With the lock: whether we are the writer still */
static enum err claim(struct resumable *p, struct errmsg *why)
{
	uint64_t writer = 0;
	enum err e = checkpoint_lock(p->mark_file, RESUMABLE_WRITING, why);

	if (e == ERR_OK)
		e = checkpoint_writer(p->mark_file, &writer, why);
	if (e == ERR_OK && writer != p->writer)
		e = ERR_CONFLICT;
	if (e != ERR_OK)
		checkpoint_unlock(p->mark_file, RESUMABLE_WRITING);
	return e;
}

static enum err write_gathered(struct resumable *p, struct errmsg *why)
{
	size_t done = 0;

	while (done < p->gathered) {
		ssize_t n = pwrite(p->data, p->gather + done,
				   p->gathered - done, p->written);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return store_disk_failed(why, "write", p->id);
		done += (size_t)n;
		p->written += n;
	}
	p->gathered = 0;
	return ERR_OK;
}

static void write_back(struct resumable *p)
{
	if (p->written - p->pushed < STORE_DISK_WRITEBACK)
		return;
	/* Only a hint: what it cannot do, fdatasync will */
	(void)sync_file_range(p->data, p->pushed, p->written - p->pushed,
			      SYNC_FILE_RANGE_WRITE);
	p->pushed = p->written;
}

enum err resumable_flush(struct resumable *p, struct errmsg *why)
{
	enum err e;

	if (p->gathered == 0)
		return ERR_OK;
	e = claim(p, why);
	if (e != ERR_OK)
		return e;
	e = write_gathered(p, why);
	checkpoint_unlock(p->mark_file, RESUMABLE_WRITING);
	write_back(p);
	return e;
}

enum err resumable_sync(struct resumable *p, struct errmsg *why)
{
	enum err e = resumable_flush(p, why);
	bool more = p->written > p->mark.kept;

	if (e == ERR_OK && more && fdatasync(p->data) != 0)
		e = store_disk_failed(why, "fdatasync", p->id);
	if (e == ERR_OK)
		e = claim(p, why);
	if (e != ERR_OK)
		return e;
	if (more) {
		p->mark.kept = p->written;
		p->mark.hash = p->hash;
		p->mark.tail_counts = true;
		e = checkpoint_write(p->store, p->mark_file, &p->mark, why);
	}
	checkpoint_unlock(p->mark_file, RESUMABLE_WRITING);
	return e == ERR_OK && more ? checkpoint_keep(p->mark_file, why) : e;
}

enum err resumable_write(struct resumable *p, struct span bytes,
			 struct errmsg *why)
{
	enum err e = ERR_OK;

	/* The hash first: it brings the bytes into the cache for the copy */
	sha256_add(&p->hash, bytes);
	while (bytes.len > 0 && e == ERR_OK) {
		size_t room = sizeof(p->gather) - p->gathered;
		size_t n = bytes.len < room ? bytes.len : room;

		memcpy(p->gather + p->gathered, bytes.p, n);
		p->gathered += n;
		bytes = span_from(bytes, n);
		if (p->gathered == sizeof(p->gather))
			e = resumable_flush(p, why);
	}
	if (e == ERR_OK && bytes.len == 0 && !p->tentative &&
	    resumable_at(p) - p->mark.kept >= RESUMABLE_SYNC_EVERY)
		e = resumable_sync(p, why);
	return e;
}

enum err resumable_append(struct resumable *p, const char *id, int64_t length,
			  struct errmsg *why)
{
	char *space = malloc(RESUMABLE_GATHER);
	int64_t size = 0, at = 0;
	int fd = -1;
	enum err e = space != NULL ? open_data(p->store, id, &fd, &size, why)
				   : ERR_MEMORY;

	if (e == ERR_OK && size != length)
		e = ERR_CONFLICT;
	while (e == ERR_OK && at < length) {
		ssize_t n = pread(fd, space, RESUMABLE_GATHER, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			e = err_set(why, ERR_IO, "read %s: %s", id,
				    n < 0 ? strerror(errno) : "too short");
		else
			e = resumable_write(
				p, (struct span) { space, (size_t)n }, why);
		at += n;
	}
	if (fd >= 0)
		(void)close(fd);
	free(space);
	return e;
}
