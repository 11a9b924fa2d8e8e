/* link_visit.h - what a GET of a share link asks for: the bytes of the file, its
 * description, or a page for a person.
 *
 * A browser that opens the address, a messenger that previews it, and a prefetch
 * must not use up a download. Programs (curl, wget, download managers, fetch())
 * and the elements of other pages (img, video) get the bytes.
 */
#ifndef LINK_VISIT_H
#define LINK_VISIT_H

#include "common/base/span.h"

enum link_wants {
	LINK_WANTS_BYTES,
	LINK_WANTS_DESCRIPTION, /* JSON */
	LINK_WANTS_PAGE,
};

/* The header fields of a request; empty: not sent. */
struct link_visit {
	struct span accept, user_agent, range;
	struct span fetch_dest;		  /* Sec-Fetch-Dest */
	struct span purpose, sec_purpose; /* Purpose, Sec-Purpose */
	struct span x_purpose, x_moz;	  /* of older browsers */
	bool explicit_bytes; /* a query parameter asks for the bytes */
};

/* Return true if no user has asked for the file: a prefetch or prerender by a
 * browser, or the preview of a messenger, social network or crawler, which is
 * recognised by its User-Agent. It gets no bytes. */
bool link_visit_is_preview(const struct link_visit *v);

/* Decide what the request gets. A preview never gets bytes; otherwise a Range or
 * `explicit_bytes` does, JSON alone in Accept the description, and what
 * prefers text/html, as a browser that opens the address, the page. */
enum link_wants link_visit_wants(const struct link_visit *v);

#endif
