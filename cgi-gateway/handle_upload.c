/* POST /upload and PUT /upload/{name}: bytes in, records out.
 *
 * The bytes of each file are safe before the first row is written, and all rows
 * are written in one transaction: a 201 is a promise, and a crash before it
 * leaves at most bytes without a row, which gateway-admin gc removes. */
#include "app.h"

#include "digest_field.h"
#include "encode.h"
#include "intake.h"
#include "multipart.h"
#include "record.h"

#include <string.h>

/* One request's files on their way in */
struct batch {
	struct app *app;
	struct request *rq;
	struct response *rs;
	struct file *files; /* in the arena, app->max_files of them */
	size_t count;	    /* of these, begun */
	size_t finished;    /* of these, safe in the store */
	uint64_t owner;
	int64_t expires_at;
	bool digest_given; /* only for a body that is one file */
	unsigned char digest[SHA256_LEN];
	struct intake intake;
};

static enum err begin_file(struct batch *b, struct span name, struct span type)
{
	struct file *f;

	if (b->count == (size_t)b->app->max_files)
		return response_explain(
			b->rs, ERR_TOO_LARGE,
			"More than %lld files in one request "
			"(MAX_FILES). Send the rest in another.",
			(long long)b->app->max_files);
	f = &b->files[b->count];
	*f = (struct file) {
		.owner = b->owner,
		.created_at = b->rq->now,
		.expires_at = b->expires_at,
	};
	if (file_name_clean(name, f->name) != ERR_OK)
		return response_explain(b->rs, ERR_INVALID,
					"A file's name is 1 to %d bytes of "
					"UTF-8 without control characters, and "
					"not . or ..",
					FILE_NAME_MAX);
	file_type_clean(type, f->type);
	ident_uuid7(b->rq->now_ms, f->id);
	b->count++;
	return intake_begin(&b->intake, b->app->store, f, b->app->max_upload,
			    &b->rs->why);
}

static enum err add_bytes(struct batch *b, struct span bytes)
{
	enum err e = intake_add(&b->intake, bytes, &b->rs->why);

	if (e == ERR_TOO_LARGE)
		return response_explain(b->rs, e,
					"The file is larger than %lld bytes "
					"(MAX_UPLOAD).",
					(long long)b->app->max_upload);
	return e;
}

static enum err end_file(struct batch *b)
{
	enum err e = intake_finish(
		&b->intake, b->digest_given ? b->digest : NULL, &b->rs->why);

	if (e == ERR_OK)
		b->finished++;
	return e;
}

/* The body is the file */
static enum err take_raw(struct batch *b, struct span name)
{
	struct span chunk;
	enum err e;

	/* A known length is refused before a byte of it is stored */
	if (b->rq->content_length > b->app->max_upload)
		return response_explain(b->rs, ERR_TOO_LARGE,
					"The file is larger than %lld bytes "
					"(MAX_UPLOAD).",
					(long long)b->app->max_upload);
	e = begin_file(b, name, request_content_type(b->rq));
	while (e == ERR_OK) {
		e = request_read(b->rq, &chunk);
		if (e != ERR_OK || chunk.len == 0)
			break;
		/* Where the end is not announced, a broken connection looks
		 * like one */
		if (b->rq->content_length == REQUEST_LENGTH_UNKNOWN)
			return ERR_LENGTH_REQUIRED;
		e = add_bytes(b, chunk);
	}
	return e == ERR_OK ? end_file(b) : e;
}

static enum err take_event(struct batch *b, const struct multipart_event *ev)
{
	switch (ev->kind) {
	case MULTIPART_PART:
		/* A field that is no file, or a form's file input in which
		 * none was chosen, is passed over */
		if (!ev->is_file || ev->file.len == 0)
			return ERR_OK;
		return begin_file(b, ev->file, ev->type);
	case MULTIPART_DATA:
		return b->intake.writer != NULL ? add_bytes(b, ev->data)
						: ERR_OK;
	case MULTIPART_END:
		return b->intake.writer != NULL ? end_file(b) : ERR_OK;
	default:
		return ERR_OK;
	}
}

static enum err take_multipart(struct batch *b)
{
	struct multipart *m = arena_alloc(b->rq->arena, sizeof(*m));
	struct multipart_event ev;
	struct span chunk;
	enum err e;

	if (m == NULL)
		return ERR_MEMORY;
	if (multipart_init(m, request_content_type(b->rq)) != ERR_OK)
		return response_explain(b->rs, ERR_FORMAT,
					"The Content-Type has no usable "
					"boundary.");
	while ((e = request_read(b->rq, &chunk)) == ERR_OK && chunk.len > 0) {
		do {
			e = multipart_next(m, &chunk, &ev);
			if (e == ERR_OK)
				e = take_event(b, &ev);
		} while (e == ERR_OK && ev.kind != MULTIPART_HUNGRY);
		if (e != ERR_OK)
			break;
	}
	if (e == ERR_FORMAT)
		return response_explain(b->rs, e,
					"The body is not multipart/form-data.");
	if (e == ERR_OK && !multipart_complete(m))
		return ERR_TRUNCATED;
	return e == ERR_OK && b->count == 0 ? ERR_NO_FILE : e;
}

enum { ANNOUNCEMENTS = 3 };

/* ?sha256=, Repr-Digest and Content-Digest, by number. ERR_NOT_FOUND */
static enum err announcement(const struct request *rq, int number,
			     unsigned char out[static SHA256_LEN])
{
	struct span text;
	size_t len;
	enum err e;

	if (number == 1)
		return digest_field_parse(request_header(rq, "Repr-Digest"),
					  out);
	if (number == 2)
		return digest_field_parse(request_header(rq, "Content-Digest"),
					  out);
	e = request_query(rq, "sha256", &text);
	if (e == ERR_OK &&
	    (text.len != HEX_SHA256_LEN ||
	     hex_decode(text, (char *)out, SHA256_LEN, &len) != ERR_OK))
		e = ERR_FORMAT;
	return e;
}

/* Of a body that is the file itself all three must say the same: no bytes can
 * match two that differ. ERR_NOT_FOUND where none is given. */
static enum err announced_digest(const struct request *rq,
				 unsigned char out[static SHA256_LEN])
{
	unsigned char one[SHA256_LEN];
	enum err found = ERR_NOT_FOUND;

	for (int i = 0; i < ANNOUNCEMENTS; i++) {
		enum err e = announcement(rq, i, one);

		if (e == ERR_NOT_FOUND)
			continue;
		if (e == ERR_OK && found == ERR_OK &&
		    memcmp(one, out, SHA256_LEN) != 0)
			e = ERR_DIGEST;
		if (e != ERR_OK)
			return e;
		memcpy(out, one, SHA256_LEN);
		found = ERR_OK;
	}
	return found;
}

static enum err read_expiry(struct batch *b)
{
	struct span text;
	int64_t seconds;
	enum err e = request_query(b->rq, "expires_in", &text);

	b->expires_at = FILES_NEVER;
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	if (!span_to_int(text, &seconds))
		seconds = 0; /* explained with the rest of what cannot be */
	return record_expiry(b->rq, b->rs, seconds, &b->expires_at);
}

static enum err begin_batch(struct batch *b, void *app, struct request *rq,
			    struct response *rs)
{
	enum err e;

	*b = (struct batch) { .app = app, .rq = rq, .rs = rs };
	b->files = arena_alloc(rq->arena,
			       sizeof(*b->files) * (size_t)b->app->max_files);
	if (b->files == NULL)
		return ERR_MEMORY;
	e = record_owner(rq, rs, &b->owner);
	return e == ERR_OK ? read_expiry(b) : e;
}

static enum err begin_raw(struct batch *b)
{
	enum err e = announced_digest(b->rq, b->digest);

	b->digest_given = e == ERR_OK;
	if (e == ERR_FORMAT)
		return response_explain(b->rs, e,
					"A digest is ?sha256= with 64 hex "
					"digits, or Repr-Digest: "
					"sha-256=:base64: (RFC 9530).");
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err answer(struct batch *b)
{
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();
	enum err e;

	(void)json_object_object_add(o, "files", list);
	for (size_t i = 0; i < b->count; i++)
		(void)json_object_array_add(
			list, record_json(b->app, b->rq, &b->files[i]));
	if (b->count == 1) {
		char tail[sizeof("/files/") + UUID_LEN];
		struct buf url;

		buf_init(&url, REQUEST_PATH_MAX);
		(void)snprintf(tail, sizeof(tail), "/files/%s", b->files[0].id);
		record_url(b->app, b->rq, tail, &url);
		response_header(b->rs, "Location", buf_span(&url));
		buf_release(&url);
	}
	e = response_json(b->rs, 201, o);
	json_object_put(o);
	return e;
}

/* The files of a slow request finish far apart. To gc the first may look left
 * behind, for it has no row yet: what was taken meanwhile must not get one. */
static enum err still_stored(struct batch *b)
{
	char path[STORE_PATH_MAX];

	for (size_t i = 0; i + 1 < b->finished; i++)
		if (store_path(b->app->store, b->files[i].id, path) != ERR_OK)
			return err_set(&b->rs->why, ERR_IO,
				       "object %s vanished before its row",
				       b->files[i].id);
	return ERR_OK;
}

/* All files are in the store, or `e` tells why not */
static enum err end_batch(struct batch *b, enum err e)
{
	if (e == ERR_OK)
		e = still_stored(b);
	if (e == ERR_OK)
		e = files_add(b->app->db, b->files, b->count, &b->rs->why);
	if (e == ERR_OK)
		return answer(b);
	intake_abandon(&b->intake);
	/* Whether the rows are there is not known when the database went away
	 * in the middle: the bytes must stay, gc will look again */
	if (e != ERR_UNAVAILABLE)
		for (size_t i = 0; i < b->finished; i++)
			(void)!store_remove(b->app->store, b->files[i].id,
					    NULL);
	return e;
}

static bool is_multipart(const struct request *rq)
{
	struct span type = request_content_type(rq), params;

	(void)span_cut(&type, ';', &params);
	return span_eq_nocase(span_trim(type), SPAN("multipart/form-data"));
}

enum err handle_upload(void *app, struct request *rq, struct response *rs)
{
	struct span name = { NULL, 0 };
	struct batch b;
	enum err e = begin_batch(&b, app, rq, rs);

	if (e != ERR_OK)
		return e;
	if (is_multipart(rq))
		return end_batch(&b, take_multipart(&b));
	e = request_query(rq, "name", &name);
	if (e == ERR_NOT_FOUND)
		return response_explain(rs, ERR_NO_FILE,
					"Send multipart/form-data, or the file "
					"as the body and its name as ?name=.");
	if (e == ERR_OK)
		e = begin_raw(&b);
	return e == ERR_OK ? end_batch(&b, take_raw(&b, name)) : e;
}

enum err handle_upload_named(void *app, struct request *rq, struct response *rs)
{
	struct batch b;
	enum err e = begin_batch(&b, app, rq, rs);

	if (e == ERR_OK)
		e = begin_raw(&b);
	return e == ERR_OK ? end_batch(&b, take_raw(&b, rq->tail)) : e;
}
