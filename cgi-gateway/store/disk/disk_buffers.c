#include "cgi-gateway/store/disk/disk_buffers.h"

#include "cgi-gateway/store/disk/store_disk.h"

#include <sys/mman.h>

/* Not malloc(3), which keeps freed memory for the next allocation */
static char *map(void)
{
	void *p = mmap(NULL, STORE_DISK_BUFFER, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED ? p : NULL;
}

static void unmap(char *buffer)
{
	(void)munmap(buffer, STORE_DISK_BUFFER);
}

void disk_buffers_init(struct disk_buffers *b)
{
	(void)pthread_mutex_init(&b->lock, NULL);
	b->count = 0;
}

void disk_buffers_release(struct disk_buffers *b)
{
	while (b->count > 0)
		unmap(b->idle[--b->count]);
	(void)pthread_mutex_destroy(&b->lock);
}

char *disk_buffers_lend(struct disk_buffers *b)
{
	char *found = NULL;

	(void)pthread_mutex_lock(&b->lock);
	if (b->count > 0)
		found = b->idle[--b->count];
	(void)pthread_mutex_unlock(&b->lock);
	return found != NULL ? found : map();
}

void disk_buffers_return(struct disk_buffers *b, char *buffer)
{
	if (buffer == NULL)
		return;
	(void)pthread_mutex_lock(&b->lock);
	if (b->count < DISK_BUFFERS_KEPT) {
		b->idle[b->count++] = buffer;
		buffer = NULL;
	}
	(void)pthread_mutex_unlock(&b->lock);
	if (buffer != NULL)
		unmap(buffer);
}
