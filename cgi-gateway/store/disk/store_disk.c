#include "cgi-gateway/store/disk/store_disk.h"

#include "cgi-gateway/store/disk/disk_layout.h"
#include "cgi-gateway/store/disk/disk_lock.h"
#include "cgi-gateway/store/disk/disk_method.h"
#include "cgi-gateway/store/disk/disk_objects.h"
#include "cgi-gateway/store/disk/disk_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	/* Bytes of DIR, so that every path below it fits into STORE_PATH_MAX */
	DIR_MAX = STORE_PATH_MAX - (int)sizeof("/objects/") - STORE_TAIL,
	DIR_SHOWN = 100, /* bytes of DIR in an error, to leave room for why */
};

static void free_store(struct disk_store *s)
{
	if (s->incoming >= 0)
		(void)close(s->incoming);
	if (s->objects >= 0)
		(void)close(s->objects);
	if (s->holds >= 0)
		(void)close(s->holds);
	buffer_pool_release(&s->buffers);
	free(s->objects_path);
	free(s);
}

static void disk_close(struct store *s)
{
	free_store(disk_of(s));
}

static enum err disk_ready(struct store *s, struct errmsg *why)
{
	if (faccessat(disk_of(s)->incoming, ".", W_OK, AT_EACCESS) != 0)
		return disk_failed(why, "write to", "incoming/");
	return ERR_OK;
}

static const struct store_ops disk_ops = {
	.writer = &disk_writer_ops,
	.reader = &disk_reader_ops,
	.resumable = &disk_resumable_ops,
	.commit = &disk_commit_ops,
	.ready = disk_ready,
	.unlock = disk_unlock,
	.is_locked = disk_is_locked,
	.exists = disk_exists,
	.remove = disk_remove,
	.path = disk_path,
	.walk = disk_walk,
	.method = disk_method_text,
	.close = disk_close,
};

/* --- opening -------------------------------------------------------------- */

static enum err unusable(struct errmsg *why, const char *dir,
			 const char *reason)
{
	return err_set(why, ERR_CONFIG, "DATA_DIR: cannot use %.*s%s: %s",
		       DIR_SHOWN, dir, strlen(dir) > DIR_SHOWN ? "..." : "",
		       reason);
}

static enum err check_length(const char *absolute, struct errmsg *why)
{
	char reason[96];
	size_t len = strlen(absolute);

	if (len <= DIR_MAX)
		return ERR_OK;
	(void)snprintf(reason, sizeof(reason),
		       "its path has %zu bytes; at most %d are possible", len,
		       DIR_MAX);
	return unusable(why, absolute, reason);
}

/* Read the kernel's name for this boot; "" if there is none */
static void read_boot(char out[static UUID_LEN + 4])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, out, UUID_LEN) : 0;

	if (fd >= 0)
		(void)close(fd);
	out[n > 0 ? n : 0] = '\0';
}

static enum err set_path(struct disk_store *s, const char *dir,
			 struct errmsg *why)
{
	/* Leave an absolute path as the operator wrote it, because the server
	 * in front is configured with the same text */
	char *absolute = dir[0] == '/' ? strdup(dir) : realpath(dir, NULL);
	size_t size;
	enum err e;

	if (absolute == NULL && errno == ENOMEM)
		return err_set(why, ERR_MEMORY, "out of memory");
	if (absolute == NULL)
		return unusable(why, dir, strerror(errno));
	e = check_length(absolute, why);
	if (e == ERR_OK) {
		size = strlen(absolute) + sizeof("/objects");
		s->objects_path = malloc(size);
		if (s->objects_path != NULL)
			(void)snprintf(s->objects_path, size, "%s/objects",
				       absolute);
		else
			e = err_set(why, ERR_MEMORY, "out of memory");
	}
	free(absolute);
	return e;
}

static enum err open_inside(struct disk_store *s, int root, const char *dir,
			    struct errmsg *why)
{
	s->incoming = disk_dir(root, "incoming");
	if (s->incoming >= 0)
		s->objects = disk_dir(root, "objects");
	if (s->objects >= 0)
		s->holds = disk_locks_open(root);
	if (s->holds < 0 || faccessat(s->incoming, ".", W_OK, AT_EACCESS) != 0)
		return unusable(why, dir, strerror(errno));
	disk_make_fan(s);
	return ERR_OK;
}

enum err store_disk_open(const char *dir, struct store **out,
			 struct errmsg *why)
{
	struct disk_store *s = calloc(1, sizeof(*s));
	enum err e = ERR_OK;
	int root;

	if (s == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	s->base.ops = &disk_ops;
	buffer_pool_init(&s->buffers, STORE_DISK_BUFFER);
	s->incoming = s->objects = s->holds = -1;
	root = disk_dir(AT_FDCWD, dir);
	if (root < 0)
		e = unusable(why, dir, strerror(errno));
	if (e == ERR_OK)
		e = set_path(s, dir, why);
	if (e == ERR_OK)
		e = open_inside(s, root, dir, why);
	if (root >= 0)
		(void)close(root);
	if (e != ERR_OK) {
		free_store(s);
		return e;
	}
	read_boot(s->boot);
	/* Not &s->base, which gcc -fanalyzer reports as a leak */
	*out = (struct store *)s;
	return ERR_OK;
}

enum err store_disk_check(const char *dir, struct errmsg *why)
{
	if (dir[0] == '/' && check_length(dir, why) != ERR_OK)
		return ERR_CONFIG;
	/* A missing directory will be created, if its parent exists */
	if (faccessat(AT_FDCWD, dir, R_OK | W_OK | X_OK, AT_EACCESS) == 0 ||
	    errno == ENOENT)
		return ERR_OK;
	return unusable(why, dir, strerror(errno));
}
