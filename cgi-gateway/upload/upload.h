/* upload.h - the files of one upload on their way in: all of them or none.
 *
 * They come on the word of a session, or of an upload link (upload_links.h).
 * The bytes of each file are safe before the first row is written, and all rows
 * are written in one transaction: a 201 is a promise, and a crash before it
 * leaves at most bytes without a row, which gateway-admin gc removes. Until the
 * rows are there every file is held (store.h), however slow the request is.
 *
 *	upload_begin(&b, app, rq, rs)
 *	for each file: upload_file, { upload_bytes }*, upload_file_end
 *	upload_end(&b, e), which answers
 *
 * Each call explains to the client what was wrong.
 */
#ifndef UPLOAD_H
#define UPLOAD_H

#include "cgi-gateway/app/app.h"
#include "cgi-gateway/store/hashing_writer.h"
#include "cgi-gateway/tables/upload_links.h"
#include "common/access/session_check.h"

enum {
	/* bytes; a body that is announced as larger is worth a statement before
	 * it, to ask whether there is room */
	UPLOAD_ASK_FIRST = 1 << 20,
};

struct upload {
	struct app *app;
	struct request *rq;
	struct response *rs;
	struct file *files; /* in the arena, app->max_files of them */
	size_t count;	    /* of these, begun */
	size_t finished;    /* of these, safe in the store */
	int64_t bytes;	    /* of all of them, so far */
	struct session_check who;
	uint64_t owner; /* 0: the caller */
	/* On whose word, if not the caller's; else all zeros, which limits
	 * nothing */
	struct upload_link link;
	struct span link_token;
	int64_t max_file;   /* bytes of one file */
	int64_t expires_at; /* of all of them, from ?expires_in= */
	bool digest_given;  /* only for a body that is one file */
	unsigned char digest[SHA256_LEN];
	struct hashing_writer intake; /* of the file under way, if one is */
};

enum err upload_begin(struct upload *b, struct app *app, struct request *rq,
		      struct response *rs) MUST_CHECK;

/* The same without a session, for who holds the secret of an upload link.
 * ERR_NOT_FOUND, ERR_GONE as upload_links_find() says. */
enum err upload_begin_by_link(struct upload *b, struct app *app,
			      struct request *rq, struct response *rs,
			      struct span token) MUST_CHECK;

/* The body is one file of so many bytes: ERR_TOO_LARGE or ERR_QUOTA if that
 * cannot be, while nothing has been stored. Whether the owner has room for what
 * is small is not asked; in the end the rows decide. ERR_BAD_TOKEN for a session
 * that has ended. */
enum err upload_announced(struct upload *b, int64_t bytes) MUST_CHECK;

/* `name` and `type` as the client sent them. ERR_TOO_LARGE beyond MAX_FILES;
 * ERR_QUOTA beyond what the link takes; ERR_INVALID for a name that cannot be.
 */
enum err upload_file(struct upload *b, struct span name,
		     struct span type) MUST_CHECK;

/* ERR_TOO_LARGE beyond MAX_UPLOAD, or what the link takes of one file;
 * ERR_QUOTA beyond what it takes in all. */
enum err upload_bytes(struct upload *b, struct span bytes) MUST_CHECK;

/* Have the bytes looked at (inspect.h, with its errors), and make them safe.
 * ERR_DIGEST when a digest was given and is another. */
enum err upload_file_end(struct upload *b) MUST_CHECK;

/* With `e` ERR_OK write the rows and answer 201. With any other, or where that
 * fails, remove what was stored and return why; but when writing the rows ends
 * in ERR_UNAVAILABLE nobody knows whether they are there, so the bytes stay for
 * gc to judge. */
enum err upload_end(struct upload *b, enum err e) MUST_CHECK;

#endif
