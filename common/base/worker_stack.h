/* worker_stack.h - the stack of a thread that may wait for long.
 *
 * The C library keeps the stacks of threads that have ended, with the memory
 * that they used. These are returned to the system.
 */
#ifndef WORKER_STACK_H
#define WORKER_STACK_H

#include "common/base/err.h"

enum {
	WORKER_STACK_SIZE = 256 * 1024, /* bytes; libmagic uses 40 KiB of it */
};

/* Return the lowest address of a new stack with a guard page below it, to be
 * passed to pthread_attr_setstack(); NULL when out of memory. */
void *worker_stack_new(void);

/* Free it, after its thread was joined. */
void worker_stack_free(void *stack);

/* Return to the system what this thread, which has such a stack, used of it and
 * does not use now. Call it once, before a long wait: it is a system call. */
void worker_stack_trim(void);

#endif
