#include "cgi-gateway/store/resumable_commit.h"

#include "cgi-gateway/store/disk/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct resumable_commit {
	struct store *store;
	char id[UUID_LEN + 1];
	int data, mark_file;
	bool placed; /* the bytes are in objects/ */
};

/* In incoming/, or in objects/ if somebody got that far before us */
static enum err open_data(struct resumable_commit *f, int64_t *size,
			  struct errmsg *why)
{
	char object[STORE_DISK_NAME];
	struct stat st;

	f->data = openat(f->store->incoming, f->id,
			 O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (f->data < 0 && errno == ENOENT) {
		store_disk_name(f->id, object);
		f->data = openat(f->store->objects, object,
				 O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		f->placed = f->data >= 0;
	}
	if (f->data < 0 || fstat(f->data, &st) != 0)
		return store_disk_absent(why, "open", f->id);
	*size = st.st_size;
	return ERR_OK;
}

/* What lies in its place was made safe before it came there, whatever the mark
 * says after a loss of power */
static int64_t count(const struct resumable_commit *f,
		     const struct checkpoint *mark, int64_t size)
{
	return f->placed ? size : checkpoint_offset(f->store, mark, size);
}

/* From now on nobody writes it, and nobody becomes its writer */
static enum err close_to_writers(struct resumable_commit *f, int64_t length,
				 unsigned char sha256[static SHA256_LEN],
				 struct errmsg *why)
{
	struct checkpoint mark;
	struct sha256 hash;
	int64_t size = 0;
	struct stat st;
	enum err e = ERR_OK;

	/* Whoever finished it while we waited has removed the name */
	if (fstat(f->mark_file, &st) != 0 || st.st_nlink == 0)
		return ERR_NOT_FOUND;
	e = checkpoint_read(f->mark_file, &mark, why);
	if (e == ERR_OK)
		e = open_data(f, &size, why);
	if (e != ERR_OK)
		return e;
	if (count(f, &mark, size) != length)
		return ERR_CONFLICT;
	e = checkpoint_catch_up(&mark, f->data, length, why);
	if (e != ERR_OK)
		return e;
	mark.writer = RESUMABLE_NOBODY;
	mark.tail_counts = true;
	hash = mark.hash;
	sha256_end(&hash, sha256);
	return checkpoint_write(f->store, f->mark_file, &mark, why);
}

enum err resumable_commit_begin(struct store *s, const char *id, int64_t length,
				struct resumable_commit **out,
				unsigned char sha256[static SHA256_LEN],
				struct errmsg *why)
{
	struct resumable_commit *f = malloc(sizeof(*f));
	enum err e;

	if (f == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	*f = (struct resumable_commit) { .store = s,
					 .data = -1,
					 .mark_file = -1 };
	(void)snprintf(f->id, sizeof(f->id), "%s", id);
	e = checkpoint_open(s, id, &f->mark_file, why);
	if (e == ERR_OK)
		e = checkpoint_lock(f->mark_file, RESUMABLE_FINISHING, why);
	if (e == ERR_OK)
		e = checkpoint_lock(f->mark_file, RESUMABLE_WRITING, why);
	if (e == ERR_OK)
		e = close_to_writers(f, length, sha256, why);
	if (e != ERR_OK) {
		resumable_commit_leave(f);
		return e;
	}
	checkpoint_unlock(f->mark_file, RESUMABLE_WRITING);
	*out = f;
	return ERR_OK;
}

enum err resumable_commit_read(struct resumable_commit *f, int64_t from,
			       char *to, size_t cap, size_t *got,
			       struct errmsg *why)
{
	return store_disk_read(f->data, f->id, from, to, cap, got, why);
}

enum err resumable_commit_place(struct resumable_commit *f, struct errmsg *why)
{
	enum err e;

	if (f->placed)
		return ERR_OK;
	e = store_disk_place(f->store, f->id, f->data, why);
	f->placed = e == ERR_OK;
	return e;
}

void resumable_commit_end(struct resumable_commit *f)
{
	(void)checkpoint_remove(f->store, f->id);
	resumable_commit_leave(f);
}

void resumable_commit_leave(struct resumable_commit *f)
{
	if (f == NULL)
		return;
	if (f->data >= 0)
		(void)close(f->data);
	if (f->mark_file >= 0)
		(void)close(f->mark_file);
	free(f);
}
