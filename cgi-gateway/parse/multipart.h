/* multipart.h - parser of multipart/form-data (RFC 7578, RFC 2046 5.1).
 *
 * Pure and resumable at any byte: the body is passed in pieces of any size, and
 * the parser returns events. Their data are spans into the piece, or into the
 * boundary if bytes only began like one. The limits below fix the memory,
 * however long the body is.
 *
 *	multipart_init(&m, boundary);
 *	while (piece = more input)
 *		while (multipart_next(&m, &piece, &ev) == ERR_OK &&
 *		       ev.kind != MULTIPART_NEEDS_MORE)
 *			...
 *	multipart_complete(&m)
 */
#ifndef MULTIPART_H
#define MULTIPART_H

#include "cgi-gateway/parse/part_head.h"
#include "common/base/err.h"
#include "common/base/span.h"

enum {
	MULTIPART_BOUNDARY_MAX = 200, /* bytes; RFC 2046 allows 70 */
	MULTIPART_HEAD_MAX = 8192,    /* bytes of one part's header lines */
};

enum multipart_kind {
	MULTIPART_NEEDS_MORE, /* the piece is used up: pass the next */
	MULTIPART_PART,	      /* a part begins: its header fields are set */
	MULTIPART_DATA,	      /* bytes of the part */
	MULTIPART_END,	      /* the end of the part */
	MULTIPART_CLOSED,     /* the closing boundary: no part follows */
};

struct multipart_event {
	enum multipart_kind kind;
	struct span data; /* MULTIPART_DATA */
	/* MULTIPART_PART; its spans are valid until the next part */
	struct part_head part;
};

enum multipart_state {
	MULTIPART_PREAMBLE, /* before the first boundary */
	MULTIPART_BODY,
	MULTIPART_LINE_END, /* after a boundary: "--", blanks, CRLF */
	MULTIPART_HEAD,
	MULTIPART_EPILOGUE,
};

struct multipart {
	enum multipart_state state;
	char delimiter[MULTIPART_BOUNDARY_MAX + 5]; /* CR LF "--" boundary */
	size_t delimiter_len;
	size_t matched;	  /* bytes of the delimiter seen so far */
	bool end_due;	  /* the next event is MULTIPART_END */
	char line_end[2]; /* the bytes after the boundary */
	size_t line_end_len;
	char head[MULTIPART_HEAD_MAX];
	size_t head_len;
	char file[MULTIPART_HEAD_MAX]; /* the filename, decoded */
	size_t parts; /* whose head was read, or is malformed */
};

/* Start with the Content-Type of the request. ERR_FORMAT if it has no usable
 * boundary. */
enum err multipart_init(struct multipart *m,
			struct span content_type) MUST_CHECK;

/* Parse from the front of *piece up to the next event, and remove these bytes
 * from it. ERR_FORMAT: not multipart/form-data; ERR_TOO_LARGE: the header lines
 * of a part are longer than MULTIPART_HEAD_MAX. */
enum err multipart_next(struct multipart *m, struct span *piece,
			struct multipart_event *ev) MUST_CHECK;

/* True after the closing boundary; without it the body is incomplete. */
bool multipart_complete(const struct multipart *m);

#endif
