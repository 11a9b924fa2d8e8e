/* GET, POST /validate: a token checked for another server, which reads the
 * status and the headers (nginx auth_request, Traefik ForwardAuth, Caddy
 * forward_auth) or the claims in the body. */
#include "auth.h"

enum err handle_validate(void *app, struct request *rq, struct response *rs)
{
	const struct claims *c = &rq->claims;
	struct buf body;
	enum err e;

	(void)app;
	response_header_str(rs, "X-Auth-User", c->email);
	response_header_int(rs, "X-Auth-Id", (int64_t)c->user_id);
	response_header_str(rs, "X-Auth-Scope", c->scope);
	buf_init(&body, CLAIMS_JSON_MAX);
	claims_write(c, &body);
	e = buf_error(&body);
	if (e == ERR_OK)
		e = response_body(rs, 200, "application/json", buf_span(&body));
	buf_release(&body);
	return e;
}
