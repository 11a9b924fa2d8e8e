/* part_head.h - the header lines of one part of a form (RFC 7578 4.2, 4.7, 4.8;
 * RFC 2045 for their syntax; RFC 2231 and RFC 8187 for `filename*`).
 *
 * Pure. It works in place: the bytes of the head are changed, and the spans of
 * the result point into them or into the buffer for the name of the file.
 */
#ifndef PART_HEAD_H
#define PART_HEAD_H

#include "common/base/err.h"
#include "common/base/span.h"

enum {
	PART_SEGMENTS_MAX = 32, /* of a name as filename*0, filename*1, … */
};

struct part_head {
	bool is_file;	  /* a filename in any form, even an empty one */
	bool bad_file;	  /* only a filename* that is malformed */
	struct span name; /* of the form field, quotes removed; p NULL: none */
	/* Quotes removed; UTF-8 if it is from filename*, else any bytes */
	struct span file;
	struct span type;     /* Content-Type, or empty */
	struct span transfer; /* Content-Transfer-Encoding, or empty */
	struct span coding;   /* Content-Encoding, or empty */
	struct span range;    /* Content-Range, or empty */
};

/* Read `head`, of `len` bytes: all lines with their line ends, and the empty
 * line. A line that begins with a blank continues the one before it. `file` has
 * room for `len` bytes.
 *
 * A well-formed filename* (UTF-8, ISO-8859-1 or US-ASCII) is preferred to
 * filename. RFC 7578 forbids to send it, but some libraries do, and some send
 * nothing else that is right.
 *
 * ERR_FORMAT: a malformed line; no Content-Disposition, several, or not of
 * form-data; a parameter that occurs twice; neither a name nor a filename. */
enum err part_head_read(char *head, size_t len, char *file,
			struct part_head *out) MUST_CHECK;

/* Whether the Content-Type is of bytes that only a file can have: everything
 * but text, JSON and XML, which a field can have (RFC 7578 4.4). */
bool part_head_has_type_of_file(const struct part_head *h);

#endif
