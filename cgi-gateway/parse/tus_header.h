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
	TUS_PARTS_MAX = 100,	 /* uploads that one is put together of */
};

/* Whether the field is "key base64,key base64,key": keys of visible ASCII, none
 * twice, values well formed or left out, and no tab. Empty is well formed.
 * ERR_TOO_LARGE beyond the limits, ERR_FORMAT. */
enum err tus_metadata_check(struct span field) MUST_CHECK;

/* Decode the value of `key` in a field that was checked; it may hold any byte,
 * and is not terminated. ERR_NOT_FOUND; ERR_TOO_LARGE when `cap` does not hold
 * it. */
enum err tus_metadata_get(struct span field, const char *key, char *out,
			  size_t cap, size_t *len) MUST_CHECK;

enum tus_concat {
	TUS_WHOLE,   /* no Upload-Concat: a file by itself */
	TUS_PARTIAL, /* to be put together with others */
	TUS_FINAL,   /* put together of others */
};

/* What Upload-Concat says; of a TUS_FINAL, *parts is the list of URLs, visible
 * ASCII and blanks. ERR_FORMAT, ERR_TOO_LARGE. */
enum err tus_concat_parse(struct span field, enum tus_concat *kind,
			  struct span *parts) MUST_CHECK;

/* Take the next URL off the front of *parts: *id is its last segment, whatever
 * stands there. False when *parts is used up. */
bool tus_concat_next(struct span *parts, struct span *id);

#endif
