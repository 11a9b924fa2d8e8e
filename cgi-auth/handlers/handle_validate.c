/* GET, POST /validate: check a token for another server, which reads the status
 * and the headers (nginx auth_request, Traefik ForwardAuth, Caddy forward_auth)
 * or the claims in the body. */
#include "cgi-auth/app/auth.h"
#include "cgi-auth/tables/token.h"

enum err handle_validate(void *app, struct request *rq, struct response *rs)
{
	const struct claims *c = &rq->claims;
	struct json_object *o;
	enum err e;

	(void)app;
	o = claims_json(c);
	if (o == NULL)
		return ERR_MEMORY;
	response_header_str(rs, "X-Auth-User", c->email);
	response_header_int(rs, "X-Auth-Id", (int64_t)c->user_id);
	response_header_str(rs, "X-Auth-Scope", c->scope);
	e = response_json(rs, 200, o);
	json_object_put(o);
	return e;
}
