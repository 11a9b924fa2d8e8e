#include "cgi-gateway/upload/upload_form.h"

#include "cgi-gateway/parse/chunk_param.h"
#include "cgi-gateway/parse/multipart.h"
#include "cgi-gateway/upload/upload_whole.h"
#include "common/codec/encode.h"
#include "common/codec/visible_text.h"

#include <string.h>

/* What the current part is */
enum part_kind {
	PART_FILE,
	PART_NO_FILE, /* a file input without a chosen file */
	PART_IGNORED, /* a field that is not a parameter */
	PART_EXPIRES_IN,
	PART_SHA256,
	PART_OWNER,
};

struct form {
	struct upload *u;
	struct multipart m;
	enum part_kind kind;
	struct chunk_claim chunks;
	struct span name; /* of the current field */
	size_t size;	  /* bytes of it */
	char value[UPLOAD_VALUE_MAX];
	bool has_expiry, has_sha256;
	unsigned char sha256[SHA256_LEN];
};

/* --- explanations --------------------------------------------------------- */

/* Set the beginning of all explanations about this part */
static void name_part(struct form *f, struct span name)
{
	struct upload *u = f->u;

	if (visible_text_can_be_quoted(name))
		(void)snprintf(u->where, sizeof(u->where),
			       "Part %zu (field \"%.*s\"): ", f->m.parts,
			       SPAN_ARG(name));
	else
		(void)snprintf(u->where, sizeof(u->where),
			       "Part %zu: ", f->m.parts);
}

#define EXPLAIN(f, e, text) \
	response_explain((f)->u->rs, e, "%s" text, (f)->u->where)

static enum err explain_encoding(struct form *f, const char *field,
				 struct span value)
{
	if (!visible_text_can_be_quoted(value))
		value = SPAN("this");
	return response_explain(f->u->rs, ERR_MEDIA_TYPE,
				"%s%s: %.*s is not supported. Send the bytes "
				"themselves.",
				f->u->where, field, SPAN_ARG(value));
}

/* --- the beginning of a part ---------------------------------------------- */

/* Check that the bytes of a part are sent as they are */
static enum err check_encoding(struct form *f, const struct part_head *h)
{
	static const char *const names[] = { "binary", "8bit", "7bit",
					     "identity", NULL };
	bool plain = h->transfer.len == 0;

	for (size_t i = 0; names[i] != NULL && !plain; i++)
		plain = span_eq_nocase(h->transfer, span_of(names[i]));
	if (!plain)
		return explain_encoding(f, "Content-Transfer-Encoding",
					h->transfer);
	if (h->coding.len > 0 && !span_eq_nocase(h->coding, SPAN("identity")))
		return explain_encoding(f, "Content-Encoding", h->coding);
	return ERR_OK;
}

static enum err begin_file(struct form *f, const struct part_head *h)
{
	enum err e = check_encoding(f, h);

	if (e != ERR_OK)
		return e;
	if (h->range.len > 0 && !upload_whole_range(f->u, h->range))
		return upload_whole_refuse(f->u, SPAN("Content-Range"));
	if (h->bad_file)
		return EXPLAIN(f, ERR_INVALID,
			       "its filename* is malformed (RFC 8187). Send "
			       "filename=\"...\" in UTF-8.");
	f->kind = h->file.len > 0 ? PART_FILE : PART_NO_FILE;
	return h->file.len > 0 ? upload_file(f->u, h->file, h->type) : ERR_OK;
}

static enum part_kind kind_of_field(struct span name)
{
	if (span_eq(name, SPAN("expires_in")))
		return PART_EXPIRES_IN;
	if (span_eq(name, SPAN("sha256")))
		return PART_SHA256;
	if (span_eq(name, SPAN("owner")))
		return PART_OWNER;
	return PART_IGNORED;
}

static enum err begin_field(struct form *f, const struct part_head *h)
{
	f->name = h->name;
	if (part_head_has_type_of_file(h))
		return EXPLAIN(f, ERR_INVALID,
			       "by its Content-Type it is a file, but it has "
			       "no filename. Send one; nothing was stored.");
	f->kind = kind_of_field(h->name);
	/* Ignored, the files would become those of the admin who sends it */
	if (f->kind == PART_OWNER && f->u->rq->authenticated)
		return EXPLAIN(f, ERR_INVALID,
			       "the owner must be in the query, as ?owner=.");
	if (f->kind == PART_EXPIRES_IN || f->kind == PART_SHA256)
		return check_encoding(f, h);
	return ERR_OK;
}

static enum err begin_part(struct form *f, const struct part_head *h)
{
	name_part(f, h->name);
	f->size = 0;
	if (f->m.parts > UPLOAD_PARTS_MAX)
		return response_explain(f->u->rs, ERR_TOO_LARGE,
					"The form has more than %d parts.",
					UPLOAD_PARTS_MAX);
	return h->is_file ? begin_file(f, h) : begin_field(f, h);
}

/* --- the bytes of a part -------------------------------------------------- */

static enum err add_to_field(struct form *f, struct span bytes)
{
	if (f->kind == PART_NO_FILE)
		return EXPLAIN(f, ERR_INVALID,
			       "its filename is empty, but it has bytes. Send "
			       "a filename; nothing was stored.");
	if (span_find(bytes, '\0') < bytes.len)
		return EXPLAIN(f, ERR_INVALID,
			       "it is not text, and has no filename. Send a "
			       "filename if it is a file; nothing was stored.");
	if (bytes.len > UPLOAD_FIELD_MAX - f->size)
		return response_explain(f->u->rs, ERR_TOO_LARGE,
					"%sa field has at most %d bytes. Send "
					"a filename if it is a file; nothing "
					"was stored.",
					f->u->where, UPLOAD_FIELD_MAX);
	if (f->size < sizeof(f->value)) {
		size_t room = sizeof(f->value) - f->size;

		memcpy(f->value + f->size, bytes.p,
		       bytes.len < room ? bytes.len : room);
	}
	f->size += bytes.len;
	return ERR_OK;
}

/* --- the end of a part ---------------------------------------------------- */

static enum err end_sha256(struct form *f, struct span value)
{
	size_t len;

	if (f->has_sha256)
		return EXPLAIN(f, ERR_INVALID, "sha256 occurs twice.");
	if (value.len != HEX_SHA256_LEN ||
	    hex_decode(value, (char *)f->sha256, SHA256_LEN, &len) != ERR_OK)
		return EXPLAIN(f, ERR_INVALID, "sha256 must be 64 hex digits.");
	f->has_sha256 = true;
	return ERR_OK;
}

static enum err end_field(struct form *f)
{
	const struct span value = { f->value,
				    f->size < sizeof(f->value) ? f->size : 0 };

	chunk_claim_add(&f->chunks, f->name, value);
	if (f->chunks.several && f->chunks.by[0] != '\0')
		return upload_whole_refuse(f->u, span_of(f->chunks.by));
	if (f->kind == PART_SHA256)
		return end_sha256(f, value);
	if (f->kind == PART_EXPIRES_IN && f->has_expiry)
		return EXPLAIN(f, ERR_INVALID, "expires_in occurs twice.");
	if (f->kind == PART_EXPIRES_IN) {
		f->has_expiry = true;
		return f->u->origin->set_expiry(f->u, value);
	}
	return ERR_OK;
}

static enum err handle_event(struct form *f, const struct multipart_event *ev)
{
	bool in_file = upload_is_in_file(f->u);

	switch (ev->kind) {
	case MULTIPART_PART:
		return begin_part(f, &ev->part);
	case MULTIPART_DATA:
		return in_file ? upload_bytes(f->u, ev->data)
			       : add_to_field(f, ev->data);
	case MULTIPART_END:
		return in_file ? upload_file_end(f->u) : end_field(f);
	default:
		return ERR_OK;
	}
}

/* --- the form ------------------------------------------------------------- */

/* Apply the field sha256, which may have come before or after its file */
static enum err check_sha256(const struct form *f)
{
	const struct upload *u = f->u;

	if (!f->has_sha256)
		return ERR_OK;
	if (u->count != 1)
		return response_explain(u->rs, ERR_INVALID,
					"The field sha256 is for a form with "
					"one file; this one has %zu. Nothing "
					"was stored.",
					u->count);
	return memcmp(u->files[0].sha256, f->sha256, SHA256_LEN) == 0
		       ? ERR_OK
		       : ERR_DIGEST;
}

static enum err explain_malformed(const struct form *f, enum err e)
{
	struct response *rs = f->u->rs;

	if (e == ERR_TOO_LARGE)
		return response_explain(rs, e,
					"The header lines of part %zu are "
					"longer than %d bytes.",
					f->m.parts + 1, MULTIPART_HEAD_MAX);
	if (f->m.state == MULTIPART_BODY)
		return response_explain(
			rs, e,
			"The body is not multipart/form-data: the header lines "
			"of part %zu are malformed. They need one "
			"Content-Disposition: form-data; name=\"...\".",
			f->m.parts);
	return response_explain(rs, e,
				"The body is not multipart/form-data: the text "
				"at the boundary after part %zu is malformed.",
				f->m.parts);
}

static enum err receive_piece(struct form *f, struct span piece)
{
	struct multipart_event ev;
	enum err e;

	do {
		e = multipart_next(&f->m, &piece, &ev);
		if (e != ERR_OK)
			return explain_malformed(f, e);
		e = handle_event(f, &ev);
	} while (e == ERR_OK && ev.kind != MULTIPART_NEEDS_MORE);
	return e;
}

static enum err receive(struct form *f)
{
	struct span piece;
	enum err e;

	while ((e = request_read(f->u->rq, &piece)) == ERR_OK &&
	       piece.len > 0) {
		e = receive_piece(f, piece);
		if (e != ERR_OK)
			return e;
	}
	if (e == ERR_OK && !multipart_complete(&f->m))
		return ERR_TRUNCATED;
	return e == ERR_OK && f->u->count == 0 ? ERR_NO_FILE : e;
}

enum err upload_form_receive(struct upload *u)
{
	struct form *f = arena_alloc(u->rq->arena, sizeof(*f));
	enum err e;

	if (f == NULL)
		return ERR_MEMORY;
	memset(f, 0, sizeof(*f));
	f->u = u;
	if (multipart_init(&f->m, request_content_type(u->rq)) != ERR_OK)
		return response_explain(u->rs, ERR_FORMAT,
					"The Content-Type has no usable "
					"boundary. Send it as "
					"multipart/form-data; boundary=...");
	e = upload_check_form(u, u->rq->content_length);
	if (e != ERR_OK || u->admitting)
		return e;
	e = receive(f);
	if (e == ERR_OK &&
	    chunk_claim_is_part(&f->chunks, u->count, u->files[0].size))
		e = upload_whole_refuse(u, span_of(f->chunks.by));
	if (e == ERR_OK)
		e = upload_whole_check_size(u);
	return e == ERR_OK ? check_sha256(f) : e;
}
