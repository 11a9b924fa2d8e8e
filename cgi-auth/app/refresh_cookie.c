#include "cgi-auth/app/refresh_cookie.h"

#include "common/http/origin.h"

#include <string.h>

#define NAME "gatehouse_refresh"

enum {
	COOKIE_MAX = 768, /* bytes of our Set-Cookie line */
	PREFIX_MAX = 200, /* bytes of our URL's path before /refresh */
};

bool refresh_cookie_wanted(const struct request *rq)
{
	return span_eq(request_header(rq, "X-Refresh-Cookie"), SPAN("1"));
}

bool refresh_cookie_value(struct span cookies, struct span name,
			  struct span *out)
{
	struct span pair, value;

	while (span_next(&cookies, ';', &pair)) {
		if (span_cut(&pair, '=', &value) && span_eq(pair, name)) {
			*out = value;
			return true;
		}
	}
	return false;
}

/* SameSite=Strict withholds the cookie from other sites, but not from other
 * hosts and ports of the same site, and not in every browser. A current browser
 * says by Sec-Fetch-Site whether page and address have one origin, as it sees
 * them: a proxy that changes Host does not matter then. Of others, the Origin
 * is compared. */
static bool is_cross_origin(const struct request *rq, const struct settings *s)
{
	const struct origin_rules rules = {
		.public_url = s->public_url,
		.listed = s->cors_origins,
		.trusted_proxies = s->trusted_proxies,
	};
	struct span site = request_header(rq, "Sec-Fetch-Site");

	if (span_eq(site, SPAN("same-origin")))
		return false;
	if (site.len > 0 && !span_eq(site, SPAN("none")))
		return true;
	return !origin_is_ours(rq, &rules);
}

enum err refresh_cookie_find(const struct request *rq, const struct settings *s,
			     struct response *rs, struct span *out)
{
	if (!refresh_cookie_value(request_header(rq, "Cookie"), SPAN(NAME),
				  out))
		return ERR_NOT_FOUND;
	if (is_cross_origin(rq, s))
		return response_explain(rs, ERR_BAD_TOKEN,
					"The cookie is accepted only in "
					"requests of this site's own pages, "
					"and of origins in CORS_ORIGINS.");
	return ERR_OK;
}

/* Return `p`; "" if it has a character that would end the attribute */
static struct span attribute_of(struct span p)
{
	for (size_t i = 0; i < p.len; i++)
		if (p.p[i] <= ' ' || p.p[i] >= 0x7f || p.p[i] == ';')
			return SPAN("");
	return p.len <= PREFIX_MAX ? p : SPAN("");
}

/* The path is that of /refresh as the browser sees it: below the path that a
 * proxy cuts off, and under plain CGI below the program's own */
static void set_cookie(const struct request *rq, struct response *rs,
		       const char *value, int64_t life)
{
	struct span outer = attribute_of(rq->outer_prefix);
	struct span prefix = attribute_of(rq->prefix);
	char line[COOKIE_MAX];

	(void)snprintf(line, sizeof(line),
		       NAME "=%s; HttpOnly; Secure; SameSite=Strict; "
			    "Path=%.*s%.*s/refresh; Max-Age=%lld",
		       value, SPAN_ARG(outer), SPAN_ARG(prefix),
		       (long long)life);
	response_header_str(rs, "Set-Cookie", line);
}

void refresh_cookie_set(const struct request *rq, struct response *rs,
			const char *token, int64_t life)
{
	set_cookie(rq, rs, token, life);
}

void refresh_cookie_clear(const struct request *rq, struct response *rs)
{
	set_cookie(rq, rs, "", 0);
}
