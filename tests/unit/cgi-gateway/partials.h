/* partials.h - uploads on their way (partial.h) in a store of a test's own, and
 * the system calls beneath them, which fail when the test wants it. */
#ifndef PARTIALS_H
#define PARTIALS_H

#include "cgi-gateway/store/disk/store_disk_layout.h"
#include "cgi-gateway/store/resumable.h"
#include "tests/unit/cgi-gateway/folder.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define ID "0190b3a2-0000-7000-8000-0000000000ab"
#define OTHER_ID "0190b3a2-0000-7000-8000-0000000000ac"

enum { LARGE = 3 * RESUMABLE_GATHER + 5 };

static char dir[FOLDER_PATH_MAX];
static struct store *store;
static struct errmsg why;
static char large[LARGE]; /* no two neighbouring blocks alike */

/* --- the calls that can fail ---------------------------------------------- */

/* The linker gives the store these for the system's (--wrap, see Makefile) */
ssize_t __real_pwrite(int fd, const void *p, size_t n, off_t at);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_ftruncate(int fd, off_t size);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_ftruncate(int fd, off_t size);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);

enum { NEVER = -1 };

static int calls_left = NEVER; /* until one fails, and all after it do */
static int fail_with;	       /* their errno; 0: the process is killed */
static size_t write_max;       /* bytes that a write takes; 0: all */
static bool has_failed;	       /* one did */
static atomic_int safe_calls;  /* fsync and fdatasync so far */

static void obey(void)
{
	calls_left = NEVER;
	fail_with = 0;
	write_max = 0;
	has_failed = false;
	safe_calls = 0;
}

static inline _Noreturn void be_killed(void)
{
	(void)kill(getpid(), SIGKILL);
	for (;;)
		(void)pause();
}

static bool fails(void)
{
	if (calls_left == NEVER)
		return false;
	if (calls_left > 0) {
		calls_left--;
		return false;
	}
	if (fail_with == 0)
		be_killed();
	errno = fail_with;
	has_failed = true;
	return true;
}

ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at)
{
	if (fails())
		return -1;
	/* A mark goes whole */
	if (write_max > 0 && n > write_max && n > 4096)
		n = write_max;
	return __real_pwrite(fd, p, n, at);
}

int __wrap_fsync(int fd)
{
	safe_calls++;
	return fails() ? -1 : __real_fsync(fd);
}

int __wrap_fdatasync(int fd)
{
	safe_calls++;
	return fails() ? -1 : __real_fdatasync(fd);
}

int __wrap_ftruncate(int fd, off_t size)
{
	return fails() ? -1 : __real_ftruncate(fd, size);
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return fails() ? -1 : __real_renameat(from_dir, from, to_dir, to);
}

/* --- the house ------------------------------------------------------------ */

static int open_store(void **state)
{
	uint64_t x = 88172645463325252ULL;

	(void)state;
	for (size_t i = 0; i < LARGE; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		large[i] = (char)x;
	}
	folder_make(dir);
	obey();
	if (store_disk_open(dir, &store, &why) != ERR_OK)
		return -1;
	why.text[0] = '\0';
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

#define STORE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, open_store, close_store)

/* DIR/`name`; valid until the call after the next */
static inline const char *at(const char *name)
{
	static char paths[2][FOLDER_PATH_MAX + 128];
	static int which;
	char *path = paths[which ^= 1];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static inline size_t open_files(void)
{
	return folder_files("/proc/self/fd");
}

/* The machine has started anew since */
static inline void reboot(void)
{
	store->boot[0] = store->boot[0] == '0' ? '1' : '0';
}

static inline void create(const char *id)
{
	assert_ok(resumable_create(store, id, &why));
}

static inline int64_t offset_of(const char *id)
{
	int64_t offset = -1, written_at = -1;

	assert_ok(resumable_offset(store, id, &offset, &written_at, &why));
	return offset;
}

static inline struct resumable *opened(const char *id, int64_t from,
				       bool tentative)
{
	struct resumable *p = NULL;
	int64_t found = from;

	assert_ok(resumable_open(store, id, &found, tentative, &p, &why));
	assert_non_null(p);
	assert_int_equal(found, from);
	assert_int_equal(resumable_at(p), from);
	return p;
}

static inline struct span large_from(int64_t from, int64_t to)
{
	return (struct span) { large + from, (size_t)(to - from) };
}

/* Its bytes from..to are those of `large` then, kept */
static inline void append(const char *id, int64_t from, int64_t to)
{
	struct resumable *p = opened(id, from, false);

	assert_ok(resumable_write(p, large_from(from, to), &why));
	assert_ok(resumable_sync(p, &why));
	resumable_close(p);
}

static inline void assert_file(const char *name, struct span want)
{
	FILE *f = fopen(at(name), "rb");
	char *got = malloc(want.len + 1);
	size_t n;

	assert_non_null(got);
	assert_non_null(f);
	n = fread(got, 1, want.len + 1, f);
	(void)fclose(f);
	assert_int_equal(n, want.len);
	assert_memory_equal(got, want.p, want.len);
	free(got);
}

/* Run `play` in a process that is killed by it, or ends by its return */
static inline int in_a_process(int (*play)(void))
{
	pid_t child = fork();
	int status = -1;

	if (child == 0)
		_exit(play());
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static inline void assert_killed(int status)
{
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

#endif
