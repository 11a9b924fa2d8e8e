#include "bearer.h"

#include <string.h>

/* b64token of RFC 6750 2.1 */
static bool is_token(struct span s)
{
	while (s.len > 0 && s.p[s.len - 1] == '=')
		s.len--;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		      (c >= 'a' && c <= 'z') ||
		      (c != '\0' && strchr("-._~+/", c) != NULL)))
			return false;
	}
	return s.len > 0;
}

enum err bearer_token(struct span authorization, struct span *out)
{
	struct span scheme = span_trim(authorization), token = { 0 };

	(void)span_cut(&scheme, ' ', &token);
	if (!span_eq_nocase(scheme, SPAN("Bearer")))
		return ERR_NO_TOKEN;
	token = span_trim(token);
	if (!is_token(token))
		return ERR_TOKEN_REQUEST;
	*out = token;
	return ERR_OK;
}

enum err bearer_check(struct request *rq, const struct keyring *ring,
		      const struct jwt_rules *rules, const char *scope)
{
	struct span token;
	enum err e = bearer_token(request_authorization(rq), &token);

	if (e != ERR_OK)
		return e;
	e = jwt_verify(token, ring, rules, rq->now, &rq->claims);
	if (e == ERR_FORMAT)
		e = ERR_AUTH; /* to the client, not a token is not genuine */
	if (e != ERR_OK)
		return e;
	rq->authenticated = true;
	if (scope[0] != '\0' &&
	    !span_list_has(span_of(rq->claims.scope), span_of(scope)))
		return ERR_SCOPE;
	return ERR_OK;
}
