#include "cgi-gateway/store/disk/disk_layout.h"
#include "cgi-gateway/store/disk/disk_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct disk_reader {
	struct store_reader base;
	int fd;
	int64_t at;
	bool no_cache;
};

static struct disk_reader *reader_of(struct store_reader *r)
{
	return (struct disk_reader *)r;
}

static enum err open_reader(struct store *s, const char *id, int64_t from,
			    struct store_reader **out, int64_t *size,
			    struct errmsg *why)
{
	char object[DISK_NAME];
	struct disk_reader *r;
	enum err e = ERR_OK;
	struct stat st;
	int fd;

	disk_name(id, object);
	fd = openat(disk_of(s)->objects, object,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return disk_absent(why, "open", id);
	r = malloc(sizeof(*r));
	if (r == NULL)
		e = err_set(why, ERR_MEMORY, "out of memory");
	else if (fstat(fd, &st) != 0)
		e = disk_failed(why, "stat", id);
	if (e != ERR_OK) {
		free(r);
		(void)close(fd);
		return e;
	}
	*r = (struct disk_reader) { .fd = fd, .at = from };
	*size = st.st_size;
	*out = (struct store_reader *)r; /* as in store_disk_open() */
	return ERR_OK;
}

static void no_cache(struct store_reader *r_)
{
	struct disk_reader *r = reader_of(r_);

	r->no_cache = true;
	/* No read-ahead, which would bring bytes into the cache before they are
	 * read here */
	(void)posix_fadvise(r->fd, 0, 0, POSIX_FADV_RANDOM);
}

/* Read without filling the page cache: only pages that were cached before stay
 * in it, because other readers may use them */
static ssize_t pread_no_cache(struct disk_reader *r, char *to, size_t cap)
{
	struct iovec v = { to, cap };
	ssize_t n = preadv2(r->fd, &v, 1, r->at, RWF_NOWAIT);

	if (n >= 0)
		return n;
	n = pread(r->fd, to, cap, r->at);
	if (n > 0)
		(void)posix_fadvise(r->fd, r->at, n, POSIX_FADV_DONTNEED);
	return n;
}

static enum err read_no_cache(struct disk_reader *r, char *to, size_t cap,
			      size_t *got, struct errmsg *why)
{
	ssize_t n;

	do
		n = pread_no_cache(r, to, cap);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return disk_failed(why, "read", "an object");
	*got = (size_t)n;
	return ERR_OK;
}

static enum err read_next(struct store_reader *r_, char *to, size_t cap,
			  size_t *got, struct errmsg *why)
{
	struct disk_reader *r = reader_of(r_);
	enum err e = r->no_cache ? read_no_cache(r, to, cap, got, why)
				 : disk_read(r->fd, "an object", r->at, to, cap,
					     got, why);

	if (e == ERR_OK)
		r->at += (int64_t)*got;
	return e;
}

static void close_reader(struct store_reader *r)
{
	(void)close(reader_of(r)->fd);
	free(reader_of(r));
}

const struct store_reader_ops disk_reader_ops = {
	.open = open_reader,
	.read = read_next,
	.no_cache = no_cache,
	.close = close_reader,
};
