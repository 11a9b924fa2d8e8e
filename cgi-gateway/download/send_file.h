/* send_file.h - the bytes of a file as an answer, with all that is said of them:
 * type, name, ETag, digest, ranges and conditions (RFC 9110 13 and 14).
 *
 *	send_file_plan(&d, rq, &file)	what the request asks of the file
 *	send_file_respond(&d, app, rq, rs)	the answer
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
#define SEND_FILE_ADDRESS "/.gatehouse/objects/"

enum send_file_kind {
	SEND_FILE_WHOLE,	    /* all of it, for several ranges too */
	SEND_FILE_RANGE,	    /* one range */
	SEND_FILE_NOT_MODIFIED, /* 304 */
	SEND_FILE_UNSATISFIABLE,   /* no byte of the range is in the file: 416 */
};

struct send_file {
	const struct file *file; /* borrowed */
	enum send_file_kind kind;
	struct range range;		     /* of a whole, all of it */
	char etag[HEX_SIZE(SHA256_LEN) + 2]; /* with its quotes */
};

void send_file_plan(struct send_file *d, const struct request *rq,
		   const struct file *f);

/* Answer by our own hands, exactly as planned. ERR_RANGE, explained, for
 * SEND_FILE_UNSATISFIABLE; ERR_IO when the bytes are not there. */
enum err send_file_stream(const struct send_file *d, struct app *app,
		       struct request *rq, struct response *rs) MUST_CHECK;

/* Answer in the quickest way. Where the server in front sends the file, by
 * sendfile(2), it reads ranges and conditions for itself, with our ETag, and
 * may read them otherwise than the plan does: an HTTP/1.0 client gets the
 * whole. nginx is not asked about conditions: 304 and 416 are ours there,
 * and a whole file for several ranges or for none that makes sense. */
enum err send_file_respond(const struct send_file *d, struct app *app,
		       struct request *rq, struct response *rs) MUST_CHECK;

#endif
