#include "cgi-gateway/store/disk/checkpoint.h"
#include "cgi-gateway/store/disk/disk_objects.h"
#include "cgi-gateway/store/disk/disk_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct disk_commit {
	struct resumable_commit base;
	struct disk_store *store;
	char id[UUID_LEN + 1];
	int data, checkpoint_fd;
	bool placed; /* the bytes are in objects/ */
};

static struct disk_commit *commit_of(struct resumable_commit *c)
{
	return (struct disk_commit *)c;
}

/* In incoming/; or in objects/, if an earlier commit stopped after placing it
 */
static enum err open_bytes(struct disk_commit *c, int64_t *size,
			   struct errmsg *why)
{
	char object[DISK_NAME];
	struct stat st;

	c->data = openat(c->store->incoming, c->id,
			 O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (c->data < 0 && errno == ENOENT) {
		disk_name(c->id, object);
		c->data = openat(c->store->objects, object,
				 O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		c->placed = c->data >= 0;
	}
	if (c->data < 0 || fstat(c->data, &st) != 0)
		return disk_absent(why, "open", c->id);
	*size = st.st_size;
	return ERR_OK;
}

/* Return how many bytes count: all of a placed object, because they were
 * durable before it was placed. After a loss of power the checkpoint may be
 * older */
static int64_t offset_of(const struct disk_commit *c,
			 const struct checkpoint *point, int64_t size)
{
	return c->placed ? size : checkpoint_offset(c->store, point, size);
}

/* From now on an open writer's next write fails, and no other can be opened */
static enum err close_and_hash(struct disk_commit *c, int64_t length,
			       unsigned char sha256[static SHA256_LEN],
			       struct errmsg *why)
{
	struct checkpoint point;
	struct sha256 hash;
	int64_t size = 0;
	struct stat st;
	enum err e = ERR_OK;

	/* If a commit ended while this one waited, it has removed the name */
	if (fstat(c->checkpoint_fd, &st) != 0 || st.st_nlink == 0)
		return ERR_NOT_FOUND;
	e = checkpoint_read(c->checkpoint_fd, &point, why);
	if (e == ERR_OK)
		e = open_bytes(c, &size, why);
	if (e != ERR_OK)
		return e;
	if (offset_of(c, &point, size) != length)
		return ERR_CONFLICT;
	e = checkpoint_catch_up(&point, c->data, length, why);
	if (e != ERR_OK)
		return e;
	point.writer = CHECKPOINT_CLOSED;
	point.tail_counts = true;
	hash = point.hash;
	sha256_end(&hash, sha256);
	return checkpoint_write(c->store, c->checkpoint_fd, &point, why);
}

static void leave_commit(struct resumable_commit *c_)
{
	struct disk_commit *c = commit_of(c_);

	if (c->data >= 0)
		(void)close(c->data);
	if (c->checkpoint_fd >= 0)
		(void)close(c->checkpoint_fd);
	free(c);
}

static enum err begin_commit(struct store *s, const char *id, int64_t length,
			     struct resumable_commit **out,
			     unsigned char sha256[static SHA256_LEN],
			     struct errmsg *why)
{
	struct disk_commit *c = malloc(sizeof(*c));
	enum err e;

	if (c == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	*c = (struct disk_commit) { .store = disk_of(s),
				    .data = -1,
				    .checkpoint_fd = -1 };
	(void)snprintf(c->id, sizeof(c->id), "%s", id);
	e = checkpoint_open(c->store, id, &c->checkpoint_fd, why);
	if (e == ERR_OK)
		e = checkpoint_lock(c->checkpoint_fd, CHECKPOINT_COMMIT, why);
	if (e == ERR_OK)
		e = checkpoint_lock(c->checkpoint_fd, CHECKPOINT_WRITE, why);
	if (e == ERR_OK)
		e = close_and_hash(c, length, sha256, why);
	if (e != ERR_OK) {
		leave_commit(&c->base);
		return e;
	}
	checkpoint_unlock(c->checkpoint_fd, CHECKPOINT_WRITE);
	*out = &c->base;
	return ERR_OK;
}

static enum err read_commit(struct resumable_commit *c, int64_t from, char *to,
			    size_t cap, size_t *got, struct errmsg *why)
{
	return disk_read(commit_of(c)->data, commit_of(c)->id, from, to, cap,
			 got, why);
}

static enum err place_commit(struct resumable_commit *c_, struct errmsg *why)
{
	struct disk_commit *c = commit_of(c_);
	enum err e;

	if (c->placed)
		return ERR_OK;
	e = disk_place(c->store, c->id, c->data, why);
	c->placed = e == ERR_OK;
	return e;
}

static void end_commit(struct resumable_commit *c)
{
	(void)checkpoint_remove(commit_of(c)->store, commit_of(c)->id);
	leave_commit(c);
}

const struct resumable_commit_ops disk_commit_ops = {
	.begin = begin_commit,
	.read = read_commit,
	.place = place_commit,
	.end = end_commit,
	.leave = leave_commit,
};
