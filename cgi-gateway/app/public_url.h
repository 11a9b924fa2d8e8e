/* public_url.h - addresses of this server as a client can reach them.
 *
 * An address is PUBLIC_URL, or else the path that a trusted proxy cuts off
 * (rq->outer_prefix); the prefix of the request (request.h); and a path.
 */
#ifndef PUBLIC_URL_H
#define PUBLIC_URL_H

#include "cgi-gateway/app/app.h"
#include "common/codec/json.h"
#include "common/http/request.h"

/* Append the URL of `path` for the client of `rq`. */
void public_url_add(const struct app *app, const struct request *rq,
		    const char *path, struct buf *out);

/* The same for a header field, whose value is resolved against the URL of the
 * request (RFC 9110 10.2.2). If a proxy passed the request on, and neither
 * PUBLIC_URL nor the proxy says where it shows this server, the URL is a
 * relative one, which is right below any path. */
void public_url_add_reference(const struct app *app, const struct request *rq,
			      const char *path, struct buf *out);

/* Append the reference to a page of the site. The web server serves pages, so
 * it is not below the prefix of the request. */
void public_url_add_page(const struct app *app, const struct request *rq,
			 const char *path, struct buf *out);

/* Set the member "url" to the URL of `path` for the client of `rq`. */
void public_url_set(const struct app *app, const struct request *rq,
		    struct json_object *o, const char *path);

/* Make the file's JSON (file_json.h) with the "url" of its bytes. Owned:
 * json_object_put(). NULL when out of memory. */
struct json_object *public_url_file_json(const struct app *app,
					 const struct request *rq,
					 const struct file *f);

#endif
