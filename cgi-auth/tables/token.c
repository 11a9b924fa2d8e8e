#include "cgi-auth/tables/token.h"

#include "common/codec/ident.h"

enum err token_claims(const struct user *u, const struct jwt_rules *rules,
		      const char *session, int64_t now, int64_t life,
		      struct claims *out)
{
	struct claims c = {
		.user_id = u->id,
		.admin = u->admin,
		.issued_at = now,
		.not_before = now,
		.expires_at = now + life,
	};

	if (!span_to_cstr(span_of(rules->issuer), c.issuer, sizeof(c.issuer)) ||
	    !span_to_cstr(span_of(rules->audience), c.audience,
			  sizeof(c.audience)) ||
	    !span_to_cstr(span_of(session), c.session, sizeof(c.session)) ||
	    !span_to_cstr(span_of(u->email), c.email, sizeof(c.email)) ||
	    !span_to_cstr(span_of(u->scope), c.scope, sizeof(c.scope)))
		return ERR_CONFIG;
	ident_random(c.token_id);
	*out = c;
	return ERR_OK;
}
