#include "cgi-gateway/store/disk/disk_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void disk_name(const char *id, char out[static DISK_NAME])
{
	size_t len = strlen(id);

	(void)snprintf(out, DISK_NAME, "%.2s/%.36s",
		       len >= 2 ? id + len - 2 : "xx", id);
}

enum err disk_failed(struct errmsg *why, const char *what, const char *id)
{
	int failed = errno;

	return err_set(why, err_of_errno(failed), "%s %s: %s%s", what, id,
		       strerror(failed), err_hint_of_errno(failed));
}

enum err disk_absent(struct errmsg *why, const char *what, const char *id)
{
	bool absent = errno == ENOENT;
	enum err e = disk_failed(why, what, id);

	return absent ? ERR_NOT_FOUND : e;
}

enum err disk_read(int fd, const char *id, int64_t from, char *to, size_t cap,
		   size_t *got, struct errmsg *why)
{
	ssize_t n;

	do
		n = pread(fd, to, cap, from);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return disk_failed(why, "read", id);
	*got = (size_t)n;
	return ERR_OK;
}

enum err disk_write(int fd, const char *id, struct span bytes,
		    struct errmsg *why)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.p, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return disk_failed(why, "write", id);
		bytes = span_from(bytes, (size_t)n);
	}
	return ERR_OK;
}

int disk_dir(int parent, const char *name)
{
	if (mkdirat(parent, name, 0750) == 0) {
		if (parent != AT_FDCWD && fsync(parent) != 0)
			return -1;
	} else if (errno != EEXIST) {
		return -1;
	}
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}
