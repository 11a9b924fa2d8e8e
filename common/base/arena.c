#include "common/base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
	struct arena_block *next;
	size_t used, cap;
	alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *a)
{
	*a = (struct arena) { NULL, 0 };
}

void arena_release(struct arena *a)
{
	while (a->blocks != NULL) {
		struct arena_block *next = a->blocks->next;

		free(a->blocks);
		a->blocks = next;
	}
	a->total = 0;
}

void arena_reset(struct arena *a)
{
	/* The oldest block is the last one: keep it, unless it is larger than
	 * ARENA_BLOCK */
	while (a->blocks != NULL && a->blocks->next != NULL) {
		struct arena_block *next = a->blocks->next;

		free(a->blocks);
		a->blocks = next;
	}
	if (a->blocks != NULL && a->blocks->cap > ARENA_BLOCK)
		arena_release(a);
	if (a->blocks != NULL)
		a->blocks->used = 0;
	a->total = 0;
}

static struct arena_block *block_new(struct arena *a, size_t size)
{
	size_t cap = size > ARENA_BLOCK ? size : ARENA_BLOCK;
	struct arena_block *b = malloc(sizeof(*b) + cap);

	if (b == NULL)
		return NULL;
	*b = (struct arena_block) { .next = a->blocks, .cap = cap };
	a->blocks = b;
	return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *b = a->blocks;
	const size_t align = alignof(max_align_t);
	void *p;

	if (size > ARENA_MAX || a->total > ARENA_MAX - size)
		return NULL;
	size = (size + align - 1) / align * align;
	if (b == NULL || b->cap - b->used < size)
		b = block_new(a, size);
	if (b == NULL)
		return NULL;
	p = b->bytes + b->used;
	b->used += size;
	a->total += size;
	return p;
}

char *arena_cstr(struct arena *a, struct span s)
{
	char *p = arena_alloc(a, s.len + 1);

	if (p == NULL)
		return NULL;
	if (s.len > 0)
		memcpy(p, s.p, s.len);
	p[s.len] = '\0';
	return p;
}
