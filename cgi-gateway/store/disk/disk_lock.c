#include "cgi-gateway/store/disk/disk_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The byte of `holds` that represents an id, at its FNV-1a hash. If two ids
 * ever share a byte, unlocking one unlocks both. */
static struct flock byte_of(const char *id, short type)
{
	uint64_t h = 14695981039346656037u;

	for (const char *p = id; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	return (struct flock) { .l_type = type,
				.l_whence = SEEK_SET,
				.l_start = (off_t)(h >> 1),
				.l_len = 1 };
}

int disk_locks_open(int root)
{
	struct flock any = byte_of("", F_WRLCK);
	struct stat st;
	int fd = openat(root, "holds", O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		fd = openat(root, "holds", O_RDONLY | O_CREAT | O_CLOEXEC,
			    0640);
		/* The service must be able to open it, even if root uses the
		 * directory first, from a terminal */
		if (fd >= 0 && fstat(root, &st) == 0)
			(void)!fchown(fd, st.st_uid, st.st_gid);
	}
	if (fd >= 0 && fcntl(fd, F_OFD_GETLK, &any) != 0) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

enum err disk_lock(struct disk_store *s, const char *id, struct errmsg *why)
{
	struct flock byte = byte_of(id, F_RDLCK);

	if (fcntl(s->holds, F_OFD_SETLK, &byte) != 0)
		return disk_failed(why, "lock", id);
	return ERR_OK;
}

void disk_unlock(struct store *s, const char *id)
{
	struct flock byte = byte_of(id, F_UNLCK);

	(void)fcntl(disk_of(s)->holds, F_OFD_SETLK, &byte);
}

bool disk_is_locked(struct store *s, const char *id)
{
	struct flock byte = byte_of(id, F_WRLCK);

	/* The lock is only tested, not taken: an id that was unlocked is not
	 * locked again, so no other process needs to be excluded */
	return fcntl(disk_of(s)->holds, F_OFD_GETLK, &byte) != 0 ||
	       byte.l_type != F_UNLCK;
}
