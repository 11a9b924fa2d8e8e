#include "cgi-gateway/store/disk/disk_objects.h"

#include "cgi-gateway/store/disk/disk_method.h"
#include "common/base/worker_wait.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Open the directory objects/<aa>/, creating it if it is missing */
static int open_fan(struct disk_store *s, const char *object)
{
	char fan[3] = { object[0], object[1], '\0' };
	int fd = openat(s->objects, fan, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		fd = disk_dir(s->objects, fan);
	return fd;
}

enum err disk_place(struct disk_store *s, const char *id, int fd,
		    struct errmsg *why)
{
	char object[DISK_NAME];
	enum err e = ERR_OK;
	int fan;

	disk_name(id, object);
	if (fsync(fd) != 0)
		return disk_failed(why, "fsync", id);
	fan = open_fan(s, object);
	if (fan < 0)
		return disk_failed(why, "create objects directory for", id);
	if (renameat(s->incoming, id, s->objects, object) != 0) {
		e = disk_failed(why, "rename", id);
	} else if (fsync(fan) != 0 || fsync(s->incoming) != 0 ||
		   (disk_method(s) != DISK_LINK && fsync(s->objects) != 0)) {
		e = disk_failed(why, "fsync of the directory of", id);
		/* Move it back to where the caller can discard it or retry */
		(void)renameat(s->objects, object, s->incoming, id);
	}
	(void)close(fan);
	return e;
}

/* Open a file without a name in the directory of `object`; -1 and errno */
static int open_unnamed(struct disk_store *s, const char *object)
{
	char fan[3] = { object[0], object[1], '\0' };
	const int flags = O_TMPFILE | O_WRONLY | O_CLOEXEC;
	int fd = openat(s->objects, fan, flags, 0640);

	if (fd < 0 && errno == ENOENT) {
		int dir = disk_dir(s->objects, fan);

		if (dir < 0)
			return -1;
		(void)close(dir);
		fd = openat(s->objects, fan, flags, 0640);
	}
	return fd;
}

static enum err sync_object(struct disk_store *s, const char *id,
			    const char *object, int fd, struct errmsg *why)
{
	enum err e = ERR_OK;
	int fan, failed;

	worker_wait_begin();
	failed = fsync(fd) != 0 ? errno : 0;
	worker_wait_end();
	errno = failed;
	if (failed != 0)
		return disk_failed(why, "fsync", id);
	if (disk_method(s) == DISK_LINK)
		return ERR_OK;
	/* objects/ too: another process may have made the directory a moment
	 * ago, and was perhaps killed before it synced that */
	fan = open_fan(s, object);
	if (fan < 0 || fsync(fan) != 0 || fsync(s->objects) != 0)
		e = disk_failed(why, "fsync of the directory of", id);
	if (fan >= 0)
		(void)close(fan);
	return e;
}

/* Link the unnamed file `fd` and flush it */
static enum err link_object(struct disk_store *s, const char *id,
			    const char *object, int fd, struct errmsg *why)
{
	char unnamed[sizeof("/proc/self/fd/") + 11];
	enum err e;

	(void)snprintf(unnamed, sizeof(unnamed), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, unnamed, s->objects, object, AT_SYMLINK_FOLLOW) !=
	    0) {
		bool exists = errno == EEXIST;

		if (disk_method_fails(s, errno))
			return ERR_METHOD;
		e = disk_failed(why, "link", id);
		return exists ? ERR_CONFLICT : e;
	}
	e = sync_object(s, id, object, fd, why);
	if (e != ERR_OK)
		(void)unlinkat(s->objects, object, 0);
	return e;
}

enum err disk_put(struct disk_store *s, const char *id, struct span bytes,
		  struct errmsg *why)
{
	char object[DISK_NAME];
	enum err e;
	int fd;

	if (disk_method(s) == DISK_RENAME)
		return ERR_METHOD;
	disk_name(id, object);
	fd = open_unnamed(s, object);
	if (fd < 0)
		return disk_method_fails(s, errno)
			       ? ERR_METHOD
			       : disk_failed(why, "create", id);
	e = disk_write(fd, id, bytes, why);
	if (e == ERR_OK)
		e = link_object(s, id, object, fd, why);
	(void)close(fd);
	return e;
}

void disk_make_fan(struct disk_store *s)
{
	struct stat st;
	char fan[3];

	if (faccessat(s->objects, "ff", F_OK, 0) == 0 ||
	    fstat(s->objects, &st) != 0 || st.st_uid != geteuid())
		return;
	for (unsigned i = 0; i < 256; i++) {
		(void)snprintf(fan, sizeof(fan), "%02x", i);
		if (mkdirat(s->objects, fan, 0750) != 0 && errno != EEXIST)
			return;
	}
	(void)fsync(s->objects);
}

enum err disk_exists(struct store *s, const char *id, struct errmsg *why)
{
	char object[DISK_NAME];

	disk_name(id, object);
	if (faccessat(disk_of(s)->objects, object, R_OK, AT_EACCESS) != 0)
		return disk_absent(why, "find", id);
	return ERR_OK;
}

enum err disk_path(struct store *s, const char *id,
		   char out[static STORE_PATH_MAX])
{
	char object[DISK_NAME];

	disk_name(id, object);
	if (faccessat(disk_of(s)->objects, object, R_OK, AT_EACCESS) != 0)
		return ERR_NOT_FOUND;
	(void)snprintf(out, STORE_PATH_MAX, "%s/%s", disk_of(s)->objects_path,
		       object);
	return ERR_OK;
}

enum err disk_remove(struct store *s, const char *id, struct errmsg *why)
{
	char object[DISK_NAME];

	disk_name(id, object);
	if (unlinkat(disk_of(s)->objects, object, 0) != 0)
		return disk_absent(why, "remove", id);
	return ERR_OK;
}
