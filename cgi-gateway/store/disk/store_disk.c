#include "cgi-gateway/store/disk/store_disk_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct store_reader {
	int fd;
	int64_t at;
	bool passing_by;
};

void store_disk_name(const char *id, char out[static STORE_DISK_NAME])
{
	size_t len = strlen(id);

	(void)snprintf(out, STORE_DISK_NAME, "%.2s/%.36s",
		       len >= 2 ? id + len - 2 : "xx", id);
}

enum err store_disk_failed(struct errmsg *why, const char *what, const char *id)
{
	enum err e = errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;

	return err_set(why, e, "%s %s: %s", what, id, strerror(errno));
}

int store_disk_dir(int parent, const char *name)
{
	if (mkdirat(parent, name, 0750) == 0) {
		if (parent != AT_FDCWD && fsync(parent) != 0)
			return -1;
	} else if (errno != EEXIST) {
		return -1;
	}
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Where somebody asked for an object that may not be there. Anywhere else a
 * missing file or folder is our own trouble. */
enum err store_disk_absent(struct errmsg *why, const char *what, const char *id)
{
	bool absent = errno == ENOENT;
	enum err e = store_disk_failed(why, what, id);

	return absent ? ERR_NOT_FOUND : e;
}

/* --- opening ------------------------------------------------------------ */

/* "" where the kernel does not say */
static void read_boot(char out[static UUID_LEN + 4])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, out, UUID_LEN) : 0;

	(void)close(fd);
	out[n > 0 ? n : 0] = '\0';
}

enum err store_disk_open(const char *dir, struct store **out,
			 struct errmsg *why)
{
	struct store *s = calloc(1, sizeof(*s));
	char *absolute = NULL;
	int root = -1;

	if (s == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	s->incoming = s->objects = s->holds = -1;
	root = store_disk_dir(AT_FDCWD, dir);
	read_boot(s->boot);
	if (root >= 0)
		/* As it is written, for the server in front has it so, too */
		absolute = dir[0] == '/' ? strdup(dir) : realpath(dir, NULL);
	if (absolute != NULL &&
	    strlen(absolute) < STORE_PATH_MAX - UUID_LEN - 16) {
		size_t size = strlen(absolute) + sizeof("/objects");

		s->incoming = store_disk_dir(root, "incoming");
		s->objects = store_disk_dir(root, "objects");
		s->holds = store_disk_locks(root);
		s->objects_path = malloc(size);
		if (s->objects_path != NULL)
			(void)snprintf(s->objects_path, size, "%s/objects",
				       absolute);
	}
	if (s->incoming < 0 || s->objects < 0 || s->holds < 0 ||
	    s->objects_path == NULL ||
	    faccessat(s->incoming, ".", W_OK, AT_EACCESS) != 0) {
		(void)err_set(why, ERR_CONFIG, "DATA_DIR: cannot use %s: %s",
			      dir, strerror(errno));
		store_close(s);
		s = NULL;
	}
	free(absolute);
	if (root >= 0)
		(void)close(root);
	if (s == NULL)
		return ERR_CONFIG;
	*out = s;
	return ERR_OK;
}

enum err store_disk_check(const char *dir, struct errmsg *why)
{
	/* What is not there yet will be made, if what it stands in is there */
	if (faccessat(AT_FDCWD, dir, R_OK | W_OK | X_OK, AT_EACCESS) == 0 ||
	    errno == ENOENT)
		return ERR_OK;
	return err_set(why, ERR_CONFIG, "DATA_DIR: cannot use %s: %s", dir,
		       strerror(errno));
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	if (s->incoming >= 0)
		(void)close(s->incoming);
	if (s->objects >= 0)
		(void)close(s->objects);
	if (s->holds >= 0)
		(void)close(s->holds);
	free(s->objects_path);
	free(s);
}

enum err store_ready(struct store *s, struct errmsg *why)
{
	if (faccessat(s->incoming, ".", W_OK, AT_EACCESS) != 0)
		return store_disk_failed(why, "write to", "incoming/");
	return ERR_OK;
}

/* --- removing ----------------------------------------------------------- */

enum err store_remove(struct store *s, const char *id, struct errmsg *why)
{
	char object[STORE_DISK_NAME];

	store_disk_name(id, object);
	if (unlinkat(s->objects, object, 0) != 0)
		return store_disk_absent(why, "remove", id);
	return ERR_OK;
}

enum err store_remove_unfinished(struct store *s, const char *id,
				 struct errmsg *why)
{
	if (unlinkat(s->incoming, id, 0) != 0)
		return store_disk_absent(why, "remove incoming", id);
	return ERR_OK;
}

/* --- reading ------------------------------------------------------------ */

enum err store_reader_open(struct store *s, const char *id, int64_t from,
			   struct store_reader **out, int64_t *size,
			   struct errmsg *why)
{
	char object[STORE_DISK_NAME];
	struct store_reader *r;
	struct stat st;
	int fd;

	store_disk_name(id, object);
	fd = openat(s->objects, object, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return store_disk_absent(why, "open", id);
	r = malloc(sizeof(*r));
	if (r == NULL || fstat(fd, &st) != 0) {
		free(r);
		(void)close(fd);
		return store_disk_failed(why, "stat", id);
	}
	*r = (struct store_reader) { fd, from, false };
	*size = st.st_size;
	*out = r;
	return ERR_OK;
}

void store_reader_no_cache(struct store_reader *r)
{
	r->passing_by = true;
	/* No reading ahead: that would be in memory when we come to it */
	(void)posix_fadvise(r->fd, 0, 0, POSIX_FADV_RANDOM);
}

/* Bytes that are in memory already are somebody's; the others go again */
static ssize_t read_passing_by(struct store_reader *r, char *to, size_t cap)
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

enum err store_disk_read(int fd, const char *id, int64_t from, char *to,
			 size_t cap, size_t *got, struct errmsg *why)
{
	ssize_t n;

	do
		n = pread(fd, to, cap, from);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return store_disk_failed(why, "read", id);
	*got = (size_t)n;
	return ERR_OK;
}

static enum err pass_by(struct store_reader *r, char *to, size_t cap,
			size_t *got, struct errmsg *why)
{
	ssize_t n;

	do
		n = read_passing_by(r, to, cap);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return store_disk_failed(why, "read", "an object");
	*got = (size_t)n;
	return ERR_OK;
}

enum err store_reader_read(struct store_reader *r, char *to, size_t cap,
			   size_t *got, struct errmsg *why)
{
	enum err e = r->passing_by ? pass_by(r, to, cap, got, why)
				   : store_disk_read(r->fd, "an object", r->at,
						     to, cap, got, why);

	if (e == ERR_OK)
		r->at += (int64_t)*got;
	return e;
}

void store_reader_close(struct store_reader *r)
{
	if (r == NULL)
		return;
	(void)close(r->fd);
	free(r);
}

enum err store_path(struct store *s, const char *id,
		    char out[static STORE_PATH_MAX])
{
	char object[STORE_DISK_NAME];

	store_disk_name(id, object);
	if (faccessat(s->objects, object, R_OK, AT_EACCESS) != 0)
		return ERR_NOT_FOUND;
	(void)snprintf(out, STORE_PATH_MAX, "%s/%s", s->objects_path, object);
	return ERR_OK;
}
