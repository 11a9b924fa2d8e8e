/* tus.h - what the handlers of resumable uploads share (tus 1.0.0).
 *
 *	tus_begin(&t, app, rq, rs)	the version, and who asks
 *	tus_find(&t)			the upload that the path names
 *
 * An upload is at /tus/{id}, and becomes the file /files/{id}. Whose it is
 * counts, not by which token it was begun.
 */
#ifndef TUS_H
#define TUS_H

#include "cgi-gateway/app/app.h"
#include "cgi-gateway/tables/tus_uploads.h"

#define TUS_EXTENSIONS                                                    \
	"creation,creation-with-upload,creation-defer-length,expiration," \
	"checksum,termination,concatenation"

struct tus {
	struct app *app;
	struct request *rq;
	struct response *rs;
	struct session_check who;
	uint64_t owner;	     /* 0: the caller */
	struct tus_upload u; /* after tus_find(), or being made */
	int64_t told; /* the length that this request tells of one that has
			  * none yet, or TUS_LENGTH_UNKNOWN */
};

/* As struct program's: every answer names the version, that to OPTIONS all that
 * we can, and X-HTTP-Method-Override is heeded. */
void tus_arrive(void *app, struct request *rq, struct response *rs);

/* ERR_TUS_VERSION; record.h's for ?owner=. */
enum err tus_begin(struct tus *t, struct app *app, struct request *rq,
		   struct response *rs) MUST_CHECK;

/* ERR_NOT_FOUND; ERR_BAD_TOKEN and ERR_SCOPE for a session that has ended, or may
 * not write. */
enum err tus_find(struct tus *t) MUST_CHECK;

/* A header field that is a number; `absent` where it is not sent. ERR_FORMAT,
 * explained. */
enum err tus_number(struct tus *t, const char *field, int64_t absent,
		    int64_t *out) MUST_CHECK;

/* Whether the body is bytes of an upload. */
bool tus_has_bytes(const struct request *rq);

/* Until when it stays if nothing more comes. */
void tus_expires(struct tus *t, int64_t written_at);

#endif
