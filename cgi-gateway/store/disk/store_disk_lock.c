#include "cgi-gateway/store/disk/store_disk_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The byte of `holds` that stands for an object: FNV-1a of its id. Should two
 * ids ever meet there, one release lets go of both. */
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

int store_disk_locks(int root)
{
	struct flock any = byte_of("", F_WRLCK);
	struct stat st;
	int fd = openat(root, "holds", O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		fd = openat(root, "holds", O_RDONLY | O_CREAT | O_CLOEXEC,
			    0640);
		/* Whoever comes first, root at a terminal for instance, the
		 * others must be able to open it */
		if (fd >= 0 && fstat(root, &st) == 0)
			(void)!fchown(fd, st.st_uid, st.st_gid);
	}
	if (fd >= 0 && fcntl(fd, F_OFD_GETLK, &any) != 0) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

enum err store_disk_lock(struct store *s, const char *id, struct errmsg *why)
{
	struct flock byte = byte_of(id, F_RDLCK);

	if (fcntl(s->holds, F_OFD_SETLK, &byte) != 0)
		return store_disk_failed(why, "hold", id);
	return ERR_OK;
}

void store_unlock(struct store *s, const char *id)
{
	struct flock byte = byte_of(id, F_UNLCK);

	(void)fcntl(s->holds, F_OFD_SETLK, &byte);
}

bool store_is_locked(struct store *s, const char *id)
{
	struct flock byte = byte_of(id, F_WRLCK);

	/* Only asked, not taken: whoever let go of an id once does not begin it
	 * again, so there is nobody to be kept out */
	return fcntl(s->holds, F_OFD_GETLK, &byte) != 0 ||
	       byte.l_type != F_UNLCK;
}
