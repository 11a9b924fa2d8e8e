/* refresh_cookie.h - the refresh token as a cookie that no script can read (RFC
 * 6265): HttpOnly, Secure, SameSite=Strict, and sent to /refresh only.
 *
 * A client requests it with `X-Refresh-Cookie: 1`; the token is then not in the
 * JSON. The successor of a token in the cookie is always set in the cookie,
 * with or without that header: else a script injected into the page could
 * request it as text.
 */
#ifndef REFRESH_COOKIE_H
#define REFRESH_COOKIE_H

#include "common/base/err.h"
#include "common/http/request.h"
#include "common/http/response.h"
#include "common/server/settings.h"

/* True if the client requests the cookie. */
bool refresh_cookie_wanted(const struct request *rq);

/* The token in the request's cookie.
 *
 *   ERR_NOT_FOUND  there is no such cookie
 *   ERR_BAD_TOKEN  there is one, but a page of another origin made the browser
 *                  send it (Sec-Fetch-Site, Origin); `rs` has the
 *                  explanation
 */
enum err refresh_cookie_find(const struct request *rq, const struct settings *s,
			     struct response *rs, struct span *out) MUST_CHECK;

/* Set the cookie for `life` seconds; delete it. */
void refresh_cookie_set(const struct request *rq, struct response *rs,
			const char *token, int64_t life);
void refresh_cookie_clear(const struct request *rq, struct response *rs);

/* Pure: the value of `name` in a Cookie header, the first if there are two. */
bool refresh_cookie_value(struct span cookies, struct span name,
			  struct span *out);

#endif
