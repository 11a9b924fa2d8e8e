#include "store_disk_place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct store_reader {
	int fd;
	int64_t at;
};

void store_disk_name(const char *id, char out[static STORE_DISK_NAME])
{
	size_t len = strlen(id);

	(void)snprintf(out, STORE_DISK_NAME, "%.2s/%.36s",
		       len >= 2 ? id + len - 2 : "xx", id);
}

enum err store_disk_failed(struct errmsg *m, const char *what, const char *id)
{
	enum err e = errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;

	return err_set(m, e, "%s %s: %s", what, id, strerror(errno));
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
enum err store_disk_absent(struct errmsg *m, const char *what, const char *id)
{
	bool absent = errno == ENOENT;
	enum err e = store_disk_failed(m, what, id);

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

enum err store_disk_open(const char *dir, struct store **out, struct errmsg *m)
{
	struct store *s = calloc(1, sizeof(*s));
	char *absolute = NULL;
	int root = -1;

	if (s == NULL)
		return err_set(m, ERR_MEMORY, "out of memory");
	s->incoming = s->objects = -1;
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
		s->objects_path = malloc(size);
		if (s->objects_path != NULL)
			(void)snprintf(s->objects_path, size, "%s/objects",
				       absolute);
	}
	if (s->incoming < 0 || s->objects < 0 || s->objects_path == NULL ||
	    faccessat(s->incoming, ".", W_OK, AT_EACCESS) != 0) {
		(void)err_set(m, ERR_CONFIG, "DATA_DIR: cannot use %s: %s", dir,
			      strerror(errno));
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

enum err store_disk_check(const char *dir, struct errmsg *m)
{
	/* What is not there yet will be made, if what it stands in is there */
	if (faccessat(AT_FDCWD, dir, R_OK | W_OK | X_OK, AT_EACCESS) == 0 ||
	    errno == ENOENT)
		return ERR_OK;
	return err_set(m, ERR_CONFIG, "DATA_DIR: cannot use %s: %s", dir,
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
	free(s->objects_path);
	free(s);
}

enum err store_ready(struct store *s, struct errmsg *m)
{
	if (faccessat(s->incoming, ".", W_OK, AT_EACCESS) != 0)
		return store_disk_failed(m, "write to", "incoming/");
	return ERR_OK;
}

/* --- removing ----------------------------------------------------------- */

enum err store_remove(struct store *s, const char *id, struct errmsg *m)
{
	char object[STORE_DISK_NAME];

	store_disk_name(id, object);
	if (unlinkat(s->objects, object, 0) != 0)
		return store_disk_absent(m, "remove", id);
	return ERR_OK;
}

enum err store_remove_unfinished(struct store *s, const char *id,
				 struct errmsg *m)
{
	if (unlinkat(s->incoming, id, 0) != 0)
		return store_disk_absent(m, "remove incoming", id);
	return ERR_OK;
}

/* --- reading ------------------------------------------------------------ */

enum err store_open(struct store *s, const char *id, int64_t from,
		    struct store_reader **out, int64_t *size, struct errmsg *m)
{
	char object[STORE_DISK_NAME];
	struct store_reader *r;
	struct stat st;
	int fd;

	store_disk_name(id, object);
	fd = openat(s->objects, object, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return store_disk_absent(m, "open", id);
	r = malloc(sizeof(*r));
	if (r == NULL || fstat(fd, &st) != 0) {
		free(r);
		(void)close(fd);
		return store_disk_failed(m, "stat", id);
	}
	*r = (struct store_reader) { fd, from };
	*size = st.st_size;
	*out = r;
	return ERR_OK;
}

enum err store_disk_read(int fd, int64_t from, char *to, size_t cap,
			 size_t *got, struct errmsg *m)
{
	ssize_t n;

	do
		n = pread(fd, to, cap, from);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return store_disk_failed(m, "read", "an object");
	*got = (size_t)n;
	return ERR_OK;
}

enum err store_read(struct store_reader *r, char *to, size_t cap, size_t *got,
		    struct errmsg *m)
{
	enum err e = store_disk_read(r->fd, r->at, to, cap, got, m);

	if (e == ERR_OK)
		r->at += (int64_t)*got;
	return e;
}

void store_done(struct store_reader *r)
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

/* --- walking ------------------------------------------------------------ */

/* Whether it is the mark of an upload whose bytes are gone. Of others the bytes
 * are the item. */
static bool is_left_mark(int dir, const char *name,
			 char id[static UUID_LEN + 1])
{
	if (!span_has_suffix(span_of(name), SPAN(PARTIAL_MARK_SUFFIX)))
		return false;
	(void)snprintf(id, UUID_LEN + 1, "%.36s", name);
	return faccessat(dir, id, F_OK, 0) != 0;
}

/* Each regular file of one directory; `fd` is taken over */
static enum err each_file(int fd, bool finished, store_each_fn *each, void *arg,
			  struct errmsg *m)
{
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	char id[UUID_LEN + 1];
	enum err e = ERR_OK;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return store_disk_failed(m, "read", "a directory of the store");
	}
	while (e == ERR_OK && (entry = readdir(d)) != NULL) {
		struct store_item item = { entry->d_name, finished, 0, 0 };
		struct stat st;

		if (is_left_mark(dirfd(d), entry->d_name, id))
			item.id = id;

		/* What vanished meanwhile was removed or finished: no matter */
		if (fstatat(dirfd(d), entry->d_name, &st,
			    AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		item.size = item.id == id ? 0 : st.st_size;
		/* a rename changes ctime, and with it the time of finishing */
		item.changed_at = st.st_ctime;
		e = each(arg, &item);
	}
	(void)closedir(d);
	return e;
}

enum err store_each(struct store *s, store_each_fn *each, void *arg,
		    struct errmsg *m)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	enum err e =
		each_file(openat(s->incoming, ".", flags), false, each, arg, m);

	for (unsigned i = 0; i < 256 && e == ERR_OK; i++) {
		char fan[3];
		int fd;

		(void)snprintf(fan, sizeof(fan), "%02x", i);
		fd = openat(s->objects, fan, flags);
		if (fd >= 0 || errno != ENOENT)
			e = each_file(fd, true, each, arg, m);
	}
	return e;
}
