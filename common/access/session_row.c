#include "common/access/session_row.h"

enum err session_row_check(const struct session_row *r,
			   const struct bearer_id *shown, const char *scope,
			   int64_t now)
{
	bool api = r->has_secret != 0;

	if (r->user_id == 0 || api != shown->api ||
	    (r->expires_at != SESSION_ROW_NO_END && now >= r->expires_at))
		return ERR_BAD_TOKEN;
	if (!api)
		return ERR_OK;
	if (!digest_equal(
		    (struct span) { (const char *)r->secret, SHA256_LEN },
		    (struct span) { (const char *)shown->secret, SHA256_LEN }))
		return ERR_BAD_TOKEN;
	return span_list_has_all(span_of(r->scope), span_of(scope)) ? ERR_OK
								    : ERR_SCOPE;
}
