#include "common/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf) { .max = max };
}

void buf_release(struct buf *b)
{
	free(b->p);
	buf_init(b, b->max);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->error = ERR_OK;
}

char *buf_room(struct buf *b, size_t n)
{
	size_t cap = b->cap > 0 ? b->cap : 256;
	char *p;

	if (b->error != ERR_OK)
		return NULL;
	if (n > b->max - b->len) {
		b->error = ERR_TOO_LARGE;
		return NULL;
	}
	if (n <= b->cap - b->len && b->p != NULL)
		return b->p + b->len;
	while (cap - b->len < n)
		cap *= 2;
	if (cap > b->max)
		cap = b->max > 0 ? b->max : 1;
	/* one byte more than the text: vsnprintf terminates */
	p = realloc(b->p, cap + 1);
	if (p == NULL) {
		b->error = ERR_MEMORY;
		return NULL;
	}
	b->p = p;
	b->cap = cap;
	return b->p + b->len;
}

void buf_add(struct buf *b, struct span s)
{
	char *to = buf_room(b, s.len);

	if (to == NULL || s.len == 0)
		return;
	memcpy(to, s.p, s.len);
	b->len += s.len;
}

void buf_add_str(struct buf *b, const char *s)
{
	buf_add(b, span_of(s));
}

void buf_add_char(struct buf *b, char c)
{
	buf_add(b, (struct span) { &c, 1 });
}

void buf_add_int(struct buf *b, int64_t n)
{
	buf_printf(b, "%lld", (long long)n);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	char small[256];
	va_list ap, again;
	char *to;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	if (n >= 0 && (size_t)n < sizeof(small)) {
		buf_add(b, (struct span) { small, (size_t)n });
	} else if (n >= 0) {
		to = buf_room(b, (size_t)n);
		if (to != NULL) {
			(void)vsnprintf(to, (size_t)n + 1, fmt, again);
			b->len += (size_t)n;
		}
	}
	va_end(again);
	va_end(ap);
}

enum err buf_error(const struct buf *b)
{
	return b->error;
}

struct span buf_span(const struct buf *b)
{
	return (struct span) { b->p, b->len };
}
