/* upload_by_link.h - an upload without an account, by an upload link
 * (upload_links.h): the files become the link owner's, within the link's
 * limits.
 *
 * The sender gets a receipt of each file, not its id or address.
 */
#ifndef UPLOAD_BY_LINK_H
#define UPLOAD_BY_LINK_H

#include "cgi-gateway/upload/upload.h"

/* Begin an upload by the link whose secret is `token`. ERR_NOT_FOUND; ERR_GONE,
 * explained, for a link that has ended. */
enum err upload_by_link_begin(struct upload *u, struct app *app,
			      struct request *rq, struct response *rs,
			      struct span token) MUST_CHECK;

#endif
