/* arena.h - the memory of one request.
 *
 * Allocations are never freed one by one: arena_reset() frees them all when the
 * response has been sent. It keeps one block of ARENA_BLOCK bytes, so only a
 * request that needs more calls malloc(3) here. One arena belongs to one
 * thread.
 */
#ifndef ARENA_H
#define ARENA_H

#include "common/base/err.h"
#include "common/base/span.h"

enum {
	ARENA_BLOCK = 4 * 1024,	     /* bytes; what one request usually needs */
	ARENA_MAX = 4 * 1024 * 1024, /* bytes, the limit of one request */
};

struct arena {
	struct arena_block *blocks; /* newest first; the last is the oldest */
	size_t total;		    /* bytes allocated since the reset */
};

void arena_init(struct arena *a);
void arena_release(struct arena *a);

/* Free everything allocated; keep one block for the next request. */
void arena_reset(struct arena *a);

/* Return `size` bytes, aligned for any type, not cleared. NULL when out of
 * memory or if ARENA_MAX would be exceeded. */
void *arena_alloc(struct arena *a, size_t size);

/* Return a terminated copy of `s`, or NULL. */
char *arena_cstr(struct arena *a, struct span s);

#endif
