#include "cgi-gateway/store/disk/disk_layout.h"
#include "cgi-gateway/store/disk/disk_method.h"
#include "cgi-gateway/store/resumable.h"
#include "tests/unit/cgi-gateway/folder.h"
#include "tests/unit/cgi-gateway/store/store_objects.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

enum { LARGE = STORE_DISK_WRITEBACK + 3 * STORE_DISK_BUFFER + 5 };

static char dir[FOLDER_PATH_MAX];
static char *large; /* LARGE bytes, no two neighbouring blocks alike */

/* --- system calls that fail on request ------------------------------------ */

/* The linker redirects the calls of store_disk to these (see Makefile) */
ssize_t __real_write(int fd, const void *p, size_t n);
int __real_fsync(int fd);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
ssize_t __wrap_write(int fd, const void *p, size_t n);
int __wrap_fsync(int fd);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __real_linkat(int from_dir, const char *from, int to_dir, const char *to,
		  int flags);
int __wrap_linkat(int from_dir, const char *from, int to_dir, const char *to,
		  int flags);
ssize_t __real_preadv2(int fd, const struct iovec *v, int n, off_t at, int how);
ssize_t __wrap_preadv2(int fd, const struct iovec *v, int n, off_t at, int how);
int __wrap_posix_fadvise(int fd, off_t at, off_t n, int advice);

enum { NEVER = -1 };

static int calls_left = NEVER; /* before one fails */
static int fail_with;	       /* its errno */
static int interrupted;	       /* number of writes that fail with EINTR first */
static size_t write_max;       /* bytes of a write at most; 0: no limit */
static off_t cached;	       /* bytes of an object in the page cache */
static char calls[512];	       /* names of the calls so far */

static void reset_calls(void)
{
	calls_left = NEVER;
	fail_with = interrupted = 0;
	write_max = 0;
	cached = 0;
	calls[0] = '\0';
}

static void record(const char *call)
{
	size_t n = strlen(calls);

	(void)snprintf(calls + n, sizeof(calls) - n, "%s%s", n > 0 ? " " : "",
		       call);
}

static bool fails(void)
{
	if (calls_left == NEVER || calls_left-- > 0)
		return false;
	errno = fail_with;
	return true;
}

ssize_t __wrap_write(int fd, const void *p, size_t n)
{
	record("write");
	if (fails())
		return -1;
	if (interrupted > 0) {
		interrupted--;
		errno = EINTR;
		return -1;
	}
	return __real_write(fd, p,
			    write_max > 0 && n > write_max ? write_max : n);
}

static bool is_dir(const struct stat *st, const char *name)
{
	char path[FOLDER_PATH_MAX + 16];
	struct stat other;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return stat(path, &other) == 0 && other.st_ino == st->st_ino;
}

int __wrap_fsync(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	if (!S_ISDIR(st.st_mode))
		record("fsync-file");
	else if (is_dir(&st, "incoming"))
		record("fsync-incoming");
	else if (is_dir(&st, "objects"))
		record("fsync-objects");
	else
		record(is_dir(&st, "new") ? "fsync-new" : "fsync-ab");
	return fails() ? -1 : __real_fsync(fd);
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	record("rename");
	return fails() ? -1 : __real_renameat(from_dir, from, to_dir, to);
}

int __wrap_linkat(int from_dir, const char *from, int to_dir, const char *to,
		  int flags)
{
	record("link");
	return fails() ? -1 : __real_linkat(from_dir, from, to_dir, to, flags);
}

ssize_t __wrap_preadv2(int fd, const struct iovec *v, int n, off_t at, int how)
{
	struct iovec less = v[0];

	assert_int_equal(n, 1);
	assert_int_equal(how, RWF_NOWAIT);
	if (at >= cached) {
		errno = EAGAIN;
		return -1;
	}
	if ((off_t)less.iov_len > cached - at)
		less.iov_len = (size_t)(cached - at);
	return __real_preadv2(fd, &less, 1, at, 0);
}

int __wrap_posix_fadvise(int fd, off_t at, off_t n, int advice)
{
	char text[64];

	(void)fd;
	(void)snprintf(text, sizeof(text), "%s %lld+%lld",
		       advice == POSIX_FADV_DONTNEED ? "dontneed" : "random",
		       (long long)at, (long long)n);
	record(text);
	return 0;
}

/* --- a store for each test ------------------------------------------------ */

static int make_large(void **state)
{
	(void)state;
	large = malloc(LARGE);
	if (large == NULL)
		return -1;
	fill(large, LARGE);
	return 0;
}

static int free_large(void **state)
{
	(void)state;
	free(large);
	return 0;
}

static int open_store(void **state)
{
	(void)state;
	folder_make(dir);
	if (store_disk_open(dir, &store, &why) != ERR_OK)
		return -1;
	why.text[0] = '\0';
	reset_calls();
	return 0;
}

static int close_store(void **state)
{
	(void)state;
	reset_calls();
	store_close(store);
	store = NULL;
	folder_remove(dir);
	return 0;
}

/* DIR/`name`; valid until the next call */
static const char *at(const char *name)
{
	static char path[FOLDER_PATH_MAX + 128];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static size_t files_in(const char *name)
{
	return folder_files(at(name));
}

static size_t open_files(void)
{
	return folder_files("/proc/self/fd");
}

/* Store small objects in the same way on every file system */
static void choose(enum disk_method method)
{
	atomic_store(&disk_of(store)->method, (int)method);
}

/* Permissions do not apply to root, so become another user */
static void drop_root(void)
{
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
}

static void regain_root(void)
{
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
}

/* --- writing -------------------------------------------------------------- */

static void a_large_object_is_in_incoming_until_its_commit(void **state)
{
	struct store_writer *w = opened_writer(ID);
	struct span all = { large, LARGE };

	(void)state;
	assert_no_object(ID);
	assert_ok(store_writer_write(w, all, &why));
	assert_no_object(ID);
	assert_int_equal(files_in("incoming"), 1);
	assert_int_equal(files_in("objects"), 0);
	assert_ok(store_writer_commit(w, &why));
	assert_object(ID, all, 65536);
	assert_int_equal(files_in("incoming"), 0);
	assert_int_equal(files_in("objects"), 1);
}

static void a_small_object_has_no_file_before_its_commit(void **state)
{
	static const enum disk_method methods[] = { DISK_LINK,
						    DISK_LINK_AND_SYNC,
						    DISK_RENAME };
	struct span all = { large, 10240 };

	(void)state;
	for (size_t i = 0; i < COUNT(methods); i++) {
		struct store_writer *w = opened_writer(ID);

		choose(methods[i]);
		assert_ok(store_writer_write(w, span_from(all, 1), &why));
		assert_int_equal(folder_files(dir), 0);
		assert_ok(store_writer_write(w, (struct span) { large, 1 },
					     &why));
		assert_ok(store_writer_commit(w, &why));
		assert_int_equal(files_in("incoming"), 0);
		assert_int_equal(files_in("objects"), 1);
		assert_ok(store_remove(store, ID, &why));
	}
}

static void an_id_has_one_small_object(void **state)
{
	struct store_writer *w = NULL;
	struct store *other = NULL;

	(void)state;
	choose(DISK_LINK);
	put(ID, SPAN("first"));
	w = opened_writer(ID);
	assert_ok(store_writer_write(w, SPAN("second"), &why));
	assert_err(store_writer_commit(w, &why), ERR_IO);
	assert_contains(why.text, ID);
	/* the first object keeps its lock and its bytes */
	assert_ok(store_disk_open(dir, &other, &why));
	assert_true(store_is_locked(other, ID));
	assert_object(ID, SPAN("first"), 16);
	store_close(other);
}

static void an_aborted_writer_leaves_no_file(void **state)
{
	struct store_writer *w = opened_writer(ID);

	(void)state;
	assert_ok(store_writer_write(w, (struct span) { large, LARGE }, &why));
	store_writer_abort(w);
	assert_no_object(ID);
	assert_int_equal(folder_files(dir), 0);
	store_writer_abort(NULL);
	/* and the id may be used again */
	put(ID, SPAN("again"));
	assert_object(ID, SPAN("again"), 16);
}

static void small_pieces_are_written_together(void **state)
{
	struct store_writer *w = opened_writer(ID);

	(void)state;
	for (size_t i = 0; i < STORE_DISK_BUFFER / 8192 - 1; i++)
		assert_ok(store_writer_write(w, (struct span) { large, 8192 },
					     &why));
	assert_string_equal(calls, "");
	assert_ok(store_writer_write(w, (struct span) { large, 8192 }, &why));
	assert_string_equal(calls, "write");
	store_writer_abort(w);
}

static void reading_back_fails_if_the_bytes_cannot_be_written(void **state)
{
	struct store_writer *w = opened_writer(ID);
	size_t got = 99;
	char to[8];

	(void)state;
	assert_ok(store_writer_write(
		w, (struct span) { large, STORE_DISK_BUFFER }, &why));
	assert_ok(store_writer_write(w, SPAN("hello"), &why));
	calls_left = 0;
	fail_with = ENOSPC;
	assert_err(store_writer_read(w, 0, to, sizeof(to), &got, &why),
		   ERR_FULL);
	assert_int_equal(got, 99);
	reset_calls();
	store_writer_abort(w);
	assert_int_equal(folder_files(dir), 0);
}

/* The id and the bytes of the object number `i` of a thread */
static struct span numbered(char thread, int i, char id[static UUID_LEN + 1],
			    char text[static 8])
{
	(void)snprintf(id, UUID_LEN + 1,
		       "0190b3a2-%c000-7000-8000-0000000000%02x", thread,
		       (unsigned char)i);
	(void)snprintf(text, 8, "%c %u", thread, (unsigned char)i);
	return span_of(text);
}

/* --- durability ----------------------------------------------------------- */

static void a_large_object_is_fsynced_renamed_fsynced(void **state)
{
	struct span all = { large, STORE_DISK_BUFFER };

	(void)state;
	choose(DISK_LINK);
	put(ID, all);
	assert_string_equal(calls, "write fsync-file rename fsync-ab "
				   "fsync-incoming");
	/* the first object of a missing directory also makes that durable */
	assert_ok(store_remove(store, ID, &why));
	assert_int_equal(rmdir(at("objects/ab")), 0);
	calls[0] = '\0';
	put(ID, all);
	assert_string_equal(calls,
			    "write fsync-file fsync-objects rename fsync-ab "
			    "fsync-incoming");
}

static void a_small_object_is_flushed_as_its_file_system_needs(void **state)
{
	static const struct {
		enum disk_method method;
		const char *calls, *in_new_directory;
	} wanted[] = {
		{ DISK_LINK, "write link fsync-file",
		  "fsync-objects write link fsync-file" },
		{ DISK_LINK_AND_SYNC,
		  "write link fsync-file fsync-ab fsync-objects",
		  "fsync-objects write link fsync-file fsync-ab "
		  "fsync-objects" },
		{ DISK_RENAME,
		  "write fsync-file rename fsync-ab fsync-incoming "
		  "fsync-objects",
		  "write fsync-file fsync-objects rename fsync-ab "
		  "fsync-incoming fsync-objects" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wanted); i++) {
		choose(wanted[i].method);
		reset_calls();
		put(ID, SPAN("hello"));
		assert_string_equal(calls, wanted[i].calls);
		assert_ok(store_remove(store, ID, &why));
		assert_int_equal(rmdir(at("objects/ab")), 0);
		reset_calls();
		put(ID, SPAN("hello"));
		assert_string_equal(calls, wanted[i].in_new_directory);
		assert_ok(store_remove(store, ID, &why));
	}
}

static void a_file_system_without_unnamed_files_is_noticed(void **state)
{
	static const int refusals[] = { EOPNOTSUPP, EPERM, EXDEV, ENOENT };

	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		struct store_writer *w = opened_writer(ID);

		choose(DISK_LINK);
		assert_ok(store_writer_write(w, SPAN("hello"), &why));
		calls_left = 1; /* the link, after the write */
		fail_with = refusals[i];
		assert_ok(store_writer_commit(w, &why));
		reset_calls();
		assert_object(ID, SPAN("hello"), 16);
		assert_string_equal(store_method(store),
				    "rename, fsync of the directories");
		assert_ok(store_remove(store, ID, &why));
		assert_int_equal(folder_files(dir), 0);
	}
}

static void an_interrupted_or_short_write_is_continued(void **state)
{
	(void)state;
	write_max = 1000;
	interrupted = 3;
	put(ID, (struct span) { large, 200000 });
	assert_object(ID, (struct span) { large, 200000 }, 65536);
}

/* Put while the call number `n` fails; false if there were fewer calls */
static bool put_failing(int n, int errno_, enum err want)
{
	struct store_writer *w = opened_writer(ID);
	enum err e;

	calls_left = n;
	fail_with = errno_;
	/* one piece that is written at once, one that is buffered */
	e = store_writer_write(w, (struct span) { large, STORE_DISK_BUFFER },
			       &why);
	if (e == ERR_OK)
		e = store_writer_write(w, SPAN("the end"), &why);
	if (e == ERR_OK)
		e = store_writer_commit(w, &why);
	else
		store_writer_abort(w);
	if (calls_left >= 0) {
		assert_ok(e);
		return false;
	}
	assert_err(e, want);
	assert_contains(why.text, strerror(errno_));
	return true;
}

static const struct {
	int number;
	enum err e;
} errors[] = {
	{ ENOSPC, ERR_FULL },
	{ EDQUOT, ERR_FULL },
	{ EIO, ERR_IO },
};

/* The object is put in a directory that is missing at first */
static void assert_steps_can_fail(bool (*put_failing_)(int, int, enum err),
				  int steps)
{
	(void)rmdir(at("objects/ab"));
	for (size_t i = 0; i < COUNT(errors); i++) {
		size_t files = open_files();
		int n = 0;

		while (put_failing_(n, errors[i].number, errors[i].e)) {
			calls_left = NEVER;
			assert_no_object(ID);
			assert_int_equal(folder_files(dir), 0);
			assert_int_equal(open_files(), files);
			(void)rmdir(at("objects/ab"));
			n++;
		}
		assert_int_equal(n, steps);
		calls_left = NEVER;
		assert_ok(store_remove(store, ID, &why));
		assert_int_equal(rmdir(at("objects/ab")), 0);
	}
}

static void a_failure_at_any_step_leaves_nothing_behind(void **state)
{
	(void)state;
	choose(DISK_LINK);
	/* two writes, fsync of the file and of objects/, rename, fsync of both
	 * folders */
	assert_steps_can_fail(put_failing, 7);
}

/* The same for a small object */
static bool put_small_failing(int n, int errno_, enum err want)
{
	struct store_writer *w = opened_writer(ID);
	enum err e;

	assert_ok(store_writer_write(w, SPAN("hello"), &why));
	calls_left = n;
	fail_with = errno_;
	e = store_writer_commit(w, &why);
	if (calls_left >= 0) {
		assert_ok(e);
		return false;
	}
	assert_err(e, want);
	assert_contains(why.text, strerror(errno_));
	return true;
}

static void a_failure_at_any_step_of_a_small_object_leaves_nothing_behind(
	void **state)
{
	(void)state;
	/* fsync of objects/, write, link, fsync of the file */
	choose(DISK_LINK);
	assert_steps_can_fail(put_small_failing, 4);
	/* and of the directory, and of objects/ again */
	choose(DISK_LINK_AND_SYNC);
	assert_steps_can_fail(put_small_failing, 6);
	/* write, fsync of the file and of objects/, rename, fsync of all three
	 */
	choose(DISK_RENAME);
	assert_steps_can_fail(put_small_failing, 7);
}

static void a_file_size_limit_fails_the_write(void **state)
{
	struct rlimit before, small;
	struct store_writer *w = opened_writer(ID);
	enum err e;

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 300000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	e = store_writer_write(w, (struct span) { large, LARGE }, &why);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_err(e, ERR_IO);
	store_writer_abort(w);
	assert_int_equal(folder_files(dir), 0);
}

/* --- locks ---------------------------------------------------------------- */

static void a_failed_writer_unlocks_its_id(void **state)
{
	struct store *other = NULL;
	struct store_writer *w = opened_writer(ID), *second = NULL;

	(void)state;
	assert_ok(store_disk_open(dir, &other, &why));
	store_writer_abort(w);
	assert_false(store_is_locked(other, ID));
	for (int n = 0; put_failing(n, EIO, ERR_IO); n++) {
		calls_left = NEVER;
		assert_false(store_is_locked(other, ID));
		(void)rmdir(at("objects/ab"));
	}
	calls_left = NEVER;
	store_unlock(store, ID);
	/* a writer that has no place for its bytes */
	assert_int_equal(rmdir(at("incoming")), 0);
	second = opened_writer(OTHER_ID);
	assert_err(store_writer_write(second, (struct span) { large, LARGE },
				      &why),
		   ERR_IO);
	store_writer_abort(second);
	assert_false(store_is_locked(other, OTHER_ID));
	store_close(other);
}

static void a_killed_process_has_no_locks(void **state)
{
	struct store *other = NULL;
	int pipe_[2], status = 0;
	char ready;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(pipe_), 0);
	child = fork();
	if (child == 0) {
		struct store_writer *w = NULL;

		/* another store, because a fork shares inherited locks */
		if (store_disk_open(dir, &other, NULL) == ERR_OK &&
		    store_writer_open(other, ID, &w, NULL) == ERR_OK)
			(void)!write(pipe_[1], "x", 1);
		for (;;)
			(void)pause();
	}
	assert_true(child > 0);
	assert_int_equal(read(pipe_[0], &ready, 1), 1);
	assert_true(store_is_locked(store, ID));
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_false(store_is_locked(store, ID));
	(void)close(pipe_[0]);
	(void)close(pipe_[1]);
}

static void the_holds_file_belongs_to_the_directory_s_owner(void **state)
{
	struct stat folder, file;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir(at("theirs"), 0750), 0);
	assert_int_equal(chown(at("theirs"), 65534, 65534), 0);
	store_close(store);
	assert_ok(store_disk_open(at("theirs"), &store, &why));
	assert_int_equal(stat(at("theirs"), &folder), 0);
	assert_int_equal(stat(at("theirs/holds"), &file), 0);
	assert_int_equal(file.st_uid, folder.st_uid);
	assert_int_equal(file.st_gid, folder.st_gid);
	assert_int_equal(file.st_mode & 07777, 0640);
}

/* --- names and modes ------------------------------------------------------ */

static void objects_are_spread_by_the_last_two_digits_of_their_id(void **state)
{
	char path[STORE_PATH_MAX];

	(void)state;
	put(ID, SPAN("x"));
	put("0190b3a2-0000-7000-8000-000000000000", SPAN("y"));
	assert_ok(store_path(store, ID, path));
	assert_string_equal(path, at("objects/ab/" ID));
	assert_int_equal(access(path, R_OK), 0);
	assert_ok(store_path(store, "0190b3a2-0000-7000-8000-000000000000",
			     path));
	assert_contains(path, "/objects/00/");
	assert_err(store_path(store, OTHER_ID, path), ERR_NOT_FOUND);
}

static void a_path_is_absolute_if_DATA_DIR_is_relative(void **state)
{
	char path[STORE_PATH_MAX], old[FOLDER_PATH_MAX];
	struct store *s = NULL;

	(void)state;
	put(ID, SPAN("x"));
	assert_non_null(getcwd(old, sizeof(old)));
	assert_int_equal(chdir(dir), 0);
	assert_ok(store_disk_open(".", &s, &why));
	assert_int_equal(chdir(old), 0);
	assert_ok(store_path(s, ID, path));
	assert_string_equal(path, at("objects/ab/" ID));
	store_close(s);
}

static void files_and_directories_are_closed_to_others(void **state)
{
	static const struct {
		const char *name;
		mode_t mode;
	} wanted[] = {
		{ "incoming", 0750 },		{ "objects", 0750 },
		{ "objects/ab", 0750 },		{ "objects/ab/" ID, 0640 },
		{ "incoming/" OTHER_ID, 0640 },
	};
	mode_t before = umask(0);
	char made[FOLDER_PATH_MAX + 8];
	struct store *outer = store;
	struct store_writer *w;
	struct stat st;

	(void)state;
	/* a directory that the store makes itself, with no umask */
	(void)snprintf(made, sizeof(made), "%s/made", dir);
	assert_ok(store_disk_open(made, &store, &why));
	put(ID, SPAN("x"));
	w = opened_writer(OTHER_ID);
	assert_ok(store_writer_write(w, (struct span) { large, LARGE }, &why));
	(void)umask(before);
	assert_int_equal(stat(made, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	for (size_t i = 0; i < COUNT(wanted); i++) {
		char path[FOLDER_PATH_MAX + 128];

		(void)snprintf(path, sizeof(path), "%s/%s", made,
			       wanted[i].name);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, wanted[i].mode);
	}
	store_writer_abort(w);
	store_close(store);
	store = outer;
}

/* --- reading and removing ------------------------------------------------- */

static void a_reader_without_cache_drops_only_what_it_read_from_disk(
	void **state)
{
	struct store_reader *r = NULL;
	char to[200];
	int64_t size;
	size_t got = 1, n = 0;

	(void)state;
	put(ID, (struct span) { large, 450 });
	reset_calls();
	cached = 250;
	assert_ok(store_reader_open(store, ID, 0, &r, &size, &why));
	store_reader_no_cache(r);
	while (got > 0) {
		assert_ok(store_reader_read(r, to, sizeof(to), &got, &why));
		assert_memory_equal(to, large + n, got);
		n += got;
	}
	store_reader_close(r);
	assert_int_equal(n, 450);
	/* what was cached before stays cached */
	assert_string_equal(calls, "random 0+0 dontneed 250+200");
}

static void a_removed_object_leaves_no_file(void **state)
{
	(void)state;
	put(ID, SPAN("x"));
	assert_ok(store_remove(store, ID, &why));
	assert_no_object(ID);
	assert_int_equal(folder_files(dir), 0);
	assert_err(store_remove(store, ID, &why), ERR_NOT_FOUND);
	assert_err(store_remove(store, OTHER_ID, &why), ERR_NOT_FOUND);
}

static void a_reader_continues_after_its_object_is_removed(void **state)
{
	struct store_reader *r = NULL;
	int64_t size = 0;
	char text[8];
	size_t got;

	(void)state;
	put(ID, SPAN("still"));
	assert_ok(store_reader_open(store, ID, 0, &r, &size, &why));
	assert_ok(store_remove(store, ID, &why));
	assert_ok(store_reader_read(r, text, sizeof(text), &got, &why));
	assert_span(((struct span) { text, got }), "still");
	store_reader_close(r);
}

static void a_symlink_is_not_an_object(void **state)
{
	struct store_reader *r = NULL;
	int64_t size;

	(void)state;
	put(ID, SPAN("x"));
	assert_int_equal(symlink("/etc/passwd", at("objects/ab/0190b3a2-0000-"
						   "7000-8000-0000000001ab")),
			 0);
	assert_err(store_reader_open(store,
				     "0190b3a2-0000-7000-8000-0000000001ab", 0,
				     &r, &size, &why),
		   ERR_IO);
}

static void a_file_that_a_killed_process_left_can_be_removed(void **state)
{
	(void)state;
	/* as a killed process leaves it */
	(void)close(open(at("incoming/" ID), O_WRONLY | O_CREAT, 0640));
	put(OTHER_ID, SPAN("x"));
	assert_ok(resumable_remove(store, ID, &why));
	assert_err(resumable_remove(store, ID, &why), ERR_NOT_FOUND);
	assert_err(resumable_remove(store, OTHER_ID, &why), ERR_NOT_FOUND);
	assert_object(OTHER_ID, SPAN("x"), 4);
}

/* --- walking -------------------------------------------------------------- */

struct walk {
	size_t count;
	char seen[12][128]; /* "object ID SIZE", in no order */
	int64_t oldest;
};

static enum err see(void *arg, const struct store_item *item)
{
	static const char *const kinds[] = {
		[STORE_OBJECT] = "object",
		[STORE_UNFINISHED] = "unfinished",
		[STORE_FOREIGN] = "foreign",
		[STORE_UNREADABLE] = "unreadable",
	};
	struct walk *w = arg;

	assert_true(w->count < COUNT(w->seen));
	(void)snprintf(w->seen[w->count++], sizeof(w->seen[0]),
		       "%s %s %lld%s%s", kinds[item->kind], item->id,
		       (long long)item->size,
		       item->kind == STORE_UNREADABLE ? " " : "",
		       item->kind == STORE_UNREADABLE ? item->why : "");
	if (item->kind <= STORE_UNFINISHED && item->changed_at < w->oldest)
		w->oldest = item->changed_at;
	return ERR_OK;
}

static bool has_seen(const struct walk *w, const char *what)
{
	for (size_t i = 0; i < w->count; i++)
		if (strcmp(w->seen[i], what) == 0)
			return true;
	return false;
}

static void a_walk_reports_foreign_files_and_directories(void **state)
{
	struct walk all = { .oldest = INT64_MAX };

	(void)state;
	put(ID, SPAN("12345"));
	assert_int_equal(mkdir(at("incoming/folder"), 0700), 0);
	assert_int_equal(symlink("nowhere", at("incoming/link")), 0);
	(void)close(open(at("incoming/notes"), O_WRONLY | O_CREAT, 0640));
	(void)close(open(at("objects/stray"), O_WRONLY | O_CREAT, 0640));
	assert_int_equal(mkdir(at("objects/lost+found"), 0700), 0);
	assert_int_equal(mkdir(at("objects/AB"), 0700), 0);
	/* an object whose last digits belong to another directory */
	(void)close(open(at("objects/ab/" OTHER_ID), O_WRONLY | O_CREAT, 0640));
	/* an empty directory of ours is not foreign: there are 255 */
	assert_ok(store_walk(store, see, &all, &why));
	assert_int_equal(all.count, 8);
	assert_true(has_seen(&all, "object " ID " 5"));
	assert_true(has_seen(&all, "foreign incoming/folder 0"));
	assert_true(has_seen(&all, "foreign incoming/link 0"));
	assert_true(has_seen(&all, "foreign incoming/notes 0"));
	assert_true(has_seen(&all, "foreign objects/stray 0"));
	assert_true(has_seen(&all, "foreign objects/lost+found 0"));
	assert_true(has_seen(&all, "foreign objects/AB 0"));
	assert_true(has_seen(&all, "foreign objects/ab/" OTHER_ID " 0"));
}

static void a_walk_continues_after_what_cannot_be_read(void **state)
{
	struct walk all = { .oldest = INT64_MAX };

	(void)state;
	put(ID, SPAN("1"));
	put(OTHER_ID, SPAN("2"));
	assert_int_equal(unlink(at("objects/ab/" ID)), 0);
	assert_int_equal(rmdir(at("objects/ab")), 0);
	(void)close(open(at("objects/ab"), O_WRONLY | O_CREAT, 0640));
	assert_ok(store_walk(store, see, &all, &why));
	assert_int_equal(all.count, 2);
	assert_true(has_seen(&all, "object " OTHER_ID " 1"));
	assert_true(has_seen(&all, "unreadable objects/ab 0 Not a directory"));
}

static void a_walk_reports_a_directory_without_permission(void **state)
{
	struct walk all = { .oldest = INT64_MAX };
	enum err e;

	(void)state;
	put(ID, SPAN("1"));
	put(OTHER_ID, SPAN("2"));
	assert_int_equal(chmod(at("objects"), 0755), 0);
	assert_int_equal(chmod(at("incoming"), 0755), 0);
	assert_int_equal(chmod(at("objects/ac"), 0755), 0);
	assert_int_equal(chmod(at("objects/ab"), 0300), 0);
	drop_root();
	e = store_walk(store, see, &all, &why);
	regain_root();
	assert_int_equal(chmod(at("objects/ab"), 0750), 0);
	assert_ok(e);
	assert_int_equal(all.count, 2);
	assert_true(has_seen(&all, "object " OTHER_ID " 1"));
	assert_true(
		has_seen(&all, "unreadable objects/ab 0 Permission denied"));
}

static enum err remove_it(void *arg, const struct store_item *item)
{
	(void)arg;
	return item->kind == STORE_OBJECT
		       ? store_remove(store, item->id, &why)
		       : resumable_remove(store, item->id, &why);
}

static void a_walk_may_remove_what_it_reports_and_closes_its_files(void **state)
{
	size_t files = open_files();
	char id[UUID_LEN + 1], text[8];

	(void)state;
	for (int i = 0; i < 40; i++)
		put(id, numbered('a', i, id, text));
	(void)close(open(at("incoming/" ID), O_WRONLY | O_CREAT, 0640));
	assert_ok(store_walk(store, remove_it, NULL, &why));
	assert_int_equal(folder_files(dir), 0);
	assert_int_equal(open_files(), files);
}

static void an_object_s_age_begins_at_its_commit(void **state)
{
	struct walk w = { .oldest = INT64_MAX };
	struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };

	(void)state;
	put(ID, SPAN("x"));
	/* the mtime that a restored backup keeps does not matter */
	assert_int_equal(utimensat(AT_FDCWD, at("objects/ab/" ID), old, 0), 0);
	assert_ok(store_walk(store, see, &w, &why));
	assert_int_equal(w.count, 1);
	assert_true(w.oldest > 1000000000);
}

/* --- opening -------------------------------------------------------------- */

static void new_directories_are_synced_once(void **state)
{
	struct store *s = NULL;

	(void)state;
	/* the last fsync is that of new/objects */
	assert_ok(store_disk_open(at("new"), &s, &why));
	store_close(s);
	assert_string_equal(calls, "fsync-new fsync-new fsync-ab");
	calls[0] = '\0';
	assert_ok(store_disk_open(at("new"), &s, &why));
	store_close(s);
	assert_string_equal(calls, "");
}

static void the_directories_of_all_objects_are_made_by_their_owner(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(at("objects"), &st), 0);
	assert_int_equal(st.st_nlink, 2 + 256);
	assert_int_equal(stat(at("objects/5c"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	if (geteuid() != 0)
		return;
	/* not by root, whose directories the owner could not write to */
	assert_int_equal(mkdir(at("theirs"), 0750), 0);
	assert_int_equal(mkdir(at("theirs/objects"), 0750), 0);
	assert_int_equal(chown(at("theirs/objects"), 65534, 65534), 0);
	store_close(store);
	assert_ok(store_disk_open(at("theirs"), &store, &why));
	assert_int_equal(stat(at("theirs/objects"), &st), 0);
	assert_int_equal(st.st_nlink, 2);
}

static void DATA_DIR_that_is_not_a_directory_is_a_configuration_error(
	void **state)
{
	struct store *s = NULL;
	size_t files = open_files();

	(void)state;
	(void)close(open(at("a-file"), O_WRONLY | O_CREAT, 0640));
	assert_err(store_disk_open(at("a-file"), &s, &why), ERR_CONFIG);
	assert_contains(why.text, "DATA_DIR");
	assert_contains(why.text, "a-file");
	assert_err(store_disk_open(at("not/there"), &s, &why), ERR_CONFIG);
	assert_contains(why.text, strerror(ENOENT));
	assert_err(store_disk_open("", &s, &why), ERR_CONFIG);
	assert_null(s);
	assert_int_equal(open_files(), files);
}

/* Make a directory below `dir` whose path has `len` bytes */
static void make_deep(size_t len, char path[static STORE_PATH_MAX])
{
	size_t n = (size_t)snprintf(path, STORE_PATH_MAX, "%s", dir);

	while (n < len) {
		size_t step = len - n > 202 ? 200 : len - n;

		path[n] = '/';
		memset(path + n + 1, 'd', step - 1);
		n += step;
		path[n] = '\0';
		assert_int_equal(mkdir(path, 0750), 0);
	}
}

static void the_longest_DATA_DIR_has_paths_of_4095_bytes(void **state)
{
	char deep[STORE_PATH_MAX], path[STORE_PATH_MAX];

	(void)state;
	make_deep(4047, deep);
	store_close(store);
	assert_ok(store_disk_check(deep, &why));
	assert_ok(store_disk_open(deep, &store, &why));
	put(ID, SPAN("x"));
	assert_ok(store_path(store, ID, path));
	assert_int_equal(strlen(path), 4095);
	assert_int_equal(access(path, R_OK), 0);
}

static void DATA_DIR_that_is_too_long_is_refused_with_the_reason(void **state)
{
	char deep[STORE_PATH_MAX];
	struct store *s = NULL;
	size_t files = open_files();

	(void)state;
	make_deep(4048, deep);
	errno = 0;
	assert_err(store_disk_open(deep, &s, &why), ERR_CONFIG);
	assert_contains(why.text, "DATA_DIR: cannot use /");
	assert_contains(why.text, "4048 bytes; at most 4047");
	why.text[0] = '\0';
	assert_err(store_disk_check(deep, &why), ERR_CONFIG);
	assert_contains(why.text, "4048 bytes; at most 4047");
	assert_null(s);
	assert_int_equal(open_files(), files);
}

static void a_long_DATA_DIR_does_not_hide_the_reason(void **state)
{
	char deep[STORE_PATH_MAX], missing[STORE_PATH_MAX + 16];
	struct store *s = NULL;

	(void)state;
	make_deep(600, deep);
	(void)snprintf(missing, sizeof(missing), "%s/not/there", deep);
	assert_err(store_disk_open(missing, &s, &why), ERR_CONFIG);
	assert_contains(why.text, dir);
	assert_contains(why.text, strerror(ENOENT));
	(void)snprintf(missing, sizeof(missing), "%s/a-file", deep);
	(void)close(open(missing, O_WRONLY | O_CREAT, 0640));
	assert_err(store_disk_open(missing, &s, &why), ERR_CONFIG);
	assert_contains(why.text, strerror(ENOTDIR));
	(void)snprintf(missing, sizeof(missing), "%s/a-file/below", deep);
	assert_err(store_disk_check(missing, &why), ERR_CONFIG);
	assert_contains(why.text, strerror(ENOTDIR));
	assert_null(s);
}

static void DATA_DIR_with_a_file_named_objects_is_a_configuration_error(
	void **state)
{
	struct store *s = NULL;

	(void)state;
	assert_int_equal(mkdir(at("half"), 0750), 0);
	(void)close(open(at("half/objects"), O_WRONLY | O_CREAT, 0640));
	assert_err(store_disk_open(at("half"), &s, &why), ERR_CONFIG);
	assert_null(s);
}

static void DATA_DIR_without_write_permission_is_a_configuration_error(
	void **state)
{
	struct store *s = NULL;
	enum err e;

	(void)state;
	assert_int_equal(mkdir(at("mine"), 0755), 0);
	assert_int_equal(mkdir(at("mine/incoming"), 0555), 0);
	assert_int_equal(mkdir(at("mine/objects"), 0555), 0);
	drop_root();
	e = store_disk_open(at("mine"), &s, &why);
	regain_root();
	assert_err(e, ERR_CONFIG);
	assert_contains(why.text, strerror(EACCES));
	assert_null(s);
}

static void a_directory_that_becomes_read_only_is_an_io_error(void **state)
{
	struct store_writer *w = NULL;
	struct errmsg ready_why;
	enum err ready, e;

	(void)state;
	assert_ok(store_ready(store, &why));
	assert_int_equal(chmod(at("incoming"), 0555), 0);
	drop_root();
	ready = store_ready(store, &ready_why);
	w = opened_writer(ID);
	e = store_writer_write(w, (struct span) { large, LARGE }, &why);
	store_writer_abort(w);
	regain_root();
	assert_int_equal(chmod(at("incoming"), 0750), 0);
	assert_err(ready, ERR_IO);
	assert_contains(ready_why.text, strerror(EACCES));
	assert_err(e, ERR_IO);
}

static void a_directory_that_vanished_is_an_io_error(void **state)
{
	struct span all = { large, LARGE };
	struct store_writer *w = opened_writer(ID), *second = NULL;

	(void)state;
	assert_ok(store_writer_write(w, all, &why));
	assert_int_equal(unlink(at("incoming/" ID)), 0);
	assert_int_equal(rmdir(at("incoming")), 0);
	/* not ERR_NOT_FOUND, which means a missing object */
	assert_err(store_writer_commit(w, &why), ERR_IO);
	second = opened_writer(ID);
	assert_err(store_writer_write(second, all, &why), ERR_IO);
	store_writer_abort(second);
	assert_no_object(ID);
}

#define STORE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, open_store, close_store)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_large_object_is_in_incoming_until_its_commit),
		STORE_TEST(a_small_object_has_no_file_before_its_commit),
		STORE_TEST(an_id_has_one_small_object),
		STORE_TEST(an_aborted_writer_leaves_no_file),
		STORE_TEST(small_pieces_are_written_together),
		STORE_TEST(reading_back_fails_if_the_bytes_cannot_be_written),
		STORE_TEST(a_large_object_is_fsynced_renamed_fsynced),
		STORE_TEST(a_small_object_is_flushed_as_its_file_system_needs),
		STORE_TEST(a_file_system_without_unnamed_files_is_noticed),
		STORE_TEST(an_interrupted_or_short_write_is_continued),
		STORE_TEST(a_failure_at_any_step_leaves_nothing_behind),
		STORE_TEST(
			a_failure_at_any_step_of_a_small_object_leaves_nothing_behind),
		STORE_TEST(a_file_size_limit_fails_the_write),
		STORE_TEST(a_failed_writer_unlocks_its_id),
		STORE_TEST(a_killed_process_has_no_locks),
		STORE_TEST(the_holds_file_belongs_to_the_directory_s_owner),
		STORE_TEST(
			objects_are_spread_by_the_last_two_digits_of_their_id),
		STORE_TEST(a_path_is_absolute_if_DATA_DIR_is_relative),
		STORE_TEST(files_and_directories_are_closed_to_others),
		STORE_TEST(
			a_reader_without_cache_drops_only_what_it_read_from_disk),
		STORE_TEST(a_removed_object_leaves_no_file),
		STORE_TEST(a_reader_continues_after_its_object_is_removed),
		STORE_TEST(a_symlink_is_not_an_object),
		STORE_TEST(a_file_that_a_killed_process_left_can_be_removed),
		STORE_TEST(a_walk_reports_foreign_files_and_directories),
		STORE_TEST(a_walk_continues_after_what_cannot_be_read),
		STORE_TEST(a_walk_reports_a_directory_without_permission),
		STORE_TEST(
			a_walk_may_remove_what_it_reports_and_closes_its_files),
		STORE_TEST(an_object_s_age_begins_at_its_commit),
		STORE_TEST(new_directories_are_synced_once),
		STORE_TEST(
			the_directories_of_all_objects_are_made_by_their_owner),
		STORE_TEST(
			DATA_DIR_that_is_not_a_directory_is_a_configuration_error),
		STORE_TEST(the_longest_DATA_DIR_has_paths_of_4095_bytes),
		STORE_TEST(
			DATA_DIR_that_is_too_long_is_refused_with_the_reason),
		STORE_TEST(a_long_DATA_DIR_does_not_hide_the_reason),
		STORE_TEST(
			DATA_DIR_with_a_file_named_objects_is_a_configuration_error),
		STORE_TEST(
			DATA_DIR_without_write_permission_is_a_configuration_error),
		STORE_TEST(a_directory_that_becomes_read_only_is_an_io_error),
		STORE_TEST(a_directory_that_vanished_is_an_io_error),
	};

	return cmocka_run_group_tests(tests, make_large, free_large);
}
