/* The offset of a resumable upload, without a writer. */
#include "cgi-gateway/store/disk/checkpoint.h"
#include "cgi-gateway/store/disk/disk_resumable.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Find the bytes in incoming/; or in objects/, if a commit stopped after
 * placing them */
static enum err stat_data(struct disk_store *s, const char *id, struct stat *st,
			  bool *placed, struct errmsg *why)
{
	char object[DISK_NAME];

	*placed = false;
	if (fstatat(s->incoming, id, st, AT_SYMLINK_NOFOLLOW) == 0)
		return ERR_OK;
	if (errno != ENOENT)
		return disk_failed(why, "stat incoming", id);
	*placed = true;
	disk_name(id, object);
	if (fstatat(s->objects, object, st, AT_SYMLINK_NOFOLLOW) == 0)
		return ERR_OK;
	return disk_absent(why, "stat", id);
}

enum err disk_resumable_offset(struct store *s_, const char *id,
			       int64_t *offset, int64_t *written_at,
			       struct errmsg *why)
{
	struct disk_store *s = disk_of(s_);
	int fd = -1;
	struct checkpoint c;
	struct stat st;
	bool placed = false;
	enum err e = checkpoint_open(s, id, &fd, why);

	if (e != ERR_OK)
		return e;
	/* Lock, so that checkpoint and length are consistent */
	e = checkpoint_lock(fd, CHECKPOINT_WRITE, why);
	if (e == ERR_OK)
		e = checkpoint_read(fd, &c, why);
	if (e == ERR_OK)
		e = stat_data(s, id, &st, &placed, why);
	if (e == ERR_OK) {
		*offset = placed ? st.st_size
				 : checkpoint_offset(s, &c, st.st_size);
		*written_at = st.st_mtime;
	}
	(void)close(fd);
	return e;
}
