/* link_params.h - the JSON parameters of a new link.
 *
 * Each call explains its error to the client.
 */
#ifndef LINK_PARAMS_H
#define LINK_PARAMS_H

#include "common/base/err.h"
#include "common/codec/json.h"
#include "common/http/request.h"
#include "common/http/response.h"

enum {
	LINK_PARAMS_NONE = 0, /* a time: never; a limit: there is none */
	LINK_PARAMS_LIFE = 7 * 86400, /* seconds, without "expires_in" */
};

/* Read the body as an object with `members` (body.h), owned: json_object_put().
 * An empty body is an object without members. Errors of body_json(). */
enum err link_params_read(struct request *rq, struct response *rs,
			  const char *const members[],
			  struct json_object **out) MUST_CHECK;

/* Read "expires_in", and compute the time of expiry in seconds since 1970; null
 * gives LINK_PARAMS_NONE. Returns ERR_INVALID for any other value. */
enum err link_params_expiry(struct json_object *o, const struct request *rq,
			    struct response *rs, int64_t *out) MUST_CHECK;

/* Read the member `key` as a limit: a number from 1 to `max`, or
 * LINK_PARAMS_NONE for null. If it is absent, *out is unchanged. ERR_INVALID.
 */
enum err link_params_limit(struct json_object *o, const char *key, int64_t max,
			   struct response *rs, int64_t *out) MUST_CHECK;

#endif
