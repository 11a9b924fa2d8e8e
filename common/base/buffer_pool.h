/* buffer_pool.h - buffers of one size, lent while there are bytes for them.
 *
 * A request that waits for its client returns its buffer first, so a thousand
 * slow clients need a few buffers. A few that are idle are kept, and the others
 * are returned to the system at once: a burst leaves no memory behind.
 */
#ifndef BUFFER_POOL_H
#define BUFFER_POOL_H

#include <pthread.h>
#include <stddef.h>

enum {
	BUFFER_POOL_KEPT = 4, /* idle buffers that are kept */
};

struct buffer_pool {
	pthread_mutex_t lock;
	size_t size; /* bytes of a buffer */
	char *idle[BUFFER_POOL_KEPT];
	size_t count; /* of these */
};

#define BUFFER_POOL(bytes)                                      \
	{                                                       \
		PTHREAD_MUTEX_INITIALIZER, (bytes), { NULL }, 0 \
	}

void buffer_pool_init(struct buffer_pool *p, size_t size);

/* Free the idle buffers; none is lent any more. */
void buffer_pool_release(struct buffer_pool *p);

/* Lend a buffer until buffer_pool_return(). NULL when out of memory. */
char *buffer_pool_lend(struct buffer_pool *p);

/* Take a buffer back; NULL is fine. */
void buffer_pool_return(struct buffer_pool *p, char *buffer);

#endif
