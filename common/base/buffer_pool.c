#include "common/base/buffer_pool.h"

#include <sys/mman.h>

void buffer_pool_init(struct buffer_pool *p, size_t size)
{
	*p = (struct buffer_pool) { .size = size };
	(void)pthread_mutex_init(&p->lock, NULL);
}

void buffer_pool_release(struct buffer_pool *p)
{
	while (p->count > 0)
		(void)munmap(p->idle[--p->count], p->size);
	(void)pthread_mutex_destroy(&p->lock);
}

/* Not malloc(3), which keeps freed memory for the next allocation */
static char *map(size_t size)
{
	void *m = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (m == MAP_FAILED)
		return NULL;
	return m;
}

char *buffer_pool_lend(struct buffer_pool *p)
{
	char *found = NULL;

	(void)pthread_mutex_lock(&p->lock);
	if (p->count > 0)
		found = p->idle[--p->count];
	(void)pthread_mutex_unlock(&p->lock);
	return found != NULL ? found : map(p->size);
}

void buffer_pool_return(struct buffer_pool *p, char *buffer)
{
	if (buffer == NULL)
		return;
	(void)pthread_mutex_lock(&p->lock);
	if (p->count < BUFFER_POOL_KEPT) {
		p->idle[p->count++] = buffer;
		buffer = NULL;
	}
	(void)pthread_mutex_unlock(&p->lock);
	if (buffer != NULL)
		(void)munmap(buffer, p->size);
}
