/* wire.h - FastCGI 1.0 records as a web server sees them: one request out,
 * its answer in (FastCGI specification, 3.3 and 5).
 *
 * Pure and resumable at any byte: what a socket gave is fed in pieces of any
 * size, and out come events whose data are spans into the piece.
 *
 *	wire_reader_init(&r);
 *	while (piece = more input)
 *		while (wire_next(&r, &piece, &ev) == ERR_OK &&
 *		       ev.kind != WIRE_HUNGRY)
 *			...
 */
#ifndef WIRE_H
#define WIRE_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/span.h"

enum {
	WIRE_HEAD = 8,		  /* bytes before each record's content */
	WIRE_CONTENT_MAX = 65535, /* bytes of content; the length has two */
};

enum wire_kind {
	WIRE_HUNGRY, /* the piece is used up: feed the next */
	WIRE_OUTPUT, /* bytes that the program wrote to its output */
	WIRE_END,    /* the request is over; nothing of it follows */
};

struct wire_event {
	enum wire_kind kind;
	struct span data;      /* WIRE_OUTPUT */
	unsigned char refusal; /* WIRE_END: protocolStatus, 0: it was served */
};

struct wire_reader {
	unsigned char head[WIRE_HEAD];
	size_t head_len;
	size_t content, padding;      /* of the record, and still to come */
	unsigned char end[WIRE_HEAD]; /* content of the closing record */
	size_t end_len;
};

struct wire_param {
	struct span name, value;
};

/* Append one whole request without a body, as a Responder, whose connection
 * the program closes. Errors stick to `out` (buf_error()); ERR_TOO_LARGE also
 * when the parameters do not fit into one record. */
enum err wire_request(const struct wire_param *params, size_t count,
		      struct buf *out) MUST_CHECK;

void wire_reader_init(struct wire_reader *r);

/* Take from the front of *piece and tell what it was. What a program says on
 * its standard error, and records that are no answer to us, are passed over.
 * ERR_FORMAT: this is not FastCGI. */
enum err wire_next(struct wire_reader *r, struct span *piece,
		   struct wire_event *ev) MUST_CHECK;

#endif
