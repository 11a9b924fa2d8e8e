#include "common/http/cors.h"

#define EXPOSED                                                      \
	"Content-Digest, Content-Disposition, Content-Range, ETag, " \
	"Last-Modified, Link, Location, Repr-Digest, Retry-After, "  \
	"Tus-Checksum-Algorithm, Tus-Extension, Tus-Max-Size, "      \
	"Tus-Resumable, Tus-Version, Upload-Concat, "                \
	"Upload-Defer-Length, Upload-Expires, Upload-Length, "       \
	"Upload-Metadata, Upload-Offset, "                           \
	"WWW-Authenticate, X-Request-ID"
#define SENDABLE                                                           \
	"Accept, Authorization, Content-Digest, Content-Type, "            \
	"If-Match, If-Modified-Since, If-None-Match, If-Range, "           \
	"If-Unmodified-Since, Range, Repr-Digest, "                        \
	"Tus-Resumable, Upload-Checksum, Upload-Concat, "                  \
	"Upload-Defer-Length, Upload-Length, Upload-Metadata, "            \
	"Upload-Offset, X-HTTP-Method-Override, X-OTP, X-Refresh-Cookie, " \
	"X-Request-ID, X-Requested-With"

bool cors_allow(const char *origins, const struct request *rq,
		struct response *rs)
{
	struct span origin, list = span_of(origins);

	if (list.len == 0)
		return false;
	/* A cache must not return one origin's response to another */
	response_header_str(rs, "Vary", "Origin");
	origin = request_header(rq, "Origin");
	if (origin.len == 0 ||
	    (!span_list_has(list, origin) && !span_list_has(list, SPAN("*")))) {
		response_keep(rs);
		return false;
	}
	response_header(rs, "Access-Control-Allow-Origin", origin);
	response_header_str(rs, "Access-Control-Expose-Headers", EXPOSED);
	response_keep(rs);
	return true;
}

enum err cors_options(const char *origins, const struct router *r,
		      const struct request *rq, struct response *rs)
{
	struct buf methods;

	buf_init(&methods, 256);
	router_methods(r, rq, &methods);
	if (methods.len == 0)
		return ERR_NOT_FOUND;
	buf_add(&methods, SPAN(", OPTIONS"));
	response_header(rs, "Allow", buf_span(&methods));
	if (cors_allow(origins, rq, rs)) {
		response_header(rs, "Access-Control-Allow-Methods",
				buf_span(&methods));
		response_header_str(rs, "Access-Control-Allow-Headers",
				    SENDABLE);
		response_header_str(rs, "Access-Control-Max-Age", "600");
	}
	buf_release(&methods);
	if (rq->options_status == 0)
		return response_empty(rs, 204);
	response_header_int(rs, "Content-Length", 0); /* RFC 9110 9.3.7 */
	return response_empty(rs, rq->options_status);
}
