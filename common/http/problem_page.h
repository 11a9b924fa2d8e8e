/* problem_page.h - a problem as an HTML page, for a person who has opened an
 * address in a browser. */
#ifndef PROBLEM_PAGE_H
#define PROBLEM_PAGE_H

#include "common/base/buf.h"
#include "common/http/request.h"

enum { PROBLEM_PAGE_MAX = 8 * 1024 }; /* bytes */

/* The page loads the style sheet of this host, and nothing else. */
#define PROBLEM_PAGE_CSP                                         \
	"default-src 'none'; style-src 'self'; img-src 'self'; " \
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/* Whether the response will be shown as a page: the browser says that it
 * navigates (Sec-Fetch-Mode, Fetch Metadata), or, if it does not send that
 * field, the client prefers HTML to JSON (Accept). curl and fetch() do neither.
 */
bool problem_page_wanted(const struct request *rq);

/* Append the page. Its links are relative to the address of `rq`, so that they
 * work behind a proxy that removes a prefix of the path. */
void problem_page(struct buf *out, const struct request *rq, int status,
		  const char *title, const char *detail);

#endif
