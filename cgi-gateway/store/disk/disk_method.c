#include "cgi-gateway/store/disk/disk_method.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* A line of mountinfo (proc_pid_mountinfo(5)) that is about the device:
 * "36 35 98:0 / /mnt rw master:1 - ext4 /dev/sda1 rw" */
static bool is_safe_line(struct span line, const char *device)
{
	const struct span safe[] = { SPAN("ext4"), SPAN("ext3"), SPAN("xfs") };
	struct span word = { NULL, 0 };

	for (int i = 0; i < 3; i++)
		if (!span_next(&line, ' ', &word))
			return false;
	if (!span_eq(word, span_of(device)))
		return false;
	while (!span_eq(word, SPAN("-")))
		if (!span_next(&line, ' ', &word))
			return false;
	if (!span_next(&line, ' ', &word))
		return false;
	for (size_t i = 0; i < sizeof(safe) / sizeof(*safe); i++)
		if (span_eq(word, safe[i]))
			return true;
	return false;
}

/* Whether the fsync of a file makes a new name of it durable */
static bool links_are_synced(const struct disk_store *s)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char device[32], *line = NULL;
	bool safe = false;
	size_t cap = 0;
	struct stat st;

	if (mounts == NULL)
		return false;
	if (fstat(s->objects, &st) == 0) {
		(void)snprintf(device, sizeof(device), "%u:%u",
			       major(st.st_dev), minor(st.st_dev));
		while (!safe && getline(&line, &cap, mounts) > 0)
			safe = is_safe_line(span_of(line), device);
	}
	free(line);
	(void)fclose(mounts);
	return safe;
}

static enum disk_method determine(struct disk_store *s)
{
	int fd =
		openat(s->objects, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0640);

	if (fd < 0)
		return disk_method_fails(s, errno) ? DISK_RENAME
						   : DISK_LINK_AND_SYNC;
	(void)close(fd);
	if (faccessat(AT_FDCWD, "/proc/self/fd", X_OK, 0) != 0)
		return DISK_RENAME;
	return links_are_synced(s) ? DISK_LINK : DISK_LINK_AND_SYNC;
}

enum disk_method disk_method(struct disk_store *s)
{
	int known = DISK_METHOD_UNKNOWN;

	if (atomic_load(&s->method) == DISK_METHOD_UNKNOWN)
		(void)atomic_compare_exchange_strong(&s->method, &known,
						     (int)determine(s));
	return (enum disk_method)atomic_load(&s->method);
}

bool disk_method_fails(struct disk_store *s, int number)
{
	switch (number) {
	case EOPNOTSUPP: /* no files without a name; no links */
	case EISDIR:	 /* a kernel that does not know O_TMPFILE */
	case EINVAL:
	case EPERM:
	case EXDEV:
	case ENOENT: /* /proc is not mounted */
	case ELOOP:
		atomic_store(&s->method, DISK_RENAME);
		return true;
	default:
		return false;
	}
}

const char *disk_method_text(struct store *s)
{
	switch (disk_method(disk_of(s))) {
	case DISK_LINK:
		return "unnamed file, link, fsync";
	case DISK_LINK_AND_SYNC:
		return "unnamed file, link, fsync, fsync of the directories";
	default:
		return "rename, fsync of the directories";
	}
}
