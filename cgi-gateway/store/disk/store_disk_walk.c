#include "cgi-gateway/store/disk/store_disk_layout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PLACE_MAX = 512 }; /* bytes of "objects/<aa>/<name>" and its NUL */

/* A directory that is being read, and to whom what is in it is told */
struct walk {
	store_each_fn *each;
	void *arg;
	const char *where; /* "incoming", "objects/ab" */
	enum store_kind kind;
};

/* What is not ours, or cannot be looked at, goes by its place */
static enum err tell(const struct walk *w, enum store_kind kind,
		     const char *name, int why)
{
	char place[PLACE_MAX], text[128];
	const char *reason = ""; /* strerror_r(3) is the GNU one here */

	(void)snprintf(place, sizeof(place), "%s%s%s", w->where,
		       name[0] != '\0' ? "/" : "", name);
	if (kind == STORE_UNREADABLE)
		reason = strerror_r(why, text, sizeof(text));
	return w->each(w->arg, &(struct store_item) { .kind = kind,
						      .id = place,
						      .why = reason });
}

/* Where it lies is where it would be looked for */
static bool is_placed(const struct walk *w, const char *name)
{
	char object[STORE_DISK_NAME];

	if (!ident_is_uuid(span_of(name)))
		return false;
	store_disk_name(name, object);
	return w->kind != STORE_OBJECT ||
	       strncmp(w->where + sizeof("objects/") - 1, object, 2) == 0;
}

/* Whether `name` is the mark of a resumable upload, and of which */
static bool is_mark(const struct walk *w, const char *name,
		    char id[static UUID_LEN + 1])
{
	struct span s = span_of(name);

	if (w->kind != STORE_UNFINISHED ||
	    !span_has_suffix(s, SPAN(CHECKPOINT_SUFFIX)))
		return false;
	s.len -= sizeof(CHECKPOINT_SUFFIX) - 1;
	return ident_is_uuid(s) && span_to_cstr(s, id, UUID_LEN + 1);
}

static enum err see_file(const struct walk *w, int dir, const char *name)
{
	struct store_item item = { .kind = w->kind, .id = name };
	char id[UUID_LEN + 1];
	struct stat st;
	bool mark;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		/* What vanished meanwhile was removed or finished: no matter */
		return errno == ENOENT ? ERR_OK
				       : tell(w, STORE_UNREADABLE, name, errno);
	mark = is_mark(w, name, id);
	if (!S_ISREG(st.st_mode) || !(mark || is_placed(w, name)))
		return tell(w, STORE_FOREIGN, name, 0);
	/* A mark goes with its bytes, and is an item where these are gone */
	if (mark && faccessat(dir, id, F_OK, 0) == 0)
		return ERR_OK;
	if (mark)
		item.id = id;
	item.size = mark ? 0 : st.st_size;
	/* a rename changes ctime, and with it the time of finishing */
	item.changed_at = st.st_ctime;
	return w->each(w->arg, &item);
}

typedef enum err see_fn(const struct walk *w, int dir, const char *name);

/* `see` for each entry of the directory `fd`, which is taken over; -1 with
 * errno where it could not be opened */
static enum err read_dir(const struct walk *w, int fd, see_fn *see)
{
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	enum err e = ERR_OK;

	if (d == NULL) {
		e = tell(w, STORE_UNREADABLE, "", errno);
		if (fd >= 0)
			(void)close(fd);
		return e;
	}
	while (e == ERR_OK) {
		errno = 0;
		entry = readdir(d);
		if (entry == NULL) {
			if (errno != 0)
				e = tell(w, STORE_UNREADABLE, "", errno);
			break;
		}
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			e = see(w, dirfd(d), entry->d_name);
	}
	(void)closedir(d);
	return e;
}

static int open_dir(int parent, const char *name)
{
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* An entry of objects/: one of the directories that we make there */
static enum err see_fan(const struct walk *w, int dir, const char *name)
{
	static const char hex[] = "0123456789abcdef";
	char where[sizeof("objects/") + 2];
	struct walk below = { w->each, w->arg, where, STORE_OBJECT };

	if (strlen(name) != 2 || strspn(name, hex) != 2)
		return tell(w, STORE_FOREIGN, name, 0);
	(void)snprintf(where, sizeof(where), "objects/%.2s", name);
	return read_dir(&below, open_dir(dir, name), see_file);
}

enum err store_each(struct store *s, store_each_fn *each, void *arg,
		    struct errmsg *why)
{
	const struct walk incoming = { each, arg, "incoming",
				       STORE_UNFINISHED };
	const struct walk objects = { each, arg, "objects", STORE_OBJECT };
	enum err e = read_dir(&incoming, open_dir(s->incoming, "."), see_file);

	(void)why; /* what this store cannot read is told item by item */
	if (e == ERR_OK)
		e = read_dir(&objects, open_dir(s->objects, "."), see_fan);
	return e;
}
