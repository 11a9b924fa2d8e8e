#include "common/http/fcgi_input.h"

#include "common/base/buffer_pool.h"

#include <poll.h>
#include <stddef.h>

/* How libfcgi's private struct FCGX_Stream_Data begins */
struct stream_data {
	unsigned char *buffer;
	int size;		  /* bytes of it */
	unsigned char *allocated; /* what free(3) gets */
	unsigned char *end;	  /* of the bytes that were read into it */
	int type, stops, skips;
	int content, padding; /* of the record at hand, not used yet */
};

enum {
	STDIN = 5, /* the type of a record */
	HEADER = 8,
	PADDING_MAX = 255,
};

static struct buffer_pool pool = BUFFER_POOL(FCGI_INPUT_BUFFER);

static struct stream_data *data_of(const struct fcgi_input *f)
{
	return f->in->data;
}

/* Whether the stream has used every byte that was read */
static bool is_empty(const struct fcgi_input *f)
{
	return f->in->rdNext == f->in->stop && f->in->stop == data_of(f)->end;
}

/* Whether the stream's data is as this file describes it */
static bool is_known(const struct fcgi_input *f)
{
	const struct stream_data *d = data_of(f);
	ptrdiff_t shift = d->buffer - d->allocated;

	return d->size + shift == 8192 && shift >= 0 && shift <= 8 &&
	       d->type == STDIN && d->padding >= 0 &&
	       d->padding <= PADDING_MAX && f->in->rdNext >= d->buffer &&
	       f->in->stop <= d->end && d->end <= d->buffer + d->size;
}

static void use(struct fcgi_input *f, unsigned char *buffer, int size)
{
	struct stream_data *d = data_of(f);

	d->buffer = buffer;
	d->size = size;
	d->end = buffer;
	f->in->rdNext = f->in->wrNext = f->in->stop = f->in->stopUnget = buffer;
}

void fcgi_input_begin(struct fcgi_input *f, const FCGX_Request *rq)
{
	*f = (struct fcgi_input) { .in = rq->in, .socket = rq->ipcFd };
	if (is_known(f)) {
		f->own = data_of(f)->buffer;
		f->own_size = data_of(f)->size;
	}
}

static bool has_arrived(struct fcgi_input *f)
{
	struct pollfd socket = { .fd = f->socket, .events = POLLIN };

	if (!f->arrived)
		f->arrived = poll(&socket, 1, 0) != 0;
	return f->arrived;
}

/* Whether bytes of the next record lie in the buffer, behind the padding of the
 * last one and a header. */
static bool has_next_record(const struct fcgi_input *f)
{
	return f->own != NULL &&
	       data_of(f)->end - f->in->stop > HEADER + data_of(f)->padding;
}

bool fcgi_input_ready(struct fcgi_input *f)
{
	return f->in->rdNext != f->in->stop || f->in->isClosed ||
	       has_next_record(f) || has_arrived(f);
}

void fcgi_input_fill(struct fcgi_input *f)
{
	if (f->own != NULL && is_empty(f)) {
		if (!has_arrived(f))
			fcgi_input_end(f);
		else if (f->lent == NULL)
			f->lent = buffer_pool_lend(&pool);
		if (f->lent != NULL)
			use(f, (unsigned char *)f->lent, FCGI_INPUT_BUFFER);
	}
	f->arrived = false;
	f->in->fillBuffProc(f->in);
	f->in->stopUnget = f->in->rdNext;
}

void fcgi_input_end(struct fcgi_input *f)
{
	if (f->lent == NULL)
		return;
	use(f, f->own, f->own_size);
	buffer_pool_return(&pool, f->lent);
	f->lent = NULL;
}
