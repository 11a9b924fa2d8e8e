#include "cgi-gateway/upload/upload_body.h"

#include "cgi-gateway/parse/digest_field.h"
#include "cgi-gateway/upload/upload_form.h"
#include "cgi-gateway/upload/upload_whole.h"
#include "common/codec/encode.h"

#include <string.h>

/* Receive a body that is the file */
static enum err receive_file(struct upload *u, struct span name)
{
	struct span chunk;
	enum err e;

	if (u->whole_size != 0 &&
	    u->rq->content_length != REQUEST_LENGTH_UNKNOWN &&
	    u->rq->content_length != u->whole_size)
		return upload_whole_refuse(u, SPAN("Content-Range"));
	/* A length that is too large is refused before a byte is stored */
	e = upload_check_length(u, u->rq->content_length);
	if (e == ERR_OK)
		e = upload_file(u, name, request_content_type(u->rq));
	if (u->admitting)
		return e;
	while (e == ERR_OK) {
		e = upload_check_due(u, false);
		if (e == ERR_OK)
			e = request_read(u->rq, &chunk);
		if (e != ERR_OK || chunk.len == 0)
			break;
		/* Without a length, a broken connection looks like the end */
		if (u->rq->content_length == REQUEST_LENGTH_UNKNOWN)
			return ERR_LENGTH_REQUIRED;
		e = upload_bytes(u, chunk);
	}
	if (e == ERR_OK)
		e = upload_check_due(u, true);
	if (e == ERR_OK)
		e = upload_file_end(u);
	return e == ERR_OK ? upload_whole_check_size(u) : e;
}

enum { DIGEST_SOURCES = 3 };

/* Read the digest in source `number`. ERR_NOT_FOUND if it has none */
static enum err digest_from(const struct request *rq, int number,
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

/* Read the digest, which must be the same in all sources that have one.
 * ERR_NOT_FOUND if none has. */
static enum err read_digest(const struct request *rq,
			    unsigned char out[static SHA256_LEN])
{
	unsigned char one[SHA256_LEN];
	enum err found = ERR_NOT_FOUND;

	for (int i = 0; i < DIGEST_SOURCES; i++) {
		enum err e = digest_from(rq, i, one);

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

static enum err read_expected_digest(struct upload *u)
{
	enum err e = read_digest(u->rq, u->digest);

	u->has_digest = e == ERR_OK;
	if (e == ERR_FORMAT)
		return response_explain(
			u->rs, e,
			"A digest must be ?sha256= with 64 hex digits, or "
			"Repr-Digest: sha-256=:base64: (RFC 9530).");
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static bool is_multipart(const struct request *rq)
{
	struct span type = request_content_type(rq), params;

	(void)span_cut(&type, ';', &params);
	return span_eq_nocase(span_trim(type), SPAN("multipart/form-data"));
}

static enum err receive_named(struct upload *u, struct span name)
{
	enum err e = read_expected_digest(u);

	return e == ERR_OK ? receive_file(u, name) : e;
}

enum err upload_body_put(struct upload *u, struct span name)
{
	enum err e = upload_whole_check(u);

	/* `curl -X PUT -F`: the form would become the file */
	if (e == ERR_OK && is_multipart(u->rq))
		e = response_explain(u->rs, ERR_MEDIA_TYPE,
				     "PUT takes the file itself as the body. "
				     "Send a form with POST, to the address "
				     "without the name.");
	return e == ERR_OK ? upload_end(u, receive_named(u, name)) : e;
}

/* These are for a body that is the file */
static enum err refuse_in_form(struct upload *u, const char *param)
{
	struct span value;

	if (request_query(u->rq, param, &value) == ERR_NOT_FOUND)
		return ERR_OK;
	return response_explain(u->rs, ERR_FORMAT,
				"?%s= is for a body that is the file itself. "
				"Send the form without it.",
				param);
}

static enum err post_form(struct upload *u)
{
	enum err e = refuse_in_form(u, "sha256");

	if (e == ERR_OK)
		e = refuse_in_form(u, "name");
	return e == ERR_OK ? upload_end(u, upload_form_receive(u)) : e;
}

enum err upload_body_post(struct upload *u)
{
	struct span name = { NULL, 0 };
	enum err e = upload_whole_check(u);

	if (e != ERR_OK)
		return e;
	if (is_multipart(u->rq))
		return post_form(u);
	e = request_query(u->rq, "name", &name);
	if (e == ERR_NOT_FOUND)
		return response_explain(u->rs, ERR_NO_FILE,
					"Send multipart/form-data, or the file "
					"as the body and its name as ?name=.");
	return e == ERR_OK ? upload_end(u, receive_named(u, name)) : e;
}
