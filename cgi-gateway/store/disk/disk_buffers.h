/* disk_buffers.h - buffers of STORE_DISK_BUFFER bytes, lent to a writer while it
 * has bytes.
 *
 * A writer returns its buffer before it waits for a client, so that a thousand
 * slow uploads need a few buffers. A few that are idle are kept, and the others
 * are returned to the system at once: a burst leaves no memory behind.
 */
#ifndef DISK_BUFFERS_H
#define DISK_BUFFERS_H

#include <pthread.h>
#include <stddef.h>

enum {
	DISK_BUFFERS_KEPT = 4, /* idle buffers that are kept */
};

struct disk_buffers {
	pthread_mutex_t lock;
	char *idle[DISK_BUFFERS_KEPT];
	size_t count; /* of these */
};

void disk_buffers_init(struct disk_buffers *b);

/* Free the idle buffers; none is lent any more. */
void disk_buffers_release(struct disk_buffers *b);

/* Lend a buffer until disk_buffers_return(). NULL when out of memory. */
char *disk_buffers_lend(struct disk_buffers *b);

/* Take a buffer back; NULL is fine. */
void disk_buffers_return(struct disk_buffers *b, char *buffer);

#endif
