#include "common/access/bearer.h"

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

/* Verify with the keys `ring`, unless this process has done so before */
static enum err verify_once(struct span token, struct keyring_file *keys,
			    const struct keyring *ring,
			    const struct jwt_rules *rules, int64_t now,
			    struct claims *out)
{
	struct token_memory *m = keyring_file_memory(keys);
	uint64_t number = keyring_file_number(ring);
	struct token_name name;
	struct claims seen;
	int64_t until;
	enum err e;

	if (m == NULL || token.len > JWT_TOKEN_MAX)
		return jwt_verify(token, ring, rules, now, out);
	token_memory_name(m, token, &name);
	if (token_memory_find(m, &name, number, now, &seen) &&
	    jwt_check_claims(&seen, rules, now) == ERR_OK) {
		*out = seen;
		return ERR_OK;
	}
	e = jwt_verify(token, ring, rules, now, out);
	if (e != ERR_OK)
		return e;
	until = keyring_next_end(ring, now);
	if (out->expires_at < until)
		until = out->expires_at;
	token_memory_keep(m, &name, number, until, out);
	return ERR_OK;
}

static enum err verify_jwt(struct span token, struct keyring_file *keys,
			   const struct jwt_rules *rules, int64_t now,
			   struct claims *claims)
{
	const struct keyring *ring = keyring_file_take(keys, now);
	enum err e = verify_once(token, keys, ring, rules, now, claims);
	/* Another process may sign with a new key already */
	bool again = e == ERR_BAD_TOKEN && keyring_file_look(keys, ring);

	keyring_file_give(keys, ring);
	if (!again)
		return e;
	ring = keyring_file_take(keys, now);
	e = verify_once(token, keys, ring, rules, now, claims);
	keyring_file_give(keys, ring);
	return e;
}

enum err bearer_verify(struct span token, struct keyring_file *keys,
		       const struct jwt_rules *rules, int64_t now,
		       struct bearer_id *bearer_id, struct claims *claims)
{
	enum err e;

	if (bearer_id_is_api(token)) {
		e = bearer_id_parse_api(token, bearer_id);
		/* session_check_now() reads the rest from the table */
		if (e == ERR_OK)
			(void)snprintf(claims->issuer, sizeof(claims->issuer),
				       "%s", rules->issuer);
	} else {
		e = verify_jwt(token, keys, rules, now, claims);
		if (e == ERR_OK) {
			*bearer_id = (struct bearer_id) { .api = false };
			memcpy(bearer_id->session, claims->session,
			       sizeof(claims->session));
		}
	}
	/* A malformed token is reported like one that is not genuine */
	return e == ERR_FORMAT ? ERR_BAD_TOKEN : e;
}

enum err bearer_explain(const struct request *rq, struct response *rs,
			enum err e)
{
	long long early = jwt_early(&rq->claims, rq->now);

	if (e != ERR_NOT_YET)
		return e;
	err_fill(&rs->why,
		 "the token begins %lld seconds from now: the clock of the "
		 "machine that issued it is ahead of this one's; set both by "
		 "NTP",
		 early);
	return response_explain(
		rs, e,
		"The token is not valid yet: it begins %lld "
		"seconds from now, because the clocks of the "
		"servers differ. Up to %d seconds are accepted.",
		early, JWT_LEEWAY);
}

enum err bearer_check(struct request *rq, struct keyring_file *keys,
		      const struct jwt_rules *rules, const char *scope)
{
	struct span token;
	enum err e = bearer_token(request_authorization(rq), &token);

	if (e == ERR_OK)
		e = bearer_verify(token, keys, rules, request_begun(rq),
				  &rq->bearer_id, &rq->claims);
	if (e != ERR_OK || rq->bearer_id.api)
		return e;
	rq->authenticated = true;
	if (!span_list_has_all(span_of(rq->claims.scope), span_of(scope)))
		return ERR_SCOPE;
	return ERR_OK;
}
