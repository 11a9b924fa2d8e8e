/* failing_disk.h - a store_disk of a test's own, and the system calls beneath
 * it, which fail or kill the process when the test asks for it. */
#ifndef FAILING_DISK_H
#define FAILING_DISK_H

#include "cgi-gateway/store/disk/disk_layout.h"
#include "tests/unit/cgi-gateway/folder.h"
#include "tests/unit/cgi-gateway/store/resumable_objects.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

static char dir[FOLDER_PATH_MAX];

/* --- the calls that can fail ---------------------------------------------- */

/* The linker redirects the calls of the store to these (see Makefile) */
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

static int calls_left = NEVER; /* before one fails, and all after it */
static int fail_with;	       /* their errno; 0: the process is killed */
static size_t write_max;       /* bytes of a write at most; 0: no limit */
static bool has_failed;	       /* a call has failed */
static atomic_int sync_calls;  /* fsync and fdatasync so far */

static void reset_calls(void)
{
	calls_left = NEVER;
	fail_with = 0;
	write_max = 0;
	has_failed = false;
	sync_calls = 0;
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
	/* A checkpoint is written whole */
	if (write_max > 0 && n > write_max && n > 4096)
		n = write_max;
	return __real_pwrite(fd, p, n, at);
}

int __wrap_fsync(int fd)
{
	sync_calls++;
	return fails() ? -1 : __real_fsync(fd);
}

int __wrap_fdatasync(int fd)
{
	sync_calls++;
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

/* --- a store for each test ------------------------------------------------ */

static int open_store(void **state)
{
	(void)state;
	fill(large, LARGE);
	folder_make(dir);
	reset_calls();
	if (store_disk_open(dir, &store, &why) != ERR_OK)
		return -1;
	why.text[0] = '\0';
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

/* As if the machine had lost power and started again */
static inline void reboot(void)
{
	char *first = &disk_of(store)->boot[0];

	*first = *first == '0' ? '1' : '0';
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

/* Run `run` in a process, which it kills or which exits with its result */
static inline int in_a_process(int (*run)(void))
{
	pid_t child = fork();
	int status = -1;

	if (child == 0)
		_exit(run());
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static inline void assert_killed(int status)
{
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

#endif
