#include "partial_finish.h"

#include "partial_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct finish {
	struct store *store;
	char id[UUID_LEN + 1];
	int data, mark_file;
	bool placed; /* the bytes are in objects/ */
};

/* In incoming/, or in objects/ if somebody got that far before us */
static enum err open_data(struct finish *f, int64_t *size, struct errmsg *m)
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
		return store_disk_absent(m, "open", f->id);
	*size = st.st_size;
	return ERR_OK;
}

/* What lies in its place was made safe before it came there, whatever the mark
 * says after a loss of power */
static int64_t count(const struct finish *f, const struct partial_mark *mark,
		     int64_t size)
{
	return f->placed ? size : partial_mark_offset(f->store, mark, size);
}

/* From now on nobody writes it, and nobody becomes its writer */
static enum err close_to_writers(struct finish *f, int64_t length,
				 unsigned char sha256[static SHA256_LEN],
				 struct errmsg *m)
{
	struct partial_mark mark;
	struct sha256 hash;
	int64_t size = 0;
	struct stat st;
	enum err e = ERR_OK;

	/* Whoever finished it while we waited has removed the name */
	if (fstat(f->mark_file, &st) != 0 || st.st_nlink == 0)
		return ERR_NOT_FOUND;
	e = partial_mark_read(f->mark_file, &mark, m);
	if (e == ERR_OK)
		e = open_data(f, &size, m);
	if (e != ERR_OK)
		return e;
	if (count(f, &mark, size) != length)
		return ERR_CONFLICT;
	e = partial_mark_catch_up(&mark, f->data, length, m);
	if (e != ERR_OK)
		return e;
	mark.writer = PARTIAL_NOBODY;
	mark.tail_counts = true;
	hash = mark.hash;
	sha256_end(&hash, sha256);
	return partial_mark_write(f->store, f->mark_file, &mark, m);
}

enum err finish_begin(struct store *s, const char *id, int64_t length,
		      struct finish **out,
		      unsigned char sha256[static SHA256_LEN], struct errmsg *m)
{
	struct finish *f = malloc(sizeof(*f));
	enum err e;

	if (f == NULL)
		return err_set(m, ERR_MEMORY, "out of memory");
	*f = (struct finish) { .store = s, .data = -1, .mark_file = -1 };
	(void)snprintf(f->id, sizeof(f->id), "%s", id);
	e = partial_mark_open(s, id, &f->mark_file, m);
	if (e == ERR_OK)
		e = partial_lock(f->mark_file, PARTIAL_FINISHING, m);
	if (e == ERR_OK)
		e = partial_lock(f->mark_file, PARTIAL_WRITING, m);
	if (e == ERR_OK)
		e = close_to_writers(f, length, sha256, m);
	if (e != ERR_OK) {
		finish_leave(f);
		return e;
	}
	partial_unlock(f->mark_file, PARTIAL_WRITING);
	*out = f;
	return ERR_OK;
}

enum err finish_read(struct finish *f, int64_t from, char *to, size_t cap,
		     size_t *got, struct errmsg *m)
{
	return store_disk_read(f->data, f->id, from, to, cap, got, m);
}

enum err finish_place(struct finish *f, struct errmsg *m)
{
	enum err e;

	if (f->placed)
		return ERR_OK;
	e = store_disk_place(f->store, f->id, f->data, m);
	f->placed = e == ERR_OK;
	return e;
}

void finish_end(struct finish *f)
{
	(void)partial_mark_remove(f->store, f->id);
	finish_leave(f);
}

void finish_leave(struct finish *f)
{
	if (f == NULL)
		return;
	if (f->data >= 0)
		(void)close(f->data);
	if (f->mark_file >= 0)
		(void)close(f->mark_file);
	free(f);
}
