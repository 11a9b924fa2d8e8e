/* send_file.h - sends a file: its bytes, with type, name, ETag, digest, ranges
 * and conditions (RFC 9110 13 and 14).
 *
 *	send_file_plan(&s, rq, &file)		what the request asks for
 *	send_file_respond(&s, app, rq, rs)	the response
 *
 * Between the two a handler may check the plan and refuse the request.
 */
#ifndef SEND_FILE_H
#define SEND_FILE_H

#include "cgi-gateway/app/app.h"
#include "cgi-gateway/parse/range.h"
#include "common/codec/encode.h"

/* Where nginx finds objects (SENDFILE=x-accel-redirect): the address of an
 * object is this, two letters, "/" and its id (deploy/nginx/gatehouse.conf) */
#define SEND_FILE_ADDRESS "/.gatehouse/objects/"

enum send_file_kind {
	SEND_FILE_WHOLE,	 /* including if several ranges are requested */
	SEND_FILE_RANGE,	 /* one range: 206 */
	SEND_FILE_NOT_MODIFIED,	 /* 304 */
	SEND_FILE_UNSATISFIABLE, /* the range is outside the file: 416 */
};

struct send_file {
	const struct file *file; /* borrowed */
	enum send_file_kind kind;
	struct range range;		     /* the bytes to send */
	char etag[HEX_SIZE(SHA256_LEN) + 2]; /* with its quotes */
};

void send_file_plan(struct send_file *s, const struct request *rq,
		    const struct file *f);

/* Respond exactly as planned; the gateway itself sends the bytes. ERR_RANGE,
 * explained, for SEND_FILE_UNSATISFIABLE; ERR_IO if the bytes are missing. */
enum err send_file_stream(const struct send_file *s, struct app *app,
			  struct request *rq, struct response *rs) MUST_CHECK;

/* Respond in the fastest way. If SENDFILE is set, the server in front sends the
 * file by sendfile(2). It evaluates ranges and conditions itself, with our
 * ETag, and may differ from the plan: an HTTP/1.0 client gets the whole file.
 * Conditions are not left to nginx: with it, the gateway itself sends a 304, a
 * 416, and the whole file for several ranges or for a malformed one. */
enum err send_file_respond(const struct send_file *s, struct app *app,
			   struct request *rq, struct response *rs) MUST_CHECK;

#endif
