/* upload.h - one upload request: all of its files are stored, or none.
 *
 * An upload comes from a session (upload_by_session.h) or by an upload link
 * (upload_by_link.h). What differs between the two is a struct upload_origin;
 * everything else is here.
 *
 * The bytes of every file are durable before the first row is written, and all
 * rows are written in one transaction: after a 201 the files survive a crash. A
 * crash before it leaves at most bytes without a row, which gateway-admin gc
 * removes. Every file stays locked in the store (store.h) until the rows are
 * committed, however slow the request is.
 *
 *	upload_by_session_begin(&u, app, rq, rs) or upload_by_link_begin()
 *	for each file: upload_file, { upload_bytes }*, upload_file_end
 *	upload_end(&u, e)	sends the response
 *
 * Each call explains its error to the client.
 */
#ifndef UPLOAD_H
#define UPLOAD_H

#include "cgi-gateway/app/app.h"
#include "cgi-gateway/store/hashing_writer.h"

enum {
	/* bytes; for a body of at least this length, a share of the disk is
	 * reserved, and the quota is checked again when it has arrived */
	UPLOAD_ASK_FIRST = 1 << 20,
	UPLOAD_WHERE_MAX = 96, /* bytes */
	/* bytes of a body that is a file; session and room are checked when all
	 * of it is there, if it arrives without a pause. Less than the buffer of
	 * a writer: nothing of it is on the disk yet. */
	UPLOAD_CHECKED_LATE = 64 * 1024,
	UPLOAD_PAUSE = 5, /* milliseconds of such a pause */
};

struct upload;

/* What depends on the origin of an upload. Each call explains its error. */
struct upload_origin {
	/* ERR_QUOTA if the origin itself does not allow `files` files of
	 * `bytes` bytes in this upload. Reads no table. */
	enum err (*check_limits)(const struct upload *u, int64_t files,
				 int64_t bytes);
	/* Check the session, or the link. ERR_QUOTA if the owner has no room
	 * for `more` now. Reserves nothing. */
	enum err (*check_room)(struct upload *u, struct amount more);
	/* Insert a row for each file, in one transaction. ERR_QUOTA;
	 * ERR_UNAVAILABLE: it is unknown whether the rows were committed. */
	enum err (*insert_rows)(struct upload *u);
	/* The user whose files these will be. */
	uint64_t (*owner)(const struct upload *u);
	/* Set the expiry of every file from `text`, a number of seconds; a form
	 * may have it after its files. ERR_INVALID if `text` is not allowed,
	 * was given before, or if the origin does not allow to set it. */
	enum err (*set_expiry)(struct upload *u, struct span text);
	/* Send the 201. */
	enum err (*respond)(struct upload *u);
};

struct upload {
	struct app *app;
	struct request *rq;
	struct response *rs;
	const struct upload_origin *origin;
	void *origin_data;	    /* the origin's own, in the arena */
	struct file *files;	    /* in the arena, app->max_files of them */
	size_t count;		    /* of these, started */
	size_t finished;	    /* of these, durable in the store */
	int64_t bytes;		    /* received so far, of all files */
	struct file file_defaults;  /* initial value of each file */
	int64_t max_file;	    /* bytes of one file */
	const char *max_file_limit; /* the name of that limit */
	/* The body is not there: find out whether it may be received
	 * (upload_admission.h) */
	bool admitting;
	bool fits; /* upload_admit() found so */
	/* By its Content-Range the only file is whole if it has so many bytes;
	 * 0 without one (upload_whole.h) */
	int64_t whole_size;
	bool check_due; /* check_room() is to be called when the body is there */
	/* check_room() is called after the last byte, and insert_rows() soon
	 * after it: the one need not ask for the room, nor the other check the
	 * session again */
	bool checked;
	bool has_digest; /* only for a body that is one file */
	unsigned char digest[SHA256_LEN];
	struct hashing_writer current; /* the file being received, if any */
	/* The beginning of an explanation: which part of a form; or "" */
	char where[UPLOAD_WHERE_MAX];
};

/* Check a body that is one file of `bytes` bytes, REQUEST_LENGTH_UNKNOWN
 * included: ERR_TOO_LARGE or ERR_QUOTA if it cannot be stored, and the errors
 * of upload_admit(), which for a small body upload_check_due() returns.
 * insert_rows() decides in the end. */
enum err upload_check_length(struct upload *u, int64_t bytes) MUST_CHECK;

/* Call before each read of a body that upload_check_length() has checked, and
 * at its end, `ended`: does the check of session and room if it is due. The same
 * errors. */
enum err upload_check_due(struct upload *u, bool ended) MUST_CHECK;

/* Check a form of `bytes` bytes in the same way. */
enum err upload_check_form(struct upload *u, int64_t bytes) MUST_CHECK;

/* Start a new file; `name` and `type` are as the client sent them.
 * ERR_TOO_LARGE if there are more than MAX_FILES; ERR_QUOTA if the origin's
 * limits are exceeded; ERR_INVALID for a name that is not allowed. */
enum err upload_file(struct upload *u, struct span name,
		     struct span type) MUST_CHECK;

/* Append to the file. ERR_TOO_LARGE beyond u->max_file; ERR_QUOTA if the
 * origin's limits are exceeded. */
enum err upload_bytes(struct upload *u, struct span bytes) MUST_CHECK;

/* Return true between upload_file() and upload_file_end(). */
bool upload_is_in_file(const struct upload *u);

/* Check the content (content_check.h, with its errors), and make the bytes
 * durable. ERR_DIGEST if the request has a digest and the bytes do not match
 * it. */
enum err upload_file_end(struct upload *u) MUST_CHECK;

/* If u->admitting, return `e`. If `e` is ERR_OK, insert the rows and send the 201. Otherwise, and if that
 * fails, remove the stored bytes and return the error. But if inserting the
 * rows returns ERR_UNAVAILABLE, the bytes are kept: the rows may have been
 * committed, and gateway-admin gc removes the bytes later if they were not. */
enum err upload_end(struct upload *u, enum err e) MUST_CHECK;

/* --- for an origin -------------------------------------------------------- */

/* Fill *u. u->origin_data gets `data_size` bytes of zeros. ERR_MEMORY. */
enum err upload_init(struct upload *u, struct app *app, struct request *rq,
		     struct response *rs, const struct upload_origin *origin,
		     size_t data_size) MUST_CHECK;

/* Send 201 with {"files": [...]}; `json` makes the owned object of one file, or
 * returns NULL when out of memory. */
typedef struct json_object *upload_json_fn(const struct upload *u,
					   const struct file *f);
enum err upload_respond(struct upload *u, upload_json_fn *json) MUST_CHECK;

#endif
