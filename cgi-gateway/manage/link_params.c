#include "cgi-gateway/manage/link_params.h"

#include "cgi-gateway/app/request_params.h"
#include "common/http/body.h"

enum err link_params_read(struct request *rq, struct response *rs,
			  const char *const members[], struct json_object **out)
{
	if (rq->content_length != 0)
		return body_json(rq, rs, members, out);
	*out = json_object_new_object();
	return *out != NULL ? ERR_OK : ERR_MEMORY;
}

enum err link_params_expiry(struct json_object *o, const struct request *rq,
			    struct response *rs, int64_t *out)
{
	struct json_object *v = NULL;
	int64_t seconds = LINK_PARAMS_LIFE;

	if (json_object_object_get_ex(o, "expires_in", &v)) {
		if (v == NULL) {
			*out = LINK_PARAMS_NONE;
			return ERR_OK;
		}
		if (json_get_int(o, "expires_in", &seconds) != ERR_OK)
			seconds = 0;
	}
	return request_expiry(rq, rs, seconds, out);
}

enum err link_params_limit(struct json_object *o, const char *key, int64_t max,
			   struct response *rs, int64_t *out)
{
	struct json_object *v = NULL;
	int64_t n;

	if (!json_object_object_get_ex(o, key, &v))
		return ERR_OK;
	if (v == NULL)
		n = LINK_PARAMS_NONE;
	else if (json_get_int(o, key, &n) != ERR_OK || n < 1 || n > max)
		return response_explain(rs, ERR_INVALID,
					"%s must be null or a number from 1 to "
					"%lld.",
					key, (long long)max);
	*out = n;
	return ERR_OK;
}
