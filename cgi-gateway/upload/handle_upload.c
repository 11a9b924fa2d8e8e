/* POST /upload and PUT /upload/{name}: bytes in, records out. The same without
 * an account: POST /u/{token} and PUT /u/{token}/{name}. */
#include "cgi-gateway/parse/digest_field.h"
#include "cgi-gateway/parse/multipart.h"
#include "cgi-gateway/upload/upload.h"
#include "common/codec/encode.h"

#include <string.h>

/* The body is the file */
static enum err take_raw(struct upload *b, struct span name)
{
	struct span chunk;
	enum err e;

	/* A known length is refused before a byte of it is stored */
	e = upload_announced(b, b->rq->content_length);
	if (e == ERR_OK)
		e = upload_file(b, name, request_content_type(b->rq));
	while (e == ERR_OK) {
		e = request_read(b->rq, &chunk);
		if (e != ERR_OK || chunk.len == 0)
			break;
		/* Where the end is not announced, a broken connection looks
		 * like one */
		if (b->rq->content_length == REQUEST_LENGTH_UNKNOWN)
			return ERR_LENGTH_REQUIRED;
		e = upload_bytes(b, chunk);
	}
	return e == ERR_OK ? upload_file_end(b) : e;
}

static enum err take_event(struct upload *b, const struct multipart_event *ev)
{
	switch (ev->kind) {
	case MULTIPART_PART:
		/* A field that is no file, or a form's file input in which
		 * none was chosen, is passed over */
		if (!ev->is_file || ev->file.len == 0)
			return ERR_OK;
		return upload_file(b, ev->file, ev->type);
	case MULTIPART_DATA:
		return b->intake.writer != NULL ? upload_bytes(b, ev->data)
						: ERR_OK;
	case MULTIPART_END:
		return b->intake.writer != NULL ? upload_file_end(b) : ERR_OK;
	default:
		return ERR_OK;
	}
}

static enum err take_multipart(struct upload *b)
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

static enum err begin_raw(struct upload *b)
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

static enum err take_named(struct upload *b, struct span name)
{
	enum err e = begin_raw(b);

	return e == ERR_OK ? upload_end(b, take_raw(b, name)) : e;
}

static bool is_multipart(const struct request *rq)
{
	struct span type = request_content_type(rq), params;

	(void)span_cut(&type, ';', &params);
	return span_eq_nocase(span_trim(type), SPAN("multipart/form-data"));
}

/* A form, or a body whose name the query has */
static enum err take_posted(struct upload *b)
{
	bool is_form = is_multipart(b->rq);
	struct span name = { NULL, 0 };
	enum err e;

	if (is_form && request_query(b->rq, "sha256", &name) != ERR_NOT_FOUND)
		return response_explain(b->rs, ERR_FORMAT,
					"?sha256= is for a body that is the "
					"file itself, not for a form.");
	if (is_form)
		return upload_end(b, take_multipart(b));
	e = request_query(b->rq, "name", &name);
	if (e == ERR_NOT_FOUND)
		return response_explain(b->rs, ERR_NO_FILE,
					"Send multipart/form-data, or the file "
					"as the body and its name as ?name=.");
	return e == ERR_OK ? take_named(b, name) : e;
}

enum err handle_upload(void *app, struct request *rq, struct response *rs)
{
	struct upload b;
	enum err e = upload_begin(&b, app, rq, rs);

	return e == ERR_OK ? take_posted(&b) : e;
}

enum err handle_upload_named(void *app, struct request *rq, struct response *rs)
{
	struct upload b;
	enum err e = upload_begin(&b, app, rq, rs);

	return e == ERR_OK ? take_named(&b, rq->param) : e;
}

enum err handle_upload_link_post(void *app, struct request *rq,
				 struct response *rs)
{
	struct upload b;
	enum err e = upload_begin_by_link(&b, app, rq, rs, rq->param);

	return e == ERR_OK ? take_posted(&b) : e;
}

enum err handle_upload_link_put(void *app, struct request *rq,
				struct response *rs)
{
	struct span token = rq->param, name = { NULL, 0 };
	struct upload b;
	enum err e;

	(void)span_cut(&token, '/', &name); /* the route has it */
	e = upload_begin_by_link(&b, app, rq, rs, token);
	return e == ERR_OK ? take_named(&b, name) : e;
}
