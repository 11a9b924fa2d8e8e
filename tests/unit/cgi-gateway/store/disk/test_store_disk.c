#include "cgi-gateway/store/disk/store_disk.h"
#include "tests/unit/cgi-gateway/folder.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define ID "0190b3a2-0000-7000-8000-0000000000ab"
#define OTHER_ID "0190b3a2-0000-7000-8000-0000000000ac"

enum { LARGE = STORE_DISK_WRITEBACK + 3 * STORE_DISK_GATHER + 5 };

static char dir[FOLDER_PATH_MAX];
static struct store *store;
static struct errmsg why;
static char *large; /* LARGE bytes, no two neighbouring blocks alike */

/* --- the calls that can fail, under our control
 * ---------------------------------- */

/* The linker gives store_disk these for the system's (--wrap, see Makefile) */
ssize_t __real_write(int fd, const void *p, size_t n);
int __real_fsync(int fd);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
ssize_t __wrap_write(int fd, const void *p, size_t n);
int __wrap_fsync(int fd);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
ssize_t __real_preadv2(int fd, const struct iovec *v, int n, off_t at, int how);
ssize_t __wrap_preadv2(int fd, const struct iovec *v, int n, off_t at, int how);
int __wrap_posix_fadvise(int fd, off_t at, off_t n, int advice);

enum { NEVER = -1 };

static int calls_left = NEVER; /* until one fails */
static int fail_with;	       /* its errno */
static int interrupted;	       /* so many writes are interrupted first */
static size_t write_max;       /* bytes that a write takes; 0: all */
static off_t in_memory;	       /* so many bytes of an object are */
static char calls[512];	       /* what was called, in words */
static bool unnoted;	       /* by many threads at once */

static void obey(void)
{
	calls_left = NEVER;
	fail_with = interrupted = 0;
	write_max = 0;
	in_memory = 0;
	unnoted = false;
	calls[0] = '\0';
}

static void note(const char *call)
{
	size_t n = unnoted ? 0 : strlen(calls);

	if (unnoted)
		return;
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
	note("write");
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
		note("fsync-file");
	else if (is_dir(&st, "incoming"))
		note("fsync-incoming");
	else if (is_dir(&st, "objects"))
		note("fsync-objects");
	else
		note(is_dir(&st, "new") ? "fsync-new" : "fsync-ab");
	return fails() ? -1 : __real_fsync(fd);
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	note("rename");
	return fails() ? -1 : __real_renameat(from_dir, from, to_dir, to);
}

ssize_t __wrap_preadv2(int fd, const struct iovec *v, int n, off_t at, int how)
{
	struct iovec less = v[0];

	assert_int_equal(n, 1);
	assert_int_equal(how, RWF_NOWAIT);
	if (at >= in_memory) {
		errno = EAGAIN;
		return -1;
	}
	if ((off_t)less.iov_len > in_memory - at)
		less.iov_len = (size_t)(in_memory - at);
	return __real_preadv2(fd, &less, 1, at, 0);
}

int __wrap_posix_fadvise(int fd, off_t at, off_t n, int advice)
{
	char text[64];

	(void)fd;
	(void)snprintf(text, sizeof(text), "%s %lld+%lld",
		       advice == POSIX_FADV_DONTNEED ? "forget" : "advise",
		       (long long)at, (long long)n);
	note(text);
	return 0;
}

/* --- the house
 * ------------------------------------------------------------------- */

static int make_large(void **state)
{
	uint64_t x = 88172645463325252ULL;

	(void)state;
	large = malloc(LARGE);
	if (large == NULL)
		return -1;
	for (size_t i = 0; i < LARGE; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		large[i] = (char)x;
	}
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
	obey();
	return 0;
}

static int close_store(void **state)
{
	(void)state;
	obey();
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

static struct store_writer *begun(const char *id)
{
	struct store_writer *w = NULL;

	assert_ok(store_writer_open(store, id, &w, &why));
	assert_non_null(w);
	return w;
}

static void put(const char *id, struct span bytes)
{
	struct store_writer *w = begun(id);

	assert_ok(store_writer_write(w, bytes, &why));
	assert_ok(store_writer_commit(w, &why));
}

/* The object is `want`, read in pieces of `piece` bytes */
static void assert_object(const char *id, struct span want, size_t piece)
{
	struct store_reader *r = NULL;
	int64_t size = -1;
	size_t got = 1, n = 0;
	char *to = malloc(piece);

	assert_non_null(to);
	assert_ok(store_reader_open(store, id, 0, &r, &size, &why));
	assert_int_equal(size, want.len);
	while (got > 0) {
		assert_ok(store_reader_read(r, to, piece, &got, &why));
		assert_true(got <= piece && n + got <= want.len);
		assert_memory_equal(to, want.p + n, got);
		n += got;
	}
	assert_int_equal(n, want.len);
	store_reader_close(r);
	free(to);
}

static void assert_no_object(const char *id)
{
	struct store_reader *r = NULL;
	char path[STORE_PATH_MAX];
	int64_t size = -7;

	assert_err(store_reader_open(store, id, 0, &r, &size, &why),
		   ERR_NOT_FOUND);
	assert_null(r);
	assert_int_equal(size, -7);
	assert_err(store_path(store, id, path), ERR_NOT_FOUND);
}

static size_t open_files(void)
{
	return folder_files("/proc/self/fd");
}

/* Root may do everything: then as someone else */
static void be_ordinary(void)
{
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
}

static void be_oneself(void)
{
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
}

/* --- begin, write, finish, abandon
 * -------------------------------------------------- */

static void an_object_is_visible_when_it_is_finished_and_only_then(void **state)
{
	struct store_writer *w = begun(ID);

	(void)state;
	assert_no_object(ID);
	assert_ok(store_writer_write(w, SPAN("hello"), &why));
	assert_no_object(ID);
	assert_int_equal(files_in("incoming"), 1);
	assert_int_equal(files_in("objects"), 0);
	assert_ok(store_writer_commit(w, &why));
	assert_object(ID, SPAN("hello"), 16);
	assert_int_equal(files_in("incoming"), 0);
	assert_int_equal(files_in("objects"), 1);
}

static void what_is_abandoned_leaves_nothing(void **state)
{
	struct store_writer *w = begun(ID);

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

static void an_object_may_have_no_bytes(void **state)
{
	(void)state;
	put(ID, (struct span) { NULL, 0 });
	assert_object(ID, (struct span) { NULL, 0 }, 1);
}

static void bytes_come_back_however_they_were_put_in(void **state)
{
	static const size_t sizes[] = {
		1021,
		8192,
		STORE_DISK_GATHER / 2 - 1,
		STORE_DISK_GATHER / 2,
		STORE_DISK_GATHER - 1,
		STORE_DISK_GATHER,
		STORE_DISK_GATHER + 1,
		LARGE,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct store_writer *w = begun(ID);
		struct span rest = { large, LARGE };

		while (rest.len > 0) {
			struct span piece = rest;

			if (piece.len > sizes[i])
				piece.len = sizes[i];
			assert_ok(store_writer_write(w, piece, &why));
			rest = span_from(rest, piece.len);
		}
		assert_ok(store_writer_commit(w, &why));
		assert_object(ID, (struct span) { large, LARGE }, 100000);
		assert_ok(store_remove(store, ID, &why));
	}
}

static void large_and_small_pieces_keep_their_order(void **state)
{
	static const size_t sizes[] = {
		5, STORE_DISK_GATHER,	  1,	 70000, 70000,
		3, 2 * STORE_DISK_GATHER, 65536, 2
	};
	struct store_writer *w = begun(ID);
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		assert_ok(store_writer_write(
			w, (struct span) { large + n, sizes[i] }, &why));
		n += sizes[i];
	}
	assert_ok(store_writer_commit(w, &why));
	assert_object(ID, (struct span) { large, n }, 4096);
}

static void small_pieces_are_gathered(void **state)
{
	struct store_writer *w = begun(ID);

	(void)state;
	for (size_t i = 0; i < STORE_DISK_GATHER / 8192 - 1; i++)
		assert_ok(store_writer_write(w, (struct span) { large, 8192 },
					     &why));
	assert_string_equal(calls, "");
	assert_ok(store_writer_write(w, (struct span) { large, 8192 }, &why));
	assert_string_equal(calls, "write");
	store_writer_abort(w);
}

static void two_writers_do_not_mix(void **state)
{
	struct store_writer *a = begun(ID), *b = begun(OTHER_ID);

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_ok(store_writer_write(a, SPAN("aaaa"), &why));
		assert_ok(store_writer_write(b, SPAN("bb"), &why));
	}
	assert_int_equal(files_in("incoming"), 2);
	assert_ok(store_writer_commit(b, &why));
	assert_no_object(ID);
	assert_ok(store_writer_commit(a, &why));
	memset(large, 'a', 400);
	assert_object(ID, (struct span) { large, 400 }, 64);
	memset(large, 'b', 200);
	assert_object(OTHER_ID, (struct span) { large, 200 }, 64);
}

/* --- peeking at what is not finished
 * ------------------------------------------------- */

static void assert_peek(struct store_writer *w, int64_t from, struct span want)
{
	char *to = malloc(want.len + 1);
	size_t got = 99, n = 0;

	assert_non_null(to);
	while (got > 0) {
		assert_ok(store_writer_read(w, from + (int64_t)n, to + n,
					    want.len + 1 - n, &got, &why));
		n += got;
		assert_true(n <= want.len);
	}
	assert_int_equal(n, want.len);
	assert_memory_equal(to, want.p, n);
	free(to);
}

static void what_is_being_written_can_be_read_and_goes_on(void **state)
{
	struct span all = { large, LARGE };
	struct span rest = span_from(all, 1000);
	struct store_writer *w = begun(ID);

	(void)state;
	assert_peek(w, 0, SPAN(""));
	assert_ok(store_writer_write(w, (struct span) { large, 1000 }, &why));
	assert_peek(w, 0, (struct span) { large, 1000 });
	assert_peek(w, 990, (struct span) { large + 990, 10 });
	assert_peek(w, 1000, SPAN(""));
	assert_peek(w, 5000, SPAN(""));
	assert_no_object(ID);
	assert_ok(store_writer_write(w, rest, &why));
	assert_peek(w, 0, all);
	assert_ok(store_writer_commit(w, &why));
	assert_object(ID, all, 100000);
}

static void peeking_at_bytes_that_cannot_be_written_fails(void **state)
{
	struct store_writer *w = begun(ID);
	size_t got = 99;
	char to[8];

	(void)state;
	assert_ok(store_writer_write(w, SPAN("hello"), &why));
	calls_left = 0;
	fail_with = ENOSPC;
	assert_err(store_writer_read(w, 0, to, sizeof(to), &got, &why),
		   ERR_FULL);
	assert_int_equal(got, 99);
	obey();
	store_writer_abort(w);
	assert_int_equal(folder_files(dir), 0);
}

static void an_id_is_begun_once(void **state)
{
	struct store_writer *w = begun(ID), *second = NULL;
	struct store *other = NULL;

	(void)state;
	assert_ok(store_disk_open(dir, &other, &why));
	assert_err(store_writer_open(store, ID, &second, &why), ERR_IO);
	assert_null(second);
	assert_contains(why.text, ID);
	/* the first holds it still */
	assert_true(store_is_locked(other, ID));
	store_close(other);
	assert_ok(store_writer_write(w, SPAN("first"), &why));
	assert_ok(store_writer_commit(w, &why));
	assert_object(ID, SPAN("first"), 16);
}

enum { THREADS = 4, EACH = 20 };

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

/* Answers NULL when all went well */
static void *put_many(void *thread)
{
	char id[UUID_LEN + 1], text[8];

	for (int i = 0; i < EACH; i++) {
		struct span bytes = numbered(*(char *)thread, i, id, text);
		struct store_writer *w = NULL;

		if (store_writer_open(store, id, &w, NULL) != ERR_OK)
			return thread;
		if (store_writer_write(w, bytes, NULL) != ERR_OK ||
		    store_writer_commit(w, NULL) != ERR_OK)
			return thread;
	}
	return NULL;
}

static void threads_may_write_into_the_same_new_folders(void **state)
{
	static char names[THREADS] = { 'a', 'b', 'c', 'd' };
	pthread_t threads[THREADS];
	char id[UUID_LEN + 1], text[8];

	(void)state;
	unnoted = true;
	for (size_t t = 0; t < THREADS; t++)
		assert_int_equal(
			pthread_create(&threads[t], NULL, put_many, &names[t]),
			0);
	for (size_t t = 0; t < THREADS; t++) {
		void *failed = names;

		assert_int_equal(pthread_join(threads[t], &failed), 0);
		assert_null(failed);
	}
	for (size_t t = 0; t < THREADS; t++)
		for (int i = 0; i < EACH; i++)
			assert_object(id, numbered(names[t], i, id, text), 64);
}

/* --- when it is safe
 * ------------------------------------------------------------- */

static void finishing_is_fsync_rename_fsync(void **state)
{
	(void)state;
	put(ID, SPAN("hello"));
	/* the first object of its directory makes that safe too */
	assert_string_equal(calls,
			    "write fsync-file fsync-objects rename fsync-ab "
			    "fsync-incoming");
	calls[0] = '\0';
	put("0190b3a2-0000-7000-8000-0000000001ab", SPAN("hello"));
	assert_string_equal(calls, "write fsync-file rename fsync-ab "
				   "fsync-incoming");
}

static void an_interrupted_or_short_write_goes_on(void **state)
{
	(void)state;
	write_max = 1000;
	interrupted = 3;
	put(ID, (struct span) { large, 200000 });
	assert_object(ID, (struct span) { large, 200000 }, 65536);
}

/* Put with the call number `n` failing; false when there was no such call */
static bool put_failing(int n, int errno_, enum err want)
{
	struct store_writer *w = begun(ID);
	enum err e;

	calls_left = n;
	fail_with = errno_;
	/* one piece that is written at once, one that is gathered */
	e = store_writer_write(w, (struct span) { large, STORE_DISK_GATHER },
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

static void a_failure_at_any_step_leaves_nothing_behind(void **state)
{
	static const struct {
		int number;
		enum err e;
	} errors[] = {
		{ ENOSPC, ERR_FULL },
		{ EDQUOT, ERR_FULL },
		{ EIO, ERR_IO },
		{ ENOENT, ERR_IO },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(errors); i++) {
		size_t files = open_files();
		int n = 0;

		while (put_failing(n, errors[i].number, errors[i].e)) {
			calls_left = NEVER;
			assert_no_object(ID);
			assert_int_equal(folder_files(dir), 0);
			assert_int_equal(open_files(), files);
			(void)rmdir(at("objects/ab"));
			n++;
		}
		/* two writes, fsync of the file and of objects/, rename, fsync
		 * of both folders */
		assert_int_equal(n, 7);
		calls_left = NEVER;
		assert_ok(store_remove(store, ID, &why));
		assert_int_equal(rmdir(at("objects/ab")), 0);
	}
}

static void a_disk_that_takes_no_more_bytes_is_noticed(void **state)
{
	struct rlimit before, small;
	struct store_writer *w = begun(ID);
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

/* --- holds
 * ----------------------------------------------------------------- */

static void an_object_is_held_from_its_beginning_until_it_is_let_go(
	void **state)
{
	struct store *other = NULL;
	struct store_writer *w;

	(void)state;
	assert_ok(store_disk_open(dir, &other, &why));
	assert_false(store_is_locked(other, ID));
	w = begun(ID);
	assert_true(store_is_locked(other, ID));
	assert_false(store_is_locked(other, OTHER_ID));
	assert_ok(store_writer_write(w, SPAN("x"), &why));
	assert_ok(store_writer_commit(w, &why));
	assert_true(store_is_locked(other, ID));
	store_unlock(store, OTHER_ID);
	assert_true(store_is_locked(other, ID));
	store_unlock(store, ID);
	assert_false(store_is_locked(other, ID));
	store_close(other);
}

static void what_is_abandoned_or_fails_is_let_go(void **state)
{
	struct store *other = NULL;
	struct store_writer *w = begun(ID), *second = NULL;

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
	/* one that cannot even be begun */
	assert_int_equal(rmdir(at("incoming")), 0);
	assert_err(store_writer_open(store, OTHER_ID, &second, &why), ERR_IO);
	assert_false(store_is_locked(other, OTHER_ID));
	store_close(other);
}

static void a_process_that_is_killed_holds_nothing(void **state)
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

		/* its own: a fork shares the locks of what it inherits */
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

static void holds_of_many_threads_do_not_mix(void **state)
{
	static char names[THREADS] = { 'a', 'b', 'c', 'd' };
	pthread_t threads[THREADS];
	struct store *other = NULL;
	char id[UUID_LEN + 1], text[8];

	(void)state;
	unnoted = true;
	assert_ok(store_disk_open(dir, &other, &why));
	for (size_t t = 0; t < THREADS; t++)
		assert_int_equal(
			pthread_create(&threads[t], NULL, put_many, &names[t]),
			0);
	for (size_t t = 0; t < THREADS; t++)
		assert_int_equal(pthread_join(threads[t], NULL), 0);
	for (size_t t = 0; t < THREADS; t++)
		for (int i = 0; i < EACH; i++) {
			(void)numbered(names[t], i, id, text);
			assert_true(store_is_locked(other, id));
			store_unlock(store, id);
			assert_false(store_is_locked(other, id));
		}
	store_close(other);
}

static void who_makes_the_holds_gives_them_to_the_folder_s_owner(void **state)
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

/* --- names and modes
 * -------------------------------------------------------------- */

static void objects_are_spread_by_the_last_two_digits(void **state)
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

static void a_path_is_absolute_wherever_the_folder_was_named_from(void **state)
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

static void only_owner_and_group_may_look(void **state)
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
	/* a folder that the store makes itself, with nothing masked */
	(void)snprintf(made, sizeof(made), "%s/made", dir);
	assert_ok(store_disk_open(made, &store, &why));
	put(ID, SPAN("x"));
	w = begun(OTHER_ID);
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

/* --- reading and removing
 * ------------------------------------------------------------ */

static void reading_may_start_anywhere(void **state)
{
	static const struct {
		int64_t from;
		const char *want;
	} cases[] = {
		{ 0, "0123456789" }, { 1, "123456789" }, { 9, "9" },
		{ 10, "" },	     { 11, "" },	 { 1 << 30, "" }
	};

	(void)state;
	put(ID, SPAN("0123456789"));
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct store_reader *r = NULL;
		int64_t size = 0;
		char text[32];
		size_t got;

		assert_ok(store_reader_open(store, ID, cases[i].from, &r, &size,
					    &why));
		assert_int_equal(size, 10);
		assert_ok(store_reader_read(r, text, sizeof(text), &got, &why));
		assert_span_str(((struct span) { text, got }), cases[i].want);
		store_reader_close(r);
	}
	store_reader_close(NULL);
}

static void who_passes_by_leaves_memory_as_it_was(void **state)
{
	struct store_reader *r = NULL;
	char to[200];
	int64_t size;
	size_t got = 1, n = 0;

	(void)state;
	put(ID, (struct span) { large, 450 });
	obey();
	in_memory = 250;
	assert_ok(store_reader_open(store, ID, 0, &r, &size, &why));
	store_reader_no_cache(r);
	while (got > 0) {
		assert_ok(store_reader_read(r, to, sizeof(to), &got, &why));
		assert_memory_equal(to, large + n, got);
		n += got;
	}
	store_reader_close(r);
	assert_int_equal(n, 450);
	/* what was in memory is not ours to forget */
	assert_string_equal(calls, "advise 0+0 forget 250+200");
}

static void what_is_removed_is_gone(void **state)
{
	(void)state;
	put(ID, SPAN("x"));
	assert_ok(store_remove(store, ID, &why));
	assert_no_object(ID);
	assert_int_equal(folder_files(dir), 0);
	assert_err(store_remove(store, ID, &why), ERR_NOT_FOUND);
	assert_err(store_remove(store, OTHER_ID, &why), ERR_NOT_FOUND);
}

static void a_reader_goes_on_when_its_object_is_removed(void **state)
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

static void a_symlink_is_no_object(void **state)
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

static void what_was_left_unfinished_can_be_removed(void **state)
{
	(void)state;
	/* as a process that was killed leaves it */
	(void)close(open(at("incoming/" ID), O_WRONLY | O_CREAT, 0640));
	put(OTHER_ID, SPAN("x"));
	assert_ok(store_remove_unfinished(store, ID, &why));
	assert_err(store_remove_unfinished(store, ID, &why), ERR_NOT_FOUND);
	assert_err(store_remove_unfinished(store, OTHER_ID, &why),
		   ERR_NOT_FOUND);
	assert_object(OTHER_ID, SPAN("x"), 4);
}

/* --- walking
 * ------------------------------------------------------------------------ */

struct walk {
	size_t count;
	char seen[12][128]; /* "finished ID SIZE", in no order */
	enum err answer;
	int64_t oldest;
};

static enum err see(void *arg, const struct store_item *item)
{
	static const char *const kinds[] = {
		[STORE_OBJECT] = "finished",
		[STORE_UNFINISHED] = "begun",
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
	return w->answer;
}

static bool has_seen(const struct walk *w, const char *what)
{
	for (size_t i = 0; i < w->count; i++)
		if (strcmp(w->seen[i], what) == 0)
			return true;
	return false;
}

static void a_walk_sees_all_that_is_there(void **state)
{
	struct walk all = { .oldest = INT64_MAX };
	int64_t now = (int64_t)time(NULL);
	struct store_writer *w = begun(OTHER_ID);

	(void)state;
	put(ID, SPAN("12345"));
	put("0190b3a2-0000-7000-8000-0000000000ff", SPAN(""));
	assert_ok(store_writer_write(
		w, (struct span) { large, STORE_DISK_GATHER }, &why));
	assert_ok(store_each(store, see, &all, &why));
	assert_int_equal(all.count, 3);
	assert_true(has_seen(&all, "finished " ID " 5"));
	assert_true(has_seen(
		&all, "finished 0190b3a2-0000-7000-8000-0000000000ff 0"));
	assert_true(has_seen(&all, "begun " OTHER_ID " 131072"));
	assert_true(all.oldest >= now - 2 && all.oldest <= now + 60);
	store_writer_abort(w);
}

static void a_walk_tells_what_is_not_ours(void **state)
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
	/* its last digits say that it would be looked for elsewhere */
	(void)close(open(at("objects/ab/" OTHER_ID), O_WRONLY | O_CREAT, 0640));
	/* an empty folder of ours is as it should be */
	assert_int_equal(mkdir(at("objects/00"), 0750), 0);
	assert_ok(store_each(store, see, &all, &why));
	assert_int_equal(all.count, 8);
	assert_true(has_seen(&all, "finished " ID " 5"));
	assert_true(has_seen(&all, "foreign incoming/folder 0"));
	assert_true(has_seen(&all, "foreign incoming/link 0"));
	assert_true(has_seen(&all, "foreign incoming/notes 0"));
	assert_true(has_seen(&all, "foreign objects/stray 0"));
	assert_true(has_seen(&all, "foreign objects/lost+found 0"));
	assert_true(has_seen(&all, "foreign objects/AB 0"));
	assert_true(has_seen(&all, "foreign objects/ab/" OTHER_ID " 0"));
}

static void a_walk_passes_over_what_cannot_be_read(void **state)
{
	struct walk all = { .oldest = INT64_MAX };

	(void)state;
	put(ID, SPAN("1"));
	put(OTHER_ID, SPAN("2"));
	assert_int_equal(unlink(at("objects/ab/" ID)), 0);
	assert_int_equal(rmdir(at("objects/ab")), 0);
	(void)close(open(at("objects/ab"), O_WRONLY | O_CREAT, 0640));
	assert_ok(store_each(store, see, &all, &why));
	assert_int_equal(all.count, 2);
	assert_true(has_seen(&all, "finished " OTHER_ID " 1"));
	assert_true(has_seen(&all, "unreadable objects/ab 0 Not a directory"));
}

static void a_folder_that_may_not_be_read_is_told(void **state)
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
	be_ordinary();
	e = store_each(store, see, &all, &why);
	be_oneself();
	assert_int_equal(chmod(at("objects/ab"), 0750), 0);
	assert_ok(e);
	assert_int_equal(all.count, 2);
	assert_true(has_seen(&all, "finished " OTHER_ID " 1"));
	assert_true(
		has_seen(&all, "unreadable objects/ab 0 Permission denied"));
}

static void a_walk_ends_when_it_is_told_to(void **state)
{
	struct walk w = { .answer = ERR_QUOTA };

	(void)state;
	put(ID, SPAN("1"));
	put(OTHER_ID, SPAN("2"));
	assert_err(store_each(store, see, &w, &why), ERR_QUOTA);
	assert_int_equal(w.count, 1);
}

static enum err remove_it(void *arg, const struct store_item *item)
{
	(void)arg;
	return item->kind == STORE_OBJECT
		       ? store_remove(store, item->id, &why)
		       : store_remove_unfinished(store, item->id, &why);
}

static void a_walk_may_remove_what_it_sees(void **state)
{
	size_t files = open_files();
	char id[UUID_LEN + 1], text[8];

	(void)state;
	for (int i = 0; i < 40; i++)
		put(id, numbered('a', i, id, text));
	(void)close(open(at("incoming/" ID), O_WRONLY | O_CREAT, 0640));
	assert_ok(store_each(store, remove_it, NULL, &why));
	assert_int_equal(folder_files(dir), 0);
	assert_int_equal(open_files(), files);
}

static void the_age_of_an_object_begins_when_it_is_finished(void **state)
{
	struct walk w = { .oldest = INT64_MAX };
	struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };

	(void)state;
	put(ID, SPAN("x"));
	/* a time that a copy or a restored backup kept tells nothing */
	assert_int_equal(utimensat(AT_FDCWD, at("objects/ab/" ID), old, 0), 0);
	assert_ok(store_each(store, see, &w, &why));
	assert_int_equal(w.count, 1);
	assert_true(w.oldest > 1000000000);
}

/* --- opening
 * ---------------------------------------------------------------------------
 */

static void a_store_is_found_again(void **state)
{
	(void)state;
	put(ID, SPAN("kept"));
	store_close(store);
	assert_ok(store_disk_open(dir, &store, &why));
	assert_object(ID, SPAN("kept"), 16);
	store_close(NULL);
}

static void new_folders_are_made_safe_once(void **state)
{
	struct store *s = NULL;

	(void)state;
	assert_ok(store_disk_open(at("new"), &s, &why));
	store_close(s);
	/* for incoming/ and for objects/ */
	assert_string_equal(calls, "fsync-new fsync-new");
	calls[0] = '\0';
	assert_ok(store_disk_open(at("new"), &s, &why));
	store_close(s);
	assert_string_equal(calls, "");
}

static void what_cannot_be_a_folder_is_refused(void **state)
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

static void a_place_inside_that_is_no_folder_is_refused(void **state)
{
	struct store *s = NULL;

	(void)state;
	assert_int_equal(mkdir(at("half"), 0750), 0);
	(void)close(open(at("half/objects"), O_WRONLY | O_CREAT, 0640));
	assert_err(store_disk_open(at("half"), &s, &why), ERR_CONFIG);
	assert_null(s);
}

static void a_folder_that_cannot_be_written_is_refused(void **state)
{
	struct store *s = NULL;
	enum err e;

	(void)state;
	assert_int_equal(mkdir(at("mine"), 0755), 0);
	assert_int_equal(mkdir(at("mine/incoming"), 0555), 0);
	assert_int_equal(mkdir(at("mine/objects"), 0555), 0);
	be_ordinary();
	e = store_disk_open(at("mine"), &s, &why);
	be_oneself();
	assert_err(e, ERR_CONFIG);
	assert_contains(why.text, strerror(EACCES));
	assert_null(s);
}

static void a_folder_that_became_read_only_is_our_failure(void **state)
{
	struct store_writer *w = NULL;
	struct errmsg ready_why;
	enum err ready, e;

	(void)state;
	assert_ok(store_ready(store, &why));
	assert_int_equal(chmod(at("incoming"), 0555), 0);
	be_ordinary();
	ready = store_ready(store, &ready_why);
	e = store_writer_open(store, ID, &w, &why);
	be_oneself();
	assert_int_equal(chmod(at("incoming"), 0750), 0);
	assert_err(ready, ERR_IO);
	assert_contains(ready_why.text, strerror(EACCES));
	assert_err(e, ERR_IO);
	assert_null(w);
}

static void a_folder_that_went_away_is_our_failure(void **state)
{
	struct store_writer *w = begun(ID), *second = NULL;

	(void)state;
	assert_ok(store_writer_write(w, SPAN("x"), &why));
	assert_int_equal(unlink(at("incoming/" ID)), 0);
	assert_int_equal(rmdir(at("incoming")), 0);
	/* not ERR_NOT_FOUND: nobody asked for an object */
	assert_err(store_writer_commit(w, &why), ERR_IO);
	assert_err(store_writer_open(store, ID, &second, &why), ERR_IO);
	assert_null(second);
	assert_no_object(ID);
}

#define STORE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, open_store, close_store)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(
			an_object_is_visible_when_it_is_finished_and_only_then),
		STORE_TEST(what_is_abandoned_leaves_nothing),
		STORE_TEST(an_object_may_have_no_bytes),
		STORE_TEST(bytes_come_back_however_they_were_put_in),
		STORE_TEST(large_and_small_pieces_keep_their_order),
		STORE_TEST(small_pieces_are_gathered),
		STORE_TEST(two_writers_do_not_mix),
		STORE_TEST(what_is_being_written_can_be_read_and_goes_on),
		STORE_TEST(peeking_at_bytes_that_cannot_be_written_fails),
		STORE_TEST(an_id_is_begun_once),
		STORE_TEST(threads_may_write_into_the_same_new_folders),
		STORE_TEST(finishing_is_fsync_rename_fsync),
		STORE_TEST(an_interrupted_or_short_write_goes_on),
		STORE_TEST(a_failure_at_any_step_leaves_nothing_behind),
		STORE_TEST(a_disk_that_takes_no_more_bytes_is_noticed),
		STORE_TEST(
			an_object_is_held_from_its_beginning_until_it_is_let_go),
		STORE_TEST(what_is_abandoned_or_fails_is_let_go),
		STORE_TEST(a_process_that_is_killed_holds_nothing),
		STORE_TEST(holds_of_many_threads_do_not_mix),
		STORE_TEST(
			who_makes_the_holds_gives_them_to_the_folder_s_owner),
		STORE_TEST(objects_are_spread_by_the_last_two_digits),
		STORE_TEST(
			a_path_is_absolute_wherever_the_folder_was_named_from),
		STORE_TEST(only_owner_and_group_may_look),
		STORE_TEST(reading_may_start_anywhere),
		STORE_TEST(who_passes_by_leaves_memory_as_it_was),
		STORE_TEST(what_is_removed_is_gone),
		STORE_TEST(a_reader_goes_on_when_its_object_is_removed),
		STORE_TEST(a_symlink_is_no_object),
		STORE_TEST(what_was_left_unfinished_can_be_removed),
		STORE_TEST(a_walk_sees_all_that_is_there),
		STORE_TEST(a_walk_tells_what_is_not_ours),
		STORE_TEST(a_walk_passes_over_what_cannot_be_read),
		STORE_TEST(a_folder_that_may_not_be_read_is_told),
		STORE_TEST(a_walk_ends_when_it_is_told_to),
		STORE_TEST(a_walk_may_remove_what_it_sees),
		STORE_TEST(the_age_of_an_object_begins_when_it_is_finished),
		STORE_TEST(a_store_is_found_again),
		STORE_TEST(new_folders_are_made_safe_once),
		STORE_TEST(what_cannot_be_a_folder_is_refused),
		STORE_TEST(a_place_inside_that_is_no_folder_is_refused),
		STORE_TEST(a_folder_that_cannot_be_written_is_refused),
		STORE_TEST(a_folder_that_became_read_only_is_our_failure),
		STORE_TEST(a_folder_that_went_away_is_our_failure),
	};

	return cmocka_run_group_tests(tests, make_large, free_large);
}
