/* buf.h - a growing byte buffer, up to a maximum fixed when it is initialized.
 *
 * buf_init() has the maximum as an argument, so that no caller can forget it.
 * The first error stays: later appends do nothing, and buf_error() returns it,
 * so a sequence of appends needs one check at its end.
 */
#ifndef BUF_H
#define BUF_H

#include "common/base/err.h"
#include "common/base/span.h"

struct buf {
	char *p;    /* owned; NULL until the first append */
	size_t len; /* bytes in use */
	size_t cap;
	size_t max; /* len never exceeds this */
	enum err error;
};

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b); /* free; *b can be used again */
void buf_clear(struct buf *b);	 /* empty it and clear its error */

void buf_add(struct buf *b, struct span s);
void buf_add_str(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
void buf_add_int(struct buf *b, int64_t n);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Return ERR_OK, ERR_TOO_LARGE (over max) or ERR_MEMORY. */
enum err buf_error(const struct buf *b) MUST_CHECK;

/* Return the contents, valid until the next append. */
struct span buf_span(const struct buf *b);

/* Make room for `n` more bytes and return their address, or NULL (error is
 * set). The caller writes there, then adds to len itself. */
char *buf_room(struct buf *b, size_t n);

#endif
