#include "common/metrics/metrics_shared.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	LOCK_HEADER = 0, /* byte to lock for reading the header */
	LOCK_SLOTS = 1,	 /* byte of the first slot; the bytes need not exist */
	TRIES = 100,	 /* to open a file that is not being replaced */
};

static struct flock lock_of(short type, off_t byte)
{
	return (struct flock) { .l_type = type,
				.l_whence = SEEK_SET,
				.l_start = byte,
				.l_len = 1 };
}

static off_t byte_of(const struct metrics *m, const struct metrics_place *p)
{
	return LOCK_SLOTS + (off_t)(p - m->shared->places);
}

bool metrics_lives(const struct metrics *m, const struct metrics_place *p)
{
	struct flock l;

	if (p == m->own)
		return true; /* F_GETLK does not report our own locks */
	if (m->file < 0 ||
	    atomic_load_explicit(&p->alive, memory_order_relaxed) == 0)
		return false;
	l = lock_of(F_WRLCK, byte_of(m, p));
	return fcntl(m->file, F_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

/* Hash (FNV-1a) the texts that define the meaning of the counters */
static uint64_t layout_hash(const struct metrics_layout *l)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i <= l->route_count; i++) {
		const char *s = i == 0 ? l->program : l->routes[i - 1];

		do
			h = (h ^ (unsigned char)*s) * 1099511628211u;
		while (*s++ != '\0');
	}
	return h;
}

static enum err open_file(const char *path, int flags, int *out,
			  struct errmsg *why)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
	struct stat st;

	if (fd < 0)
		return err_set(why, ERR_CONFIG, "METRICS_FILE: %s: %s", path,
			       strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_uid != geteuid()) {
		(void)close(fd);
		return err_set(why, ERR_CONFIG,
			       "METRICS_FILE: %s must be a regular file that "
			       "belongs to this user",
			       path);
	}
	*out = fd;
	return ERR_OK;
}

enum err metrics_check(const char *path, struct errmsg *why)
{
	struct span folder = span_of(path), name;
	char where[4096] = ".";

	if (path[0] == '\0' || access(path, R_OK | W_OK) == 0)
		return ERR_OK;
	if (span_cut_last(&folder, '/', &name) &&
	    !span_to_cstr(folder.len > 0 ? folder : SPAN("/"), where,
			  sizeof(where)))
		return err_set(why, ERR_CONFIG,
			       "METRICS_FILE: the path is too long");
	if (errno == ENOENT && access(where, W_OK | X_OK) == 0)
		return ERR_OK;
	return err_set(why, ERR_CONFIG, "METRICS_FILE: %s: %s", path,
		       strerror(errno));
}

/* Initialise an empty file. Its space is allocated now: a write to a page
 * without space on the disk would kill the process (SIGBUS). */
static enum err fill(int fd, const struct metrics_layout *layout,
		     struct errmsg *why)
{
	const struct metrics_head head = { METRICS_MAGIC,
					   sizeof(struct metrics_shared),
					   layout_hash(layout) };
	int failed = posix_fallocate(fd, 0, (off_t)head.size);

	if (failed == 0 &&
	    pwrite(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head))
		failed = errno;
	if (failed == 0)
		return ERR_OK;
	return err_set(why,
		       failed == ENOSPC || failed == EDQUOT || failed == EFBIG
			       ? ERR_FULL
			       : ERR_IO,
		       "METRICS_FILE: %s", strerror(failed));
}

static bool fits(int fd, const struct metrics_layout *layout)
{
	struct metrics_head head;
	struct stat st;

	return fstat(fd, &st) == 0 &&
	       st.st_size == (off_t)sizeof(struct metrics_shared) &&
	       pread(fd, &head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
	       memcmp(head.magic, METRICS_MAGIC, sizeof(METRICS_MAGIC)) == 0 &&
	       head.size == sizeof(struct metrics_shared) &&
	       head.layout == layout_hash(layout);
}

/* A file of another layout may be in use by a program of its version: leave it
 * unchanged, and rename a new file to its name. */
static enum err replace(const char *path, const struct metrics_layout *layout,
			struct errmsg *why)
{
	char fresh[4096];
	int n = snprintf(fresh, sizeof(fresh), "%s.new", path), fd;
	enum err e;

	if (n < 0 || (size_t)n >= sizeof(fresh))
		return err_set(why, ERR_CONFIG,
			       "METRICS_FILE: the path is too long");
	(void)unlink(fresh); /* left by a process that was killed here */
	e = open_file(fresh, O_CREAT | O_EXCL, &fd, why);
	if (e != ERR_OK)
		return e;
	e = fill(fd, layout, why);
	if (e == ERR_OK && rename(fresh, path) != 0)
		e = err_set(why, ERR_IO, "METRICS_FILE: rename: %s",
			    strerror(errno));
	if (e != ERR_OK)
		(void)unlink(fresh);
	(void)close(fd);
	return e;
}

static bool is_at(int fd, const char *path)
{
	struct stat open_one, named;

	return fstat(fd, &open_one) == 0 && stat(path, &named) == 0 &&
	       open_one.st_dev == named.st_dev &&
	       open_one.st_ino == named.st_ino;
}

/* Open a file of this layout that is not being replaced. The header is read
 * with the file locked; after locking, check that the path still names this
 * file. */
enum err metrics_file_open(const char *path,
			   const struct metrics_layout *layout, int *out,
			   struct errmsg *why)
{
	for (int i = 0; i < TRIES; i++) {
		struct flock l = lock_of(F_WRLCK, LOCK_HEADER);
		enum err e;
		int fd, locked;

		e = open_file(path, O_CREAT, &fd, why);
		if (e != ERR_OK)
			return e;
		do
			locked = fcntl(fd, F_SETLKW, &l);
		while (locked != 0 && errno == EINTR);
		if (locked != 0) {
			e = err_set(why, ERR_UNAVAILABLE,
				    "METRICS_FILE: %s cannot be locked: %s",
				    path, strerror(errno));
		} else if (is_at(fd, path)) {
			if (fits(fd, layout)) {
				l = lock_of(F_UNLCK, LOCK_HEADER);
				(void)fcntl(fd, F_SETLK, &l);
				*out = fd;
				return ERR_OK;
			}
			e = replace(path, layout, why);
		}
		(void)close(fd); /* and with it the lock */
		if (e != ERR_OK)
			return e;
	}
	return err_set(why, ERR_IO, "METRICS_FILE: %s keeps changing", path);
}

/* Take a slot whose last owner has ended, or that was never used */
void metrics_take_place(struct metrics *m)
{
	size_t start = (size_t)getpid() % METRICS_PROCESSES;

	for (size_t i = 0; i < METRICS_PROCESSES && m->own == NULL; i++) {
		struct metrics_place *p =
			&m->shared->places[(start + i) % METRICS_PROCESSES];
		struct flock l = lock_of(F_WRLCK, byte_of(m, p));

		if (m->file < 0 || fcntl(m->file, F_SETLK, &l) == 0)
			m->own = p;
	}
	if (m->own == NULL)
		return;
	for (size_t i = 0; i < METRICS_GAUGES; i++)
		atomic_store(&m->own->gauges[i], 0);
	atomic_store(&m->own->alive, 1);
}
