/* body.h - checks and reads the body of a request, and explains a bad one.
 *
 * A member of JSON that the reader does not know is refused by name, never
 * ignored: a misspelled limit would otherwise be no limit.
 */
#ifndef BODY_H
#define BODY_H

#include "common/base/err.h"
#include "common/codec/json.h"
#include "common/codec/visible_text.h"
#include "common/http/request.h"
#include "common/http/response.h"

enum {
	BODY_MAX = 16 * 1024,  /* bytes of a JSON body */
	BODY_LABEL_MAX = 2048, /* bytes of a label, before it is cleaned */
};

/* Check that the body is not compressed. ERR_MEDIA_TYPE, explained and with
 * Accept-Encoding (RFC 9110 12.5.3), for a Content-Encoding other than
 * "identity": the program would take the compressed bytes for the body. */
enum err body_check_coding(const struct request *rq,
			   struct response *rs) MUST_CHECK;

/* Read the JSON object in the body; owned: json_object_put(). `members` are the
 * names that it may have, with NULL at the end.
 *
 *   ERR_MEDIA_TYPE  the Content-Type is not application/json, nor RFC 7396's
 *                   application/merge-patch+json
 *   ERR_FORMAT      it is not a JSON object, is nested too deep, or has a
 *                   member twice
 *   ERR_INVALID     it has a member of another name
 *   ERR_TOO_LARGE, ERR_TRUNCATED, ERR_CLOSED, ERR_MEMORY */
enum err body_json(struct request *rq, struct response *rs,
		   const char *const members[],
		   struct json_object **out) MUST_CHECK;

/* Check the body of a request that takes none: it must be empty, or a JSON
 * object without members, which some clients always send. ERR_MEDIA_TYPE for a
 * body of another kind; errors of body_json(). */
enum err body_unused(struct request *rq, struct response *rs) MUST_CHECK;

/* Read the member `key` as text. ERR_INVALID, explained, if it is missing, not
 * a string, too long for `cap`, or has control characters. */
enum err body_text(struct json_object *o, const char *key, char *out,
		   size_t cap, struct response *rs) MUST_CHECK;

/* Read the member `key` as a label, which people will read: at least one
 * character and at most `max` of them, cleaned as visible_text.h describes.
 * `cap` is enough for any of them. ERR_INVALID, explained, if it is missing or
 * cannot be used. */
enum err body_label(struct json_object *o, const char *key, char *out,
		    size_t cap, size_t max, struct response *rs) MUST_CHECK;

#endif
