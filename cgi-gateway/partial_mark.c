#include "partial_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	NAME_SIZE = UUID_LEN + sizeof(PARTIAL_MARK_SUFFIX),
	CATCH_UP_READ = 256 * 1024, /* bytes of a read(2) */
};

static const char magic[8] = "ghpart1";

static void name_of(const char *id, char out[static NAME_SIZE])
{
	(void)snprintf(out, NAME_SIZE, "%.36s%s", id, PARTIAL_MARK_SUFFIX);
}

enum err partial_mark_create(struct store *s, const char *id, struct errmsg *m)
{
	struct partial_mark mark = { .tail_counts = true };
	char name[NAME_SIZE];
	enum err e;
	int fd;

	name_of(id, name);
	fd = openat(s->incoming, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
		    0640);
	if (fd < 0)
		return errno == EEXIST ? ERR_CONFLICT
				       : store_disk_failed(m, "create", name);
	memcpy(mark.magic, magic, sizeof(magic));
	sha256_init(&mark.hash);
	e = partial_mark_write(s, fd, &mark, m);
	(void)close(fd);
	if (e != ERR_OK)
		(void)unlinkat(s->incoming, name, 0);
	return e;
}

enum err partial_mark_open(struct store *s, const char *id, int *fd,
			   struct errmsg *m)
{
	char name[NAME_SIZE];
	int found;

	name_of(id, name);
	found = openat(s->incoming, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (found < 0)
		return store_disk_absent(m, "open", name);
	*fd = found;
	return ERR_OK;
}

static int lock_call(int fd, int call, short type, enum partial_lock which)
{
	struct flock lock = { .l_type = type,
			      .l_whence = SEEK_SET,
			      .l_start = which == PARTIAL_WRITING ? 0 : 1,
			      .l_len = 1 };
	int result;

	do
		result = fcntl(fd, call, &lock);
	while (result != 0 && errno == EINTR);
	return result;
}

enum err partial_lock(int fd, enum partial_lock which, struct errmsg *m)
{
	if (lock_call(fd, F_OFD_SETLKW, F_WRLCK, which) != 0)
		return store_disk_failed(m, "lock", "an upload's mark");
	return ERR_OK;
}

void partial_unlock(int fd, enum partial_lock which)
{
	(void)lock_call(fd, F_OFD_SETLK, F_UNLCK, which);
}

enum err partial_mark_read(int fd, struct partial_mark *out, struct errmsg *m)
{
	struct partial_mark mark;
	ssize_t n = pread(fd, &mark, sizeof(mark), 0);

	if (n < 0)
		return store_disk_failed(m, "read", "an upload's mark");
	if (n != sizeof(mark) ||
	    memcmp(mark.magic, magic, sizeof(magic)) != 0) {
		mark = (struct partial_mark) { .kept = 0 };
		memcpy(mark.magic, magic, sizeof(magic));
		mark.writer = (uint64_t)randombytes_random() << 16;
		sha256_init(&mark.hash);
	}
	*out = mark;
	return ERR_OK;
}

enum err partial_mark_write(const struct store *s, int fd,
			    struct partial_mark *mark, struct errmsg *m)
{
	memcpy(mark->boot, s->boot, sizeof(s->boot));
	if (pwrite(fd, mark, sizeof(*mark), 0) != sizeof(*mark))
		return store_disk_failed(m, "write", "an upload's mark");
	return ERR_OK;
}

enum err partial_mark_keep(int fd, struct errmsg *m)
{
	if (fdatasync(fd) != 0)
		return store_disk_failed(m, "fdatasync", "an upload's mark");
	return ERR_OK;
}

enum err partial_mark_writer(int fd, uint64_t *out, struct errmsg *m)
{
	if (pread(fd, out, sizeof(*out),
		  offsetof(struct partial_mark, writer)) != sizeof(*out))
		return store_disk_failed(m, "read", "an upload's mark");
	return ERR_OK;
}

int64_t partial_mark_offset(const struct store *s,
			    const struct partial_mark *mark, int64_t size)
{
	bool same_boot = s->boot[0] != '\0' &&
			 memcmp(mark->boot, s->boot, sizeof(s->boot)) == 0;

	if (size > mark->kept && !(mark->tail_counts && same_boot))
		return mark->kept;
	return size;
}

/* Bytes from mark->kept on, which becomes where it got to */
static enum err hash_on(struct partial_mark *mark, int fd, int64_t to,
			char *space, struct errmsg *m)
{
	while (mark->kept < to) {
		int64_t left = to - mark->kept;
		ssize_t n = pread(fd, space,
				  left < CATCH_UP_READ ? (size_t)left
						       : CATCH_UP_READ,
				  mark->kept);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(m, ERR_IO, "read an upload: %s",
				       n < 0 ? strerror(errno) : "too short");
		sha256_add(&mark->hash, (struct span) { space, (size_t)n });
		mark->kept += n;
	}
	return ERR_OK;
}

enum err partial_mark_catch_up(struct partial_mark *mark, int fd, int64_t to,
			       struct errmsg *m)
{
	char *space;
	enum err e;

	if (mark->kept == to)
		return ERR_OK;
	if (mark->kept > to) { /* bytes are missing: all of it again */
		mark->kept = 0;
		sha256_init(&mark->hash);
	}
	space = malloc(CATCH_UP_READ);
	if (space == NULL)
		return err_set(m, ERR_MEMORY, "out of memory");
	e = hash_on(mark, fd, to, space, m);
	free(space);
	if (e == ERR_OK && fdatasync(fd) != 0)
		e = store_disk_failed(m, "fdatasync", "an upload");
	return e;
}

bool partial_mark_remove(struct store *s, const char *id)
{
	char name[NAME_SIZE];

	name_of(id, name);
	return unlinkat(s->incoming, name, 0) == 0;
}
