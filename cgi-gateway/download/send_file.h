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

#include "cgi-gateway/app/file_conditions.h"
#include "cgi-gateway/parse/range.h"

/* Where nginx finds objects (SENDFILE=x-accel-redirect): the address of an
 * object is this, two letters, "/" and its id (deploy/nginx/gatehouse.conf) */
#define SEND_FILE_ADDRESS "/.gatehouse/objects/"

enum {
	SEND_FILE_READ = 128 * 1024, /* bytes read from the store at a time */
};

enum send_file_kind {
	SEND_FILE_WHOLE,	 /* including if several ranges are requested */
	SEND_FILE_RANGE,	 /* one range: 206 */
	SEND_FILE_NOT_MODIFIED,	 /* 304 */
	SEND_FILE_UNSATISFIABLE, /* the range is outside the file: 416 */
	SEND_FILE_REFUSED,	 /* a condition does not hold: 412 */
};

struct send_file {
	const struct file *file; /* borrowed */
	enum send_file_kind kind;
	struct range range; /* the bytes to send */
	char etag[FILE_ETAG_SIZE];
};

void send_file_plan(struct send_file *s, const struct request *rq,
		    const struct file *f);

/* Respond exactly as planned; the gateway itself sends the bytes. ERR_RANGE,
 * explained, for SEND_FILE_UNSATISFIABLE; ERR_CONDITION, explained, for
 * SEND_FILE_REFUSED; ERR_IO if the bytes are missing. */
enum err send_file_stream(const struct send_file *s, struct app *app,
			  struct request *rq, struct response *rs) MUST_CHECK;

/* Respond in the fastest way. If SENDFILE is set, the server in front sends the
 * file by sendfile(2), whole or the range that it finds in the request itself:
 * lighttpd sends several ranges as multipart/byteranges, and an HTTP/1.0 client
 * gets the whole file. A response without bytes, and a request that the server
 * would understand in another way, remain with the gateway. */
enum err send_file_respond(const struct send_file *s, struct app *app,
			   struct request *rq, struct response *rs) MUST_CHECK;

#endif
