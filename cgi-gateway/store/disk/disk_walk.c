#include "cgi-gateway/store/disk/disk_layout.h"
#include "cgi-gateway/store/disk/disk_ops.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PLACE_MAX = 512 }; /* bytes of "objects/<aa>/<name>" and its NUL */

/* A directory that is being read */
struct walk {
	store_walk_fn *each;
	void *arg;
	const char *where; /* "incoming", "objects/ab" */
	enum store_kind kind;
};

/* Report an item without an id by its place */
static enum err report_place(const struct walk *w, enum store_kind kind,
			     const char *name, int why)
{
	char place[PLACE_MAX], text[128];
	const char *reason = "";

	(void)snprintf(place, sizeof(place), "%s%s%s", w->where,
		       name[0] != '\0' ? "/" : "", name);
	if (kind == STORE_UNREADABLE)
		/* The GNU version, which returns the text */
		reason = strerror_r(why, text, sizeof(text));
	return w->each(w->arg, &(struct store_item) { .kind = kind,
						      .id = place,
						      .why = reason });
}

/* Whether this is the right place for an object of this name */
static bool is_placed(const struct walk *w, const char *name)
{
	char object[DISK_NAME];

	if (!ident_is_uuid(span_of(name)))
		return false;
	disk_name(name, object);
	return w->kind != STORE_OBJECT ||
	       strncmp(w->where + sizeof("objects/") - 1, object, 2) == 0;
}

/* Whether `name` is a checkpoint; `id` is then that of its upload */
static bool is_checkpoint(const struct walk *w, const char *name,
			  char id[static UUID_LEN + 1])
{
	struct span s = span_of(name);

	if (w->kind != STORE_UNFINISHED ||
	    !span_has_suffix(s, SPAN(CHECKPOINT_SUFFIX)))
		return false;
	s.len -= sizeof(CHECKPOINT_SUFFIX) - 1;
	return ident_is_uuid(s) && span_to_cstr(s, id, UUID_LEN + 1);
}

static enum err visit_file(const struct walk *w, int dir, const char *name)
{
	struct store_item item = { .kind = w->kind, .id = name };
	char id[UUID_LEN + 1];
	struct stat st;
	bool checkpoint;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		/* Removed or committed since the directory was read */
		return errno == ENOENT
			       ? ERR_OK
			       : report_place(w, STORE_UNREADABLE, name, errno);
	checkpoint = is_checkpoint(w, name, id);
	if (!S_ISREG(st.st_mode) || !(checkpoint || is_placed(w, name)))
		return report_place(w, STORE_FOREIGN, name, 0);
	/* A checkpoint is an item only when its upload is missing */
	if (checkpoint && faccessat(dir, id, F_OK, 0) == 0)
		return ERR_OK;
	if (checkpoint)
		item.id = id;
	item.size = checkpoint ? 0 : st.st_size;
	/* rename(2) sets ctime, so this is when an object was finished */
	item.changed_at = st.st_ctime;
	return w->each(w->arg, &item);
}

typedef enum err visit_fn(const struct walk *w, int dir, const char *name);

/* Call `visit` for each entry of the directory `fd`, and close it. `fd` is -1,
 * with errno, if it could not be opened. */
static enum err read_dir(const struct walk *w, int fd, visit_fn *visit)
{
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	enum err e = ERR_OK;

	if (d == NULL) {
		e = report_place(w, STORE_UNREADABLE, "", errno);
		if (fd >= 0)
			(void)close(fd);
		return e;
	}
	while (e == ERR_OK) {
		errno = 0;
		entry = readdir(d);
		if (entry == NULL) {
			if (errno != 0)
				e = report_place(w, STORE_UNREADABLE, "",
						 errno);
			break;
		}
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			e = visit(w, dirfd(d), entry->d_name);
	}
	(void)closedir(d);
	return e;
}

static int open_dir(int parent, const char *name)
{
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Visit an entry of objects/: one of the directories that disk_place() makes */
static enum err visit_fan(const struct walk *w, int dir, const char *name)
{
	static const char hex[] = "0123456789abcdef";
	char where[sizeof("objects/") + 2];
	struct walk below = { w->each, w->arg, where, STORE_OBJECT };

	if (strlen(name) != 2 || strspn(name, hex) != 2)
		return report_place(w, STORE_FOREIGN, name, 0);
	(void)snprintf(where, sizeof(where), "objects/%.2s", name);
	return read_dir(&below, open_dir(dir, name), visit_file);
}

enum err disk_walk(struct store *s_, store_walk_fn *each, void *arg,
		   struct errmsg *why)
{
	struct disk_store *s = disk_of(s_);
	const struct walk incoming = { each, arg, "incoming",
				       STORE_UNFINISHED };
	const struct walk objects = { each, arg, "objects", STORE_OBJECT };
	enum err e =
		read_dir(&incoming, open_dir(s->incoming, "."), visit_file);

	(void)why; /* what cannot be read is reported as an item */
	if (e == ERR_OK)
		e = read_dir(&objects, open_dir(s->objects, "."), visit_fan);
	return e;
}
