/* The Makefile sets _GNU_SOURCE for this file: madvise(2), MAP_ANONYMOUS */
#include "common/base/worker_stack.h"

#include <stdint.h>
#include <sys/mman.h>

enum {
	GUARD = 4096,
	/* Below the frame of the caller: what the wait itself needs stays, and
	 * what the deepest calls have used is returned */
	KEPT = 4096,
	DEEPEST = 80 * 1024,
};

void *worker_stack_new(void)
{
	char *all = mmap(NULL, GUARD + WORKER_STACK_SIZE, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (all == MAP_FAILED)
		return NULL;
	if (mprotect(all + GUARD, WORKER_STACK_SIZE, PROT_READ | PROT_WRITE) !=
	    0) {
		(void)munmap(all, GUARD + WORKER_STACK_SIZE);
		return NULL;
	}
	return all + GUARD;
}

void worker_stack_free(void *stack)
{
	if (stack != NULL)
		(void)munmap((char *)stack - GUARD, GUARD + WORKER_STACK_SIZE);
}

void worker_stack_trim(void)
{
	char *here = __builtin_frame_address(0);
	char *page = here - (uintptr_t)here % GUARD;

	(void)madvise(page - KEPT - DEEPEST, DEEPEST, MADV_DONTNEED);
}
