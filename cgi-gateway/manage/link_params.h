/* link_params.h - what a new link is to be, as the JSON of who makes it says.
 *
 * Each call explains to the client what was wrong.
 */
#ifndef LINK_PARAMS_H
#define LINK_PARAMS_H

#include "common/base/err.h"
#include "common/codec/json.h"
#include "common/http/request.h"
#include "common/http/response.h"

enum {
	LINK_PARAMS_NONE = 0,	      /* as a time: never; as a limit: none */
	LINK_PARAMS_LIFE = 7 * 86400, /* seconds, where none is named */
};

/* The wish, owned: json_object_put(). No body at all is one without members.
 * body_json()'s errors. */
enum err link_params_read(struct request *rq, struct response *rs,
			  struct json_object **out) MUST_CHECK;

/* "expires_in" as a time, seconds since 1970; null is LINK_PARAMS_NONE.
 * ERR_INVALID. */
enum err link_params_expiry(struct json_object *o, const struct request *rq,
			    struct response *rs, int64_t *out) MUST_CHECK;

/* The limit `key`: a number from 1 to `max`, or null for LINK_PARAMS_NONE. *out stays
 * as it is where none is named. ERR_INVALID. */
enum err link_params_limit(struct json_object *o, const char *key, int64_t max,
			   struct response *rs, int64_t *out) MUST_CHECK;

#endif
