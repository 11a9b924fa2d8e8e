/* tus_problem.h - explains to the client why a resumable upload refuses a
 * request.
 *
 * A step of a request returns one of these, and writes nothing else to the
 * response. Each sets its sentence (response_explain()) and returns the error
 * named above it.
 */
#ifndef TUS_PROBLEM_H
#define TUS_PROBLEM_H

#include "common/base/span.h"
#include "common/http/response.h"

/* --- the bytes of a request ----------------------------------------------- */

/* ERR_CONFLICT, with the upload's offset as Upload-Offset. */
enum err tus_problem_offset(struct response *rs, int64_t offset);

/* ERR_TOO_LARGE: over MAX_UPLOAD; over what remains of `length` bytes; or no
 * bytes remain to be sent. */
enum err tus_problem_max_upload(struct response *rs, int64_t max_upload);
enum err tus_problem_remaining(struct response *rs, int64_t remaining,
			       int64_t length);
enum err tus_problem_complete(struct response *rs, int64_t length);

/* ERR_TOO_LARGE: more than Content-Length. */
enum err tus_problem_content_length(struct response *rs);

/* ERR_LENGTH_REQUIRED: neither the body's length is known nor the upload's. */
enum err tus_problem_no_length(struct response *rs);

/* ERR_FORMAT: Upload-Length contradicts what is known of the upload. */
enum err tus_problem_length(struct response *rs);

/* ERR_FORMAT: Upload-Checksum is malformed. */
enum err tus_problem_checksum(struct response *rs);

/* ERR_FORBIDDEN: a joined upload accepts no bytes. */
enum err tus_problem_joined(struct response *rs);

/* ERR_TOO_MANY_UPLOADS: `max` uploads of this owner are unfinished. */
enum err tus_problem_unfinished(struct response *rs, int64_t max);

/* Explain that `e` interrupted a body. If `all_or_nothing` (a checksum), none
 * of its bytes were kept, else those before the error. Returns `e`. */
enum err tus_problem_broken_off(struct response *rs, enum err e,
				bool all_or_nothing);

/* Explain that `e` interrupted the body of a request that created an upload,
 * which was removed. Returns `e`. */
enum err tus_problem_not_created(struct response *rs, enum err e);

/* --- the parts of a joined upload ----------------------------------------- */

/* ERR_INVALID: not a partial upload; a part is named twice. */
enum err tus_problem_not_a_part(struct response *rs, struct span id);
enum err tus_problem_part_twice(struct response *rs);

/* ERR_CONFLICT: a part is not complete; another request has joined or removed
 * it. */
enum err tus_problem_part_incomplete(struct response *rs, const char *id);
enum err tus_problem_part_taken(struct response *rs);

/* ERR_TOO_LARGE: over TUS_PARTS_MAX; together over MAX_UPLOAD. */
enum err tus_problem_too_many_parts(struct response *rs);
enum err tus_problem_parts_too_large(struct response *rs, int64_t max_upload);

#endif
