/* Preloaded into a program: counts its calls of malloc, calloc, realloc, memalign and their like in the
 * 8 bytes of the file that ALLOCATIONS names, which many processes may share. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* What glibc's own functions are called inside it */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static uint64_t before_start;
static uint64_t *counter = &before_start;

__attribute__((constructor)) static void open_counter(void)
{
	const char *path = getenv("ALLOCATIONS");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *shared;

	if (fd < 0)
		return;
	shared = mmap(NULL, sizeof(*counter), PROT_READ | PROT_WRITE,
		      MAP_SHARED, fd, 0);
	(void)close(fd);
	if (shared == MAP_FAILED)
		return;
	(void)__atomic_add_fetch((uint64_t *)shared, before_start,
				 __ATOMIC_RELAXED);
	counter = shared;
}

static void count_one(void)
{
	(void)__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

void *malloc(size_t size)
{
	count_one();
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	count_one();
	return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	count_one();
	return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size)
{
	count_one();
	return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
	void *p = memalign(alignment, size);

	if (p == NULL)
		return ENOMEM;
	*out = p;
	return 0;
}
