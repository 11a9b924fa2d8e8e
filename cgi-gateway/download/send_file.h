/* send_file.h - the bytes of a file as an answer, with all that is said of them:
 * type, name, ETag, digest, ranges and conditions (RFC 9110 13 and 14).
 *
 *	delivery_plan(&d, rq, &file)	what the request asks of the file
 *	delivery_give(&d, app, rq, rs)	the answer
 *
 * Between the two a handler may look at the plan and refuse.
 */
#ifndef SEND_FILE_H
#define SEND_FILE_H

#include "cgi-gateway/app/app.h"
#include "cgi-gateway/parse/range.h"
#include "common/codec/encode.h"

/* Where nginx finds objects (SENDFILE=x-accel-redirect): the address of one is
 * this, "/", two letters, "/" and its id (deploy/nginx/gatehouse.conf) */
#define DELIVERY_ADDRESS "/.gatehouse/objects/"

enum delivery_kind {
	DELIVERY_WHOLE,	    /* all of it, for several ranges too */
	DELIVERY_PART,	    /* one range */
	DELIVERY_UNCHANGED, /* 304 */
	DELIVERY_NOTHING,   /* no byte of the range is in the file: 416 */
};

struct delivery {
	const struct file *file; /* borrowed */
	enum delivery_kind kind;
	struct range range;		     /* of a whole, all of it */
	char etag[HEX_SIZE(SHA256_LEN) + 2]; /* with its quotes */
};

void delivery_plan(struct delivery *d, const struct request *rq,
		   const struct file *f);

/* Answer by our own hands, exactly as planned. ERR_RANGE, explained, for
 * DELIVERY_NOTHING; ERR_IO when the bytes are not there. */
enum err delivery_send(const struct delivery *d, struct app *app,
		       struct request *rq, struct response *rs) MUST_CHECK;

/* Answer in the quickest way. Where the server in front sends the file, by
 * sendfile(2), it reads ranges and conditions for itself, with our ETag, and
 * may read them otherwise than the plan does: an HTTP/1.0 client gets the
 * whole. nginx is not asked about conditions: 304 and 416 are ours there,
 * and a whole file for several ranges or for none that makes sense. */
enum err delivery_give(const struct delivery *d, struct app *app,
		       struct request *rq, struct response *rs) MUST_CHECK;

#endif
