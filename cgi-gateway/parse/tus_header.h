/* tus_header.h - the header fields of resumable uploads (tus 1.0.0).
 *
 * Pure: bytes in, spans into them out.
 */
#ifndef TUS_HEADER_H
#define TUS_HEADER_H

#include "common/base/err.h"
#include "common/base/span.h"

enum {
	TUS_METADATA_MAX = 4096, /* bytes of Upload-Metadata */
	TUS_METADATA_KEYS = 32,	 /* pairs in it */
	TUS_CONCAT_MAX = 8192,	 /* bytes of Upload-Concat */
	TUS_PARTS_MAX = 100,	 /* parts of a joined upload */
};

/* Check that a field is "key base64,key base64,key": keys of visible ASCII,
 * without duplicates; each value is base64 or omitted; no tab. An empty field
 * is valid. ERR_FORMAT; ERR_TOO_LARGE beyond the limits above. */
enum err tus_metadata_check(struct span field) MUST_CHECK;

/* Decode the value of `key` in a checked field. The value may contain any byte
 * and is not terminated. ERR_NOT_FOUND; ERR_TOO_LARGE: longer than `cap`. */
enum err tus_metadata_get(struct span field, const char *key, char *out,
			  size_t cap, size_t *len) MUST_CHECK;

enum tus_concat {
	TUS_WHOLE,   /* no Upload-Concat: becomes a file by itself */
	TUS_PARTIAL, /* a part, to be joined with others */
	TUS_FINAL,   /* joined from parts */
};

/* Parse Upload-Concat. *parts is set for a TUS_FINAL only: its list of URLs,
 * visible ASCII and spaces. ERR_FORMAT, ERR_TOO_LARGE. */
enum err tus_concat_parse(struct span field, enum tus_concat *kind,
			  struct span *parts) MUST_CHECK;

/* Cut the next URL off the front of *parts. *id is its last segment, which can
 * be any text. Returns false at the end of the list. */
bool tus_concat_next(struct span *parts, struct span *id);

#endif
