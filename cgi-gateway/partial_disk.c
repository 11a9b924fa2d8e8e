#include "partial.h"
#include "partial_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct partial {
	struct store *store;
	char id[UUID_LEN + 1];
	int data, mark_file;
	struct partial_mark mark; /* as it was written last */
	uint64_t writer;	  /* our number */
	bool tentative;
	int64_t written, pushed; /* bytes; of these, asked to be written back */
	struct sha256 hash;	 /* of these, and of what is gathered */
	size_t gathered;
	char gather[PARTIAL_GATHER];
};

/* --- opening ------------------------------------------------------------- */

static enum err open_data(struct store *s, const char *id, int *fd,
			  int64_t *size, struct errmsg *m)
{
	int found = openat(s->incoming, id, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (found < 0)
		return store_disk_absent(m, "open incoming", id);
	if (fstat(found, &st) != 0) {
		enum err e = store_disk_failed(m, "stat", id);

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
			  bool *placed, struct errmsg *m)
{
	char object[STORE_DISK_NAME];

	*placed = false;
	if (fstatat(s->incoming, id, st, AT_SYMLINK_NOFOLLOW) == 0)
		return ERR_OK;
	if (errno != ENOENT)
		return store_disk_failed(m, "stat incoming", id);
	*placed = true;
	store_disk_name(id, object);
	if (fstatat(s->objects, object, st, AT_SYMLINK_NOFOLLOW) == 0)
		return ERR_OK;
	return store_disk_absent(m, "stat", id);
}

enum err partial_look(struct store *s, const char *id, int64_t *offset,
		      int64_t *written_at, struct errmsg *m)
{
	int mark_file = -1;
	struct partial_mark mark;
	struct stat st;
	bool placed = false;
	enum err e = partial_mark_open(s, id, &mark_file, m);

	if (e != ERR_OK)
		return e;
	/* Under the lock, or a writer may move between the two looks */
	e = partial_lock(mark_file, PARTIAL_WRITING, m);
	if (e == ERR_OK)
		e = partial_mark_read(mark_file, &mark, m);
	if (e == ERR_OK)
		e = stat_data(s, id, &st, &placed, m);
	if (e == ERR_OK) {
		*offset = placed ? st.st_size
				 : partial_mark_offset(s, &mark, st.st_size);
		*written_at = st.st_mtime;
	}
	(void)close(mark_file);
	return e;
}

/* Under the lock: nobody else is between two looks at the mark */
static enum err take_over(struct partial *p, int64_t *at, int64_t size,
			  struct errmsg *m)
{
	int64_t counts;
	enum err e = partial_mark_read(p->mark_file, &p->mark, m);

	if (e != ERR_OK)
		return e;
	if (p->mark.writer == PARTIAL_NOBODY)
		return ERR_NOT_FOUND;
	counts = partial_mark_offset(p->store, &p->mark, size);
	if (counts != *at) {
		*at = counts;
		return ERR_CONFLICT;
	}
	if (size > counts && ftruncate(p->data, counts) != 0)
		return store_disk_failed(m, "truncate", p->id);
	e = partial_mark_catch_up(&p->mark, p->data, counts, m);
	if (e != ERR_OK)
		return e;
	p->writer = ++p->mark.writer;
	p->mark.tail_counts = !p->tentative;
	return partial_mark_write(p->store, p->mark_file, &p->mark, m);
}

enum err partial_open(struct store *s, const char *id, int64_t *at,
		      bool tentative, struct partial **out, struct errmsg *m)
{
	struct partial *p = malloc(sizeof(*p));
	int64_t size = 0;
	enum err e;

	if (p == NULL)
		return err_set(m, ERR_MEMORY, "out of memory");
	p->store = s;
	p->data = p->mark_file = -1;
	p->tentative = tentative;
	p->gathered = 0;
	(void)snprintf(p->id, sizeof(p->id), "%s", id);
	e = partial_mark_open(s, id, &p->mark_file, m);
	if (e == ERR_OK)
		e = partial_lock(p->mark_file, PARTIAL_WRITING, m);
	if (e == ERR_OK)
		e = open_data(s, id, &p->data, &size, m);
	if (e == ERR_OK)
		e = take_over(p, at, size, m);
	if (e != ERR_OK) {
		partial_close(p);
		return e;
	}
	partial_unlock(p->mark_file, PARTIAL_WRITING);
	p->written = p->pushed = p->mark.kept;
	p->hash = p->mark.hash;
	*out = p;
	return ERR_OK;
}

void partial_close(struct partial *p)
{
	if (p == NULL)
		return;
	if (p->data >= 0)
		(void)close(p->data);
	if (p->mark_file >= 0)
		(void)close(p->mark_file);
	free(p);
}

int64_t partial_at(const struct partial *p)
{
	return p->written + (int64_t)p->gathered;
}

/* --- writing ------------------------------------------------------------- */

/* With the lock: whether we are the writer still */
static enum err claim(struct partial *p, struct errmsg *m)
{
	uint64_t writer = 0;
	enum err e = partial_lock(p->mark_file, PARTIAL_WRITING, m);

	if (e == ERR_OK)
		e = partial_mark_writer(p->mark_file, &writer, m);
	if (e == ERR_OK && writer != p->writer)
		e = ERR_CONFLICT;
	if (e != ERR_OK)
		partial_unlock(p->mark_file, PARTIAL_WRITING);
	return e;
}

static enum err write_gathered(struct partial *p, struct errmsg *m)
{
	size_t done = 0;

	while (done < p->gathered) {
		ssize_t n = pwrite(p->data, p->gather + done,
				   p->gathered - done, p->written);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return store_disk_failed(m, "write", p->id);
		done += (size_t)n;
		p->written += n;
	}
	p->gathered = 0;
	return ERR_OK;
}

static void write_back(struct partial *p)
{
	if (p->written - p->pushed < STORE_DISK_WRITEBACK)
		return;
	/* Only a hint: what it cannot do, fdatasync will */
	(void)sync_file_range(p->data, p->pushed, p->written - p->pushed,
			      SYNC_FILE_RANGE_WRITE);
	p->pushed = p->written;
}

enum err partial_push(struct partial *p, struct errmsg *m)
{
	enum err e;

	if (p->gathered == 0)
		return ERR_OK;
	e = claim(p, m);
	if (e != ERR_OK)
		return e;
	e = write_gathered(p, m);
	partial_unlock(p->mark_file, PARTIAL_WRITING);
	write_back(p);
	return e;
}

enum err partial_keep(struct partial *p, struct errmsg *m)
{
	enum err e = partial_push(p, m);
	bool more = p->written > p->mark.kept;

	if (e == ERR_OK && more && fdatasync(p->data) != 0)
		e = store_disk_failed(m, "fdatasync", p->id);
	if (e == ERR_OK)
		e = claim(p, m);
	if (e != ERR_OK)
		return e;
	if (more) {
		p->mark.kept = p->written;
		p->mark.hash = p->hash;
		p->mark.tail_counts = true;
		e = partial_mark_write(p->store, p->mark_file, &p->mark, m);
	}
	partial_unlock(p->mark_file, PARTIAL_WRITING);
	return e == ERR_OK && more ? partial_mark_keep(p->mark_file, m) : e;
}

enum err partial_write(struct partial *p, struct span bytes, struct errmsg *m)
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
			e = partial_push(p, m);
	}
	if (e == ERR_OK && bytes.len == 0 && !p->tentative &&
	    partial_at(p) - p->mark.kept >= PARTIAL_KEEP_EVERY)
		e = partial_keep(p, m);
	return e;
}

enum err partial_append(struct partial *p, const char *id, int64_t length,
			struct errmsg *m)
{
	char *space = malloc(PARTIAL_GATHER);
	int64_t size = 0, at = 0;
	int fd = -1;
	enum err e = space != NULL ? open_data(p->store, id, &fd, &size, m)
				   : ERR_MEMORY;

	if (e == ERR_OK && size != length)
		e = ERR_CONFLICT;
	while (e == ERR_OK && at < length) {
		ssize_t n = pread(fd, space, PARTIAL_GATHER, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			e = err_set(m, ERR_IO, "read %s: %s", id,
				    n < 0 ? strerror(errno) : "too short");
		else
			e = partial_write(p, (struct span) { space, (size_t)n },
					  m);
		at += n;
	}
	if (fd >= 0)
		(void)close(fd);
	free(space);
	return e;
}
