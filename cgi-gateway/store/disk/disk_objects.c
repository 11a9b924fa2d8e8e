#include "cgi-gateway/store/disk/disk_objects.h"

#include <errno.h>
#include <fcntl.h>
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
	} else if (fsync(fan) != 0 || fsync(s->incoming) != 0) {
		e = disk_failed(why, "fsync of the directory of", id);
		/* Move it back to where the caller can discard it or retry */
		(void)renameat(s->objects, object, s->incoming, id);
	}
	(void)close(fan);
	return e;
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
