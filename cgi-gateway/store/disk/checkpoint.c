#include "cgi-gateway/store/disk/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	NAME_SIZE = UUID_LEN + sizeof(CHECKPOINT_SUFFIX),
	CATCH_UP_READ = 256 * 1024, /* bytes of a read(2) */
};

static const char magic[8] = "ghpart1";

static void name_of(const char *id, char out[static NAME_SIZE])
{
	(void)snprintf(out, NAME_SIZE, "%.36s%s", id, CHECKPOINT_SUFFIX);
}

enum err checkpoint_create(struct disk_store *s, const char *id,
			   struct errmsg *why)
{
	struct checkpoint c = { .tail_counts = true };
	char name[NAME_SIZE];
	enum err e;
	int fd;

	name_of(id, name);
	fd = openat(s->incoming, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
		    0640);
	if (fd < 0)
		return errno == EEXIST ? ERR_CONFLICT
				       : disk_failed(why, "create", name);
	memcpy(c.magic, magic, sizeof(magic));
	sha256_init(&c.hash);
	e = checkpoint_write(s, fd, &c, why);
	(void)close(fd);
	if (e != ERR_OK)
		(void)unlinkat(s->incoming, name, 0);
	return e;
}

enum err checkpoint_open(struct disk_store *s, const char *id, int *fd,
			 struct errmsg *why)
{
	char name[NAME_SIZE];
	int found;

	name_of(id, name);
	found = openat(s->incoming, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (found < 0)
		return disk_absent(why, "open", name);
	*fd = found;
	return ERR_OK;
}

static int lock_call(int fd, int call, short type, enum checkpoint_lock which)
{
	struct flock lock = { .l_type = type,
			      .l_whence = SEEK_SET,
			      .l_start = which == CHECKPOINT_WRITE ? 0 : 1,
			      .l_len = 1 };
	int result;

	do
		result = fcntl(fd, call, &lock);
	while (result != 0 && errno == EINTR);
	return result;
}

enum err checkpoint_lock(int fd, enum checkpoint_lock which, struct errmsg *why)
{
	if (lock_call(fd, F_OFD_SETLKW, F_WRLCK, which) != 0)
		return disk_failed(why, "lock", "a checkpoint");
	return ERR_OK;
}

void checkpoint_unlock(int fd, enum checkpoint_lock which)
{
	(void)lock_call(fd, F_OFD_SETLK, F_UNLCK, which);
}

enum err checkpoint_read(int fd, struct checkpoint *out, struct errmsg *why)
{
	struct checkpoint c;
	ssize_t n = pread(fd, &c, sizeof(c), 0);

	if (n < 0)
		return disk_failed(why, "read", "a checkpoint");
	if (n != sizeof(c) || memcmp(c.magic, magic, sizeof(magic)) != 0) {
		c = (struct checkpoint) { .synced = 0 };
		memcpy(c.magic, magic, sizeof(magic));
		c.writer = (uint64_t)randombytes_random() << 16;
		sha256_init(&c.hash);
	}
	*out = c;
	return ERR_OK;
}

enum err checkpoint_write(const struct disk_store *s, int fd,
			  struct checkpoint *c, struct errmsg *why)
{
	memcpy(c->boot, s->boot, sizeof(s->boot));
	if (pwrite(fd, c, sizeof(*c), 0) != sizeof(*c))
		return disk_failed(why, "write", "a checkpoint");
	return ERR_OK;
}

enum err checkpoint_sync(int fd, struct errmsg *why)
{
	if (fdatasync(fd) != 0)
		return disk_failed(why, "fdatasync", "a checkpoint");
	return ERR_OK;
}

enum err checkpoint_writer(int fd, uint64_t *out, struct errmsg *why)
{
	if (pread(fd, out, sizeof(*out), offsetof(struct checkpoint, writer)) !=
	    sizeof(*out))
		return disk_failed(why, "read", "a checkpoint");
	return ERR_OK;
}

int64_t checkpoint_offset(const struct disk_store *s,
			  const struct checkpoint *c, int64_t size)
{
	bool same_boot = s->boot[0] != '\0' &&
			 memcmp(c->boot, s->boot, sizeof(s->boot)) == 0;

	if (size > c->synced && !(c->tail_counts && same_boot))
		return c->synced;
	return size;
}

/* Hash the bytes from c->synced on, and advance it */
static enum err hash_to(struct checkpoint *c, int fd, int64_t to, char *space,
			struct errmsg *why)
{
	while (c->synced < to) {
		int64_t left = to - c->synced;
		ssize_t n = pread(fd, space,
				  left < CATCH_UP_READ ? (size_t)left
						       : CATCH_UP_READ,
				  c->synced);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(why, ERR_IO, "read an upload: %s",
				       n < 0 ? strerror(errno) : "too short");
		sha256_add(&c->hash, (struct span) { space, (size_t)n });
		c->synced += n;
	}
	return ERR_OK;
}

enum err checkpoint_catch_up(struct checkpoint *c, int fd, int64_t to,
			     struct errmsg *why)
{
	char *space;
	enum err e;

	if (c->synced == to)
		return ERR_OK;
	if (c->synced > to) { /* bytes are missing: hash everything again */
		c->synced = 0;
		sha256_init(&c->hash);
	}
	space = malloc(CATCH_UP_READ);
	if (space == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	e = hash_to(c, fd, to, space, why);
	free(space);
	if (e == ERR_OK && fdatasync(fd) != 0)
		e = disk_failed(why, "fdatasync", "an upload");
	return e;
}

bool checkpoint_remove(struct disk_store *s, const char *id)
{
	char name[NAME_SIZE];

	name_of(id, name);
	return unlinkat(s->incoming, name, 0) == 0;
}
