/* tus_problem.h - why a resumable upload refuses a request, for the client.
 *
 * A step of a request returns one of these, and calls nothing else about the
 * response. Each leaves its sentence (response_explain()) and returns the error
 * named beside it.
 */
#ifndef TUS_PROBLEM_H
#define TUS_PROBLEM_H

#include "common/base/span.h"
#include "common/http/response.h"

/* --- the bytes of a request ----------------------------------------------- */

/* ERR_CONFLICT, with the upload's offset as Upload-Offset. */
enum err tus_problem_offset(struct response *rs, int64_t offset);

/* ERR_TOO_LARGE: over MAX_UPLOAD; over what remains of `length` bytes; or there
 * are no bytes to send any more. */
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

/* ERR_FORMAT: Upload-Checksum. */
enum err tus_problem_checksum(struct response *rs);

/* ERR_FORBIDDEN: a joined upload. */
enum err tus_problem_joined(struct response *rs);

/* ERR_UNAVAILABLE: as many uploads stream as may. */
enum err tus_problem_streams(struct response *rs);

/* `e` broke off a body. With `all_or_nothing` (a checksum) none of its bytes
 * were kept, else those before the error. Returns `e`. */
enum err tus_problem_broken_off(struct response *rs, enum err e,
				bool all_or_nothing);

/* `e` broke off the body of a request that was to create an upload, which was
 * removed. Returns `e`. */
enum err tus_problem_not_created(struct response *rs, enum err e);

/* --- the parts of a joined upload ----------------------------------------- */

/* ERR_INVALID: not a partial upload; named twice. */
enum err tus_problem_not_a_part(struct response *rs, struct span id);
enum err tus_problem_part_twice(struct response *rs);

/* ERR_CONFLICT: has not all of its bytes; joined or removed by another request.
 */
enum err tus_problem_part_incomplete(struct response *rs, const char *id);
enum err tus_problem_part_taken(struct response *rs);

/* ERR_TOO_LARGE: over TUS_PARTS_MAX; together over MAX_UPLOAD. */
enum err tus_problem_too_many_parts(struct response *rs);
enum err tus_problem_parts_too_large(struct response *rs, int64_t max_upload);

#endif
