#include "common/changes/changes_file.h"

#include "common/codec/encode.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "gatehouse-chg-1"

enum {
	PATH_MAX_HERE = 4096,
	ALL = 0, /* the counter of every key */
	/* A counter is the number of changes that have ended, above the number
	 * of those that have begun and not ended */
	WRITER_BITS = 24,
};

struct layout {
	char magic[sizeof(MAGIC)];
	unsigned char id[CHANGES_ID / 2];
	atomic_uint_fast64_t counters[CHANGES_COUNTERS];
};

struct changes_file {
	struct layout *map;
	char id[CHANGES_ID + 1];
};

static enum err failed(struct errmsg *why, const char *path, const char *what)
{
	return err_set(why, ERR_CONFIG, "CHANGES_DIR: %s: %s", path, what);
}

/* Make a complete file under another name, then give it the right one: a file
 * of that name is complete, and the first of two processes wins. */
static enum err make(const char *path, struct errmsg *why)
{
	char fresh[PATH_MAX_HERE];
	struct layout head = { .magic = MAGIC };
	int n = snprintf(fresh, sizeof(fresh), "%s.%ld", path, (long)getpid());
	int fd, wrong;

	if (n < 0 || (size_t)n >= sizeof(fresh))
		return failed(why, path, "the path is too long");
	(void)unlink(fresh); /* left by a process that was killed here */
	fd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		  0644);
	if (fd < 0)
		return failed(why, path, strerror(errno));
	randombytes_buf(head.id, sizeof(head.id));
	/* Allocated now: a write to a page without space on the disk would kill
	 * the process. The umask must not hide the file from the reader. */
	wrong = posix_fallocate(fd, 0, (off_t)sizeof(head));
	if (wrong == 0 &&
	    (pwrite(fd, &head, offsetof(struct layout, counters), 0) < 0 ||
	     fchmod(fd, 0644) != 0 ||
	     (link(fresh, path) != 0 && errno != EEXIST)))
		wrong = errno;
	(void)close(fd);
	(void)unlink(fresh);
	return wrong == 0 ? ERR_OK : failed(why, path, strerror(wrong));
}

static enum err check(int fd, bool writes, const char *path, struct errmsg *why)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return failed(why, path, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_size != (off_t)sizeof(struct layout))
		return failed(why, path,
			      "is not a file of this version; remove it while "
			      "no program runs");
	if (writes && geteuid() != 0 && st.st_uid != geteuid())
		return failed(why, path, "belongs to another user");
	return ERR_OK;
}

static enum err map_file(int fd, bool writes, const char *path,
			 struct changes_file **out, struct errmsg *why)
{
	struct changes_file *f = calloc(1, sizeof(*f));
	void *map;

	if (f == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	map = mmap(NULL, sizeof(struct layout),
		   writes ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd,
		   0);
	if (map == MAP_FAILED) {
		free(f);
		return failed(why, path, strerror(errno));
	}
	f->map = map;
	if (memcmp(f->map->magic, MAGIC, sizeof(MAGIC)) != 0) {
		changes_file_close(f);
		return failed(why, path, "is not a file of changes");
	}
	hex_encode((struct span) { (char *)f->map->id, sizeof(f->map->id) },
		   f->id, sizeof(f->id));
	*out = f;
	return ERR_OK;
}

enum err changes_file_open(const char *path, enum changes_access access,
			   struct changes_file **out, struct errmsg *why)
{
	bool writes = access != CHANGES_READ;
	int flags = (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW;
	int fd = open(path, flags);
	enum err e = ERR_OK;

	if (fd < 0 && errno == ENOENT) {
		if (access != CHANGES_CREATE)
			return ERR_NOT_FOUND;
		e = make(path, why);
		if (e != ERR_OK)
			return e;
		fd = open(path, flags);
	}
	if (fd < 0)
		return failed(why, path, strerror(errno));
	e = check(fd, writes, path, why);
	if (e == ERR_OK)
		e = map_file(fd, writes, path, out, why);
	(void)close(fd);
	return e;
}

void changes_file_close(struct changes_file *f)
{
	if (f == NULL)
		return;
	(void)munmap(f->map, sizeof(*f->map));
	free(f);
}

const char *changes_file_id(const struct changes_file *f)
{
	return f->id;
}

/* FNV-1a: the same in every program. Who chooses ids only slows themselves down
 * by choosing those of one counter. */
struct change_key change_key_of_text(struct span id)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < id.len; i++)
		h = (h ^ (unsigned char)id.p[i]) * 1099511628211u;
	return (struct change_key) { 1 + h % (CHANGES_COUNTERS - 1) };
}

struct change_key change_key_of_number(uint64_t id)
{
	return change_key_of_text(
		(struct span) { (const char *)&id, sizeof(id) });
}

struct change_key change_key_of_all(void)
{
	return (struct change_key) { ALL };
}

void changes_begin(struct changes_file *f, struct change_key key)
{
	if (f != NULL)
		(void)atomic_fetch_add(&f->map->counters[key.hash], 1);
}

void changes_end(struct changes_file *f, struct change_key key)
{
	if (f != NULL)
		(void)atomic_fetch_add(&f->map->counters[key.hash],
				       (UINT64_C(1) << WRITER_BITS) - 1);
}

static uint64_t read_counter(const struct changes_file *f, uint64_t at)
{
	return atomic_load(&f->map->counters[at]);
}

static bool is_changing(uint64_t counter)
{
	return (counter & ((UINT64_C(1) << WRITER_BITS) - 1)) != 0;
}

bool changes_note(const struct changes_file *f, struct change_key a,
		  struct change_key b, struct changes_note *out)
{
	*out = (struct changes_note) {
		.keys = { a, b },
		.seen = { read_counter(f, a.hash), read_counter(f, b.hash),
			  read_counter(f, ALL) },
	};
	return !is_changing(out->seen[0]) && !is_changing(out->seen[1]) &&
	       !is_changing(out->seen[2]);
}

bool changes_note_holds(const struct changes_file *f,
			const struct changes_note *n)
{
	return read_counter(f, n->keys[0].hash) == n->seen[0] &&
	       read_counter(f, n->keys[1].hash) == n->seen[1] &&
	       read_counter(f, ALL) == n->seen[2];
}
